"""Many events, many of them bad, with kills and a reshard in between: `make long-run`."""
