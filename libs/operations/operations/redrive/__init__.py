"""Redrive: send failed events to the stream again.

`service` reads the queues and carries out; `failed_event` and `plan` decide, as functions of their
arguments; `text` is what users read.
"""
