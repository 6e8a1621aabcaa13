"""What it takes, and what it costs, by published prices."""
