"""What becomes of a batch: sent, sent again, given up on."""
