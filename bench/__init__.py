"""What is measured, and against what. Run it with `make bench`."""
