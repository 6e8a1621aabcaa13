"""Regular expressions of AWS's models, which are written for Java, in Python."""

from __future__ import annotations

import re
from functools import cache

_PART = re.compile(r"\\.|\[\^?(?:\\.|[^\]\\])+\]|\.|.", re.DOTALL)
"""An escaped character, a class of characters, a dot, any other character."""

_ANY = r"[^\n\r\u0085\u2028\u2029]"
"""What a dot stands for in Java; in Python it stands for all but the first of these."""


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    r"""For `fullmatch`. `\w`, `\d` and `\s` are those of ASCII, as they are in Java."""
    parts = _PART.findall(pattern)
    return re.compile("".join(_ANY if part == "." else part for part in parts), re.ASCII)
