"""The function that keeps the table.

Lambda calls `handler`. `processor` handles one batch: it reads `records`, and calls AWS through
`store` and `failures`.
"""
