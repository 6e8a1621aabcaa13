"""What did not become a row: on the stream, in the rejected queue, in the dead-letter queue."""
