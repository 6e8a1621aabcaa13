"""The audit log: each change of a row once, with what made it, in a file."""
