"""The audit log: each change of a row, who made it, before, after, once, in a file."""
