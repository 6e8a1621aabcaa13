"""The inventory: the event contract, the rules of the stock, and the function that keeps the table.

`event` and `stock` are the pure domain; `records`, `store` and `failures` are the edges;
`processor` handles one batch with them, and `handler` is what Lambda calls.
"""
