"""Whether the table equals what the events on the stream produce.

`gather` reads the stream, the queues and the table. `compare`, with `explanation`, decides as
functions of what was read, and `verdict` is the result.
"""
