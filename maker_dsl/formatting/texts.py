"""Text blocks: their lines move together, so that the value stays as it is."""

from __future__ import annotations

from maker_dsl.formatting.documents import Doc, Text, concat, hard_line, indent, literal
from maker_dsl.syntax.texts import read_block

_QUOTES = '"""'


def text_block(written: str) -> Doc:
    """A text block as written, quotes included: its lines two blanks further right than the line that it ends on.

    One on a single line stays as it is, and so does one whose value would change.
    """
    if "\n" not in written:
        return Text(written)
    lines = _dedented(written)
    if lines is None:
        return literal(written.replace("\r\n", "\n"))
    body = [part for line in lines for part in (hard_line(), Text(line))]
    return concat(Text(_QUOTES), indent(*body), hard_line(), Text(_QUOTES))


def _dedented(written: str) -> list[str] | None:
    """The lines without the indentation that they share, escapes as written; None if they can't stand so."""
    inside = written[3:-3].replace("\r\n", "\n").split("\n")
    opens_alone = not inside[0].strip()
    body = inside[1:] if opens_alone else inside
    if len(body) > 1 and not body[-1].strip():
        body = body[:-1]
    elif opens_alone and len(body) == 1 and not body[0].strip():
        body = []
    shared = _shared([line for line in (body if opens_alone else body[1:]) if line.strip()])
    lines = [line[shared:] if opens_alone or number else line for number, line in enumerate(body)]
    lines = [line if line.strip() else "" for line in lines]
    moved = "\n".join((_QUOTES, *("  " + line if line else "" for line in lines), _QUOTES))
    return lines if _value(moved) == _value(written) else None


def _shared(lines: list[str]) -> int:
    indents = [line[: len(line) - len(line.lstrip(" \t"))] for line in lines]
    if not indents:
        return 0
    low, high = min(indents), max(indents)
    return next((at for at, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), min(len(low), len(high)))


def _value(written: str) -> str:
    return read_block(written, 0, len(written)).value
