"""What users can do: send events, control producer and pipe, redrive failed events."""
