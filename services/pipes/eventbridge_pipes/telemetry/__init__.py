"""What a pipe does, as metrics and as execution logs."""
