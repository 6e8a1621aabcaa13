"""What our programs share about AWS: clients, errors, names, and the stream of events.

It imports nothing of ours.
"""
