"""Splits the format text of a reply into literal pieces and typed holes: `next = {value: int}`."""

from __future__ import annotations

import re
from collections.abc import Callable

from maker_dsl.syntax import tree
from maker_dsl.syntax.broken import Broken

ParseHole = Callable[[str, int], tree.TypeMember]
"""Parses the inside of a hole that starts at an index of the format text's value."""

_HOLE = re.compile(r"\{\s*[A-Za-z_]\w*\s*:")
_CLOSES = {"{": "}", "[": "]", "(": ")"}


def split_format(text: tree.Text, parse_hole: ParseHole) -> tuple[str | tree.Hole, ...]:
    """The pieces of a format text in order; `{{` and `}}` are literal braces. Raises Broken."""
    value = text.value
    pieces: list[str | tree.Hole] = []
    literal: list[str] = []
    at = 0
    while at < len(value):
        character = value[at]
        if character in "{}" and value.startswith(character * 2, at):
            literal.append(character)
            at += 2
        elif character == "{":
            end = _hole_end(text, at)
            if _HOLE.match(value, at) is None:
                raise _no_hole(text, at, end + 1)
            if literal:
                pieces.append("".join(literal))
                literal = []
            member = parse_hole(value[at + 1 : end], at + 1)
            pieces.append(tree.Hole(text.part(at, end + 1), member.name, member.type))
            at = end + 1
        elif character == "}":
            raise _lone(text, at, "}")
        else:
            stop = _next_brace(value, at)
            literal.append(value[at:stop])
            at = stop
    if literal:
        pieces.append("".join(literal))
    return tuple(pieces)


def _next_brace(value: str, at: int) -> int:
    found = [index for index in (value.find("{", at), value.find("}", at)) if index >= 0]
    return min(found, default=len(value))


def _hole_end(text: tree.Text, start: int) -> int:
    """The index of the brace that closes the hole, past texts, patterns and brackets inside it."""
    value = text.value
    open_brackets: list[str] = []
    at = start
    while at < len(value):
        character = value[at]
        if character in _CLOSES:
            open_brackets.append(_CLOSES[character])
        elif character == '"' or (character == "/" and value[start:at].rstrip().endswith("matching")):
            at = _quoted_end(value, at, character)
        elif character in ")]}":
            if not open_brackets or open_brackets.pop() != character:
                break
            if not open_brackets:
                return at
        at += 1
    raise _lone(text, start, "{")


def _quoted_end(value: str, at: int, quote: str) -> int:
    end = at + 1
    while end < len(value) and value[end] not in (quote, "\n"):
        end += 2 if value[end] == "\\" else 1
    return end


def _lone(text: tree.Text, at: int, brace: str) -> Broken:
    span = text.part(at, at + 1)
    what = "opens a hole that is not closed" if brace == "{" else "closes no hole"
    return Broken(
        "MK110",
        f"this `{brace}` {what}",
        span.start,
        span.end,
        help=f"a hole is written `{{name: type}}`; a brace that belongs to the reply itself is written `{brace * 2}`",
    )


def _no_hole(text: tree.Text, start: int, end: int) -> Broken:
    inside = text.value[start + 1 : end - 1].strip()
    if re.fullmatch(r"[A-Za-z_]\w*", inside):
        help_text = f"say what stands there: `{{{inside}: int}}`"
    else:
        help_text = "write `{name: type}`; braces that belong to the reply itself are written `{{` and `}}`"
    span = text.part(start, end)
    return Broken("MK110", "this hole has no name and type", span.start, span.end, help=help_text)
