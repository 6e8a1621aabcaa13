"""The commands of `inventory`, a module each."""
