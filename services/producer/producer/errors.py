"""What ends a run early, told apart by what has happened until then."""

from __future__ import annotations


class ProducerError(Exception):
    """The message is one line for the user."""


class CannotStartError(ProducerError):
    """Nothing was sent."""


class SendingError(ProducerError):
    """Sending stopped half-way: the stream refused for good, or for too long."""
