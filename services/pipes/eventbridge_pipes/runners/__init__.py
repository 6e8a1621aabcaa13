"""Reading a stream: its shards, each in order, and how far each got."""
