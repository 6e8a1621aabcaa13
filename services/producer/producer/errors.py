"""What ends a run before it begins."""

from __future__ import annotations


class CannotStartError(Exception):
    """Nothing was sent. The message is one line for the user."""
