"""What the page shows, computed from what the sources report. Pure: times are arguments."""
