"""What a user can do: send, poison, pause, stop, kill, redrive. No page in here."""
