"""Read and repair a running pipeline, on any target.

`access` has the clients and settings. `table` and `table_stream` read rows and their changes,
`queue` messages, and `function_log` the outcomes of batches. `redrive` sends failed events again.
`verify` compares the table with the events.
"""
