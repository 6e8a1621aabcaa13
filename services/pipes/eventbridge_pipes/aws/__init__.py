"""Clients of AWS services, the HTTP requests of the frequent calls, and errors."""
