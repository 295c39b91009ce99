"""Texts of strangers in a page: replies, prompts, names of tasks. Used by whatever writes HTML or SVG.

Invariant: every text goes through `escaped`, exactly once.
"""

from __future__ import annotations

import re
from html import escape

_UNFIT = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
    "|[" + "".join(chr((plane << 16) + end) for plane in range(1, 17) for end in (0xFFFE, 0xFFFF)) + "]"
)


def harmless(text: str) -> str:
    """The text with what can't be seen, or would turn its direction, as a number: `<U+202E>`."""
    return _UNFIT.sub(lambda found: f"<U+{ord(found[0]):04X}>", text)


def escaped(text: object) -> str:
    """A text as HTML and XML have it, in an element and in an attribute."""
    return escape(harmless(str(text)), quote=True)
