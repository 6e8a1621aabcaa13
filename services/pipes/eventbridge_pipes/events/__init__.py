"""What is in a record: filters, paths into it, templates."""
