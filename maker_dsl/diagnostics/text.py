"""Diagnostics for people at a terminal: title, place, the line itself with carets, help.

error[MK201]: unknown name `pegz`
  --> hanoi.maker:12:9
   |
12 |   last = pegz[0]
   |          ^^^^ not declared
   |
   = help: did you mean `pegs`?
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from maker_dsl.diagnostics.diagnostic import Diagnostic, Label, Severity

MAX_COLUMNS = 120
"""Longer lines are shown in part, around the carets."""

_TAB = 4
_LEAD = 30
_COLOURS = {"error": "\033[1;31m", "warning": "\033[1;33m", "frame": "\033[34m", "help": "\033[36m", "bold": "\033[1m"}
_PLAIN = "\033[0m"


@dataclass(frozen=True, slots=True)
class _Pen:
    colour: bool

    def __call__(self, style: str, text: str) -> str:
        return f"{_COLOURS[style]}{text}{_PLAIN}" if self.colour and text else text


@dataclass(frozen=True, slots=True)
class _Mark:
    """A label on one line: columns `start` to `end` (from 1, end excluded)."""

    line: int
    start: int
    end: int
    text: str
    is_primary: bool


def render(diagnostic: Diagnostic, *, colour: bool = False) -> str:
    """The diagnostic as several lines, ending in a line break."""
    pen = _Pen(colour)
    severity = "error" if diagnostic.severity is Severity.ERROR else "warning"
    lines = [pen(severity, f"{severity}[{diagnostic.code}]") + pen("bold", f": {visible(diagnostic.title)}")]
    labels = [(diagnostic.primary, True), *((label, False) for label in diagnostic.secondary)]
    width = max(len(str(label.span.source.position(label.span.start).line)) for label, _ in labels)
    for number, (name, group) in enumerate(_by_source(labels)):
        first = group[0][0].span
        position = first.source.position(first.start)
        arrow = "-->" if number == 0 else ":::"
        lines.append(f"{' ' * width} {pen('frame', arrow)} {visible(name)}:{position.line}:{position.column}")
        lines.append(f"{' ' * width} {pen('frame', '|')}")
        lines.extend(_excerpt(group, width, pen, severity))
    if diagnostic.help:
        lines.append(f"{' ' * width} {pen('frame', '|')}")
        first_line, *more = diagnostic.help.splitlines()
        lines.append(f"{' ' * width} {pen('frame', '=')} {pen('help', 'help')}: {visible(first_line)}")
        lines.extend(f"{' ' * width}         {visible(line)}" for line in more)
    return "\n".join(line.rstrip() for line in lines) + "\n"


def render_all(diagnostics: Iterable[Diagnostic], *, colour: bool = False) -> str:
    """All of them, with an empty line between two."""
    return "\n".join(render(diagnostic, colour=colour) for diagnostic in diagnostics)


def visible(text: str) -> str:
    """The text with characters that would disturb a terminal replaced by a picture of them."""
    return "".join(_picture(character) for character in text)


def _picture(character: str) -> str:
    code = ord(character)
    if code < 32:
        return chr(0x2400 + code)
    if code == 127:
        return "\u2421"
    return "\ufffd" if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") else character


def _by_source(labels: list[tuple[Label, bool]]) -> list[tuple[str, list[tuple[Label, bool]]]]:
    groups: dict[int, list[tuple[Label, bool]]] = {}
    for label, is_primary in labels:
        groups.setdefault(id(label.span.source), []).append((label, is_primary))
    return [(group[0][0].span.source.name, group) for group in groups.values()]


def _excerpt(group: list[tuple[Label, bool]], width: int, pen: _Pen, severity: str) -> list[str]:
    source = group[0][0].span.source
    marks = sorted(
        (_mark(label, is_primary) for label, is_primary in group),
        key=lambda mark: (mark.line, not mark.is_primary, -mark.start),
    )
    rows: list[str] = []
    shown = 0
    for number in sorted({mark.line for mark in marks}):
        if shown and number > shown + 1:
            between = source.line(number - 1) if number == shown + 2 else None
            rows.append(
                _row(number - 1, _cut(between, 1)[0], width, pen) if between is not None else pen("frame", "...")
            )
        here = [mark for mark in marks if mark.line == number]
        text, cut = _cut(source.line(number), min(mark.start for mark in here))
        rows.append(_row(number, text, width, pen))
        for mark in here:
            start, end = _columns(source.line(number), mark, cut)
            sign = "^" if mark.is_primary else "-"
            carets = sign * max(1, min(end, MAX_COLUMNS + 3) - start)
            said = f"{carets} {visible(mark.text)}" if mark.text else carets
            rows.append(
                f"{' ' * width} {pen('frame', '|')} {' ' * start}{pen(severity if mark.is_primary else 'frame', said)}"
            )
        shown = number
    return rows


def _row(number: int, text: str, width: int, pen: _Pen) -> str:
    return f"{pen('frame', f'{number:>{width}} |')} {text}"


def _mark(label: Label, is_primary: bool) -> _Mark:
    """The label on the line where it starts; a span over several lines is underlined to the end of its first."""
    source, start, end = label.span.source, label.span.start, label.span.end
    position = source.position(start)
    length = len(source.line(position.line))
    stop = min(position.column + max(1, end - start), max(length + 1, position.column + 1))
    return _Mark(position.line, position.column, stop, label.text, is_primary)


def _cut(line: str, column: int) -> tuple[str, int]:
    """The line as shown, and how many of its characters are left out at its start."""
    left = 0
    if _width(line) > MAX_COLUMNS and column > MAX_COLUMNS - _LEAD:
        left = column - 1 - _LEAD
    shown = line[left:]
    taken, columns = 0, 0
    for character in shown:
        columns += _cells(character)
        if columns > MAX_COLUMNS:
            break
        taken += 1
    text = _cell_text(shown[:taken])
    return ("…" if left else "") + text + ("…" if taken < len(shown) else ""), left


def _columns(line: str, mark: _Mark, left: int) -> tuple[int, int]:
    """Where the mark starts and ends on the screen, from 0."""
    before = line[left : mark.start - 1]
    under = line[mark.start - 1 : min(mark.end - 1, mark.start + MAX_COLUMNS)]
    start = _width(before) + (1 if left else 0)
    return start, start + max(1, _width(under))


def _cells(character: str) -> int:
    if character == "\t":
        return _TAB
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _width(text: str) -> int:
    return sum(_cells(character) for character in text)


def _cell_text(text: str) -> str:
    return "".join(" " * _TAB if character == "\t" else _picture(character) for character in text)
