"""Text from elsewhere made safe to show: what is in an event is not trusted."""

from __future__ import annotations


def shown(text: str) -> str:
    """`text` with every character that does not print as itself escaped: control characters, which
    can drive a terminal, changes of direction, line separators, lone surrogates."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def shown_bytes(data: bytes) -> str:
    """The same for UTF-8 text, or what was meant to be it."""
    return shown(data.decode("utf-8", errors="backslashreplace"))
