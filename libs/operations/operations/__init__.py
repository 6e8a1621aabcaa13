"""Read and repair a running pipeline, on any target.

`access` is what everything works with. `table` and `table_stream` read rows and their changes,
`failures` the stream and the queues, `function_log` what the function did. `redrive` sends failed
events again. `verify` compares the table with the events.
"""
