"""A soak: pipes at work for minutes on end, under everything that can go wrong (`make soak`)."""
