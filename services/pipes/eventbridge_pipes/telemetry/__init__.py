"""What a pipe tells of itself: execution logs and metrics."""
