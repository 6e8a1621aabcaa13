"""Faults between the parts of the pipeline, injected by a proxy that they call each other through.

What is injected, how, and how to add a fault: README.md beside this file.
"""
