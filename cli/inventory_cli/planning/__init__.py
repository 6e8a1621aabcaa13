"""What a load needs on AWS, and what it costs there."""
