"""EventBridge Pipes for the laptop: the API, and the workers that move the records."""

__version__ = "0.1.0"
