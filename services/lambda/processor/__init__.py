"""The function that keeps the table.

`handler` is what Lambda calls; `records`, `store` and `failures` are the edges; `processor` handles
one batch with them.
"""
