"""Generates inventory events and puts them on the Kinesis stream.

It imports `inventory` and `inventory_aws` alone.
"""
