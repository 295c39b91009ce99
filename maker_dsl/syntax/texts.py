"""Strings and text blocks: escapes, dedenting, and the way back from the value to the file.

Pieces are ascending pairs (index in the value, offset in the text): from that index on, the value stands there
character for character, up to the next pair. Where something was left out, the index stands twice: with the offset of
the end of what is before, and of the start of what is after.
"""

from __future__ import annotations

from dataclasses import dataclass

from maker_dsl.syntax.broken import Broken

_ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\"}
_HEX = frozenset("0123456789abcdefABCDEF")


@dataclass(frozen=True, slots=True)
class Written:
    """A value and its pieces."""

    value: str
    pieces: tuple[tuple[int, int], ...]


class _Writer:
    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._end = -1
        self._pieces: list[tuple[int, int]] = []

    def add(self, value: str, start: int, end: int) -> None:
        """Append what text[start:end] means."""
        if value:
            self._open(start)
            self._parts.append(value)
            self._length += len(value)
            self._end = end

    def done(self, end: int) -> Written:
        self._open(end)
        return Written("".join(self._parts), tuple(self._pieces))

    def _open(self, start: int) -> None:
        if self._pieces and self._end != start:
            self._pieces.append((self._length, self._end))
        self._pieces.append((self._length, start))


def read_string(text: str, start: int, end: int) -> Written:
    """The value of `"…"` at text[start:end], quotes included; raises Broken for a bad escape."""
    writer = _Writer()
    at = start + 1
    stop = end - 1
    while at < stop:
        slash = text.find("\\", at, stop)
        if slash < 0:
            slash = stop
        writer.add(text[at:slash], at, slash)
        at = slash
        if at == stop:
            break
        kind = text[at + 1]
        if kind in _ESCAPES:
            writer.add(_ESCAPES[kind], at, at + 2)
            at += 2
        elif kind == "u":
            writer.add(_unicode(text, at, stop), at, at + 6)
            at += 6
        else:
            raise Broken(
                "MK105",
                f"`\\{kind}` is not an escape",
                at,
                at + 2,
                help='the escapes are `\\n`, `\\t`, `\\"`, `\\\\` and `\\u` with four hexadecimal digits; '
                "a backslash itself is `\\\\`",
            )
    return writer.done(stop)


def _unicode(text: str, at: int, stop: int) -> str:
    digits = text[at + 2 : min(at + 6, stop)]
    if len(digits) < 4 or not _HEX.issuperset(digits):
        raise Broken("MK105", "`\\u` needs four hexadecimal digits", at, at + 2 + len(digits), help="such as `\\u00e9`")
    value = chr(int(digits, 16))
    if "\ud800" <= value <= "\udfff":
        raise Broken(
            "MK105",
            f"`\\u{digits}` is half of a character",
            at,
            at + 6,
            help="write the character itself in the text",
        )
    return value


def read_block(text: str, start: int, end: int) -> Written:
    """The value of a text block at text[start:end], quotes included.

    The line break after the opening quotes, the last one with what blank stands before the closing quotes, and the
    indentation that all lines share do not belong to the text. Line breaks are `\\n` whatever the file has.
    """
    lines = _lines(text, start + 3, end - 3)
    opens_alone = len(lines) > 1 and not text[slice(*lines[0])].strip()
    body = lines[1:] if opens_alone else lines
    if len(body) > 1 and not text[slice(*body[-1])].strip():
        body = body[:-1]
    elif opens_alone and len(body) == 1 and not text[slice(*body[0])].strip():
        body = []
    indented = body if opens_alone else body[1:]
    indent = _shared_indent([text[begin:stop] for begin, stop in indented])
    writer = _Writer()
    for number, (begin, stop) in enumerate(body):
        if number:
            break_start = body[number - 1][1]
            writer.add("\n", break_start, text.index("\n", break_start) + 1)
        if opens_alone or number:
            begin = min(begin + indent, stop) if text[begin:stop].strip() else stop
        _add_line(writer, text, begin, stop)
    return writer.done(end - 3)


def _add_line(writer: _Writer, text: str, begin: int, stop: int) -> None:
    while True:
        quote = text.find('\\"', begin, stop)
        if quote < 0:
            writer.add(text[begin:stop], begin, stop)
            return
        writer.add(text[begin:quote], begin, quote)
        writer.add('"', quote, quote + 2)
        begin = quote + 2


def _lines(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """The start and end of each line, without its line break."""
    lines = []
    while True:
        at = text.find("\n", start, end)
        if at < 0:
            lines.append((start, end))
            return lines
        lines.append((start, at - 1 if at > start and text[at - 1] == "\r" else at))
        start = at + 1


def _shared_indent(lines: list[str]) -> int:
    indents = [line[: len(line) - len(line.lstrip(" \t"))] for line in lines if line.strip()]
    if not indents:
        return 0
    low, high = min(indents), max(indents)
    shared = 0
    while shared < min(len(low), len(high)) and low[shared] == high[shared]:
        shared += 1
    return shared
