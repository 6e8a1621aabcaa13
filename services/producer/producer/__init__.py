"""Generates inventory events and puts them on the Kinesis stream.

It imports nothing of the other rooms; what they share is the event contract.
"""
