"""The pipeline at 100,000 events per second, in simulated time."""
