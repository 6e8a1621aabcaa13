"""Each source reads one thing and reports it to the pipeline."""
