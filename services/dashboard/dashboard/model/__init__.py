"""What the page shows, folded from what the sources report. Pure: times are arguments."""
