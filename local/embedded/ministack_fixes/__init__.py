"""What we correct in MiniStack, one file for each correction."""
