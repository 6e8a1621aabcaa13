"""The embedded target: the servers of the stack as processes of this machine, no Docker."""
