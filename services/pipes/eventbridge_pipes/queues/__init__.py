"""Reading a queue: batches gathered, carried and cleared away."""
