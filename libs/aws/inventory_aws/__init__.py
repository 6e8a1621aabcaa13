"""AWS as our programs use it: clients, errors, names of resources, the sender of events.

It imports nothing of ours.
"""
