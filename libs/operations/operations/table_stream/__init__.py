"""The stream of a table: every change of its items, for whoever wants to follow them.

`TableFollower(client, table, …).look()` gives what is new, each time it is called. Where it begins
is in its arguments, where it is in each record: whoever keeps a record's place can go on after it.
"""
