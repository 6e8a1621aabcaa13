"""Pages of a list that is in order of name."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass

from eventbridge_pipes.api.errors import ValidationError, Violation
from eventbridge_pipes.pipe import Pipe


@dataclass(frozen=True)
class Page:
    """`next_token` is None on the last page."""

    pipes: Sequence[Pipe]
    next_token: str | None


def page(pipes: Sequence[Pipe], limit: int, token: str | None) -> Page:
    """The `limit` pipes after the one that `token` stands for; `pipes` are in order of name.

    A token stands for a name, so pipes that come and go between two pages do not shift the rest.
    Raises ValidationError for a token that was not given out here.
    """
    after = _decode(token) if token else ""
    rest = [pipe for pipe in pipes if pipe.name > after]
    shown = rest[:limit]
    return Page(shown, _encode(shown[-1].name) if len(rest) > limit else None)


def _encode(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode()


def _decode(token: str) -> str:
    try:
        return base64.b64decode(token.encode(), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError):
        message = "The NextToken is not valid: use the one that the previous page came with"
        raise ValidationError(message, [Violation("nextToken", message)]) from None
