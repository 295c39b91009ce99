"""The marks of a template that can't be read: which `{{`, `{% if %}` or `{% for %}` has no end.

Jinja reports where it stopped reading, which may be far behind the mark that was left open.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_MARK = re.compile(r"\{\{-?|\{%-?|\{#")
_NEXT = re.compile(r"\{[{%]")
_ENDS = {"{{": re.compile(r"-?\}\}"), "{%": re.compile(r"-?%\}"), "{#": re.compile(r"#\}")}
_CLOSING = {"{{": "}}", "{%": "%}", "{#": "#}"}
_BLOCK = re.compile(r"\s*(if|for|endif|endfor)\b")


@dataclass(frozen=True, slots=True)
class Unclosed:
    """The open mark at text[start:end], how to name it, and what ends it."""

    start: int
    end: int
    shown: str
    missing: str


def find_unclosed(text: str) -> Unclosed | None:
    """The first mark or block of a template that is never closed; None if each is."""
    blocks: list[tuple[str, int, int]] = []
    at = 0
    while (mark := _MARK.search(text, at)) is not None:
        sign = mark.group()[:2]
        closing = _ENDS[sign].search(text, mark.end())
        # A new `{{` or `{%` before the end of this one: expressions have neither.
        following = None if sign == "{#" else _NEXT.search(text, mark.end())
        if closing is None or (following is not None and following.start() < closing.start()):
            return Unclosed(mark.start(), mark.end(), mark.group(), _CLOSING[sign])
        word = _BLOCK.match(text, mark.end()) if sign == "{%" else None
        if word is not None:
            if word.group(1) in ("if", "for"):
                blocks.append((word.group(1), mark.start(), closing.end()))
            elif blocks and blocks[-1][0] == word.group(1)[3:]:
                blocks.pop()
            else:
                return None
        at = closing.end()
    if not blocks:
        return None
    kind, start, end = blocks[-1]
    return Unclosed(start, end, f"{{% {kind} … %}}", f"{{% end{kind} %}}")
