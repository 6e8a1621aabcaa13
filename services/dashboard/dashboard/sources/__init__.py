"""Who is asked, and how often: each source reads one thing and reports it to the pipeline."""
