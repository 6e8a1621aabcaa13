"""What happens to a batch: it is enriched, transformed, delivered, retried, dead-lettered."""
