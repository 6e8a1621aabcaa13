"""EventBridge Pipes for the laptop: the API, and the workers that move the records."""
