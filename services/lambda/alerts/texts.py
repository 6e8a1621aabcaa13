"""Texts of unknown origin, made fit for messages of SNS and SQS. Pure."""

from __future__ import annotations

import re

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
_REFUSED = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def excerpt(text: str, most: int = 200) -> str:
    """The beginning, of at most so many characters, with a mark in place of what SQS refuses."""
    cut = text if len(text) <= most else text[: most - 1] + "…"
    return _REFUSED.sub("\ufffd", cut)


def excerpt_or_none(text: str | None, most: int = 256) -> str | None:
    return None if text is None else excerpt(text, most)
