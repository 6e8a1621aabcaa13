"""Verify: compare the table with what the events on the stream produce.

`gather` reads the stream, the queues and the table. `compare` decides with `explain`, which finds
out what happened to a product's events. Both are functions of what was read.
"""
