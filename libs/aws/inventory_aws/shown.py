"""Escape texts from outside, so that they are safe to show."""

from __future__ import annotations


def shown(text: str) -> str:
    """Escape all characters that do not print as themselves.

    Those are control characters, which can steer a terminal, changes of direction, line separators
    and lone surrogates.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def shown_bytes(data: bytes) -> str:
    """The same for bytes that should be UTF-8."""
    return shown(data.decode("utf-8", errors="backslashreplace"))
