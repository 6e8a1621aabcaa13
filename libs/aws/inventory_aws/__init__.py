"""AWS as our programs use it: clients, errors that pass, names of resources, sending to a stream.

It imports nothing of ours.
"""
