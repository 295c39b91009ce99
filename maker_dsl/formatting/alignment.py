"""Neighbouring one-line entries that the author aligned stay aligned, by their `=` or by what follows their `:`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from maker_dsl.formatting.concrete import Branch, Leaf, Part
from maker_dsl.formatting.documents import Doc, flat_width

_ALIGNED = frozenset({"type_declaration", "state_field", "assignment", "let", "input", "invariant", "check"})


@dataclass(frozen=True, slots=True)
class _Entry:
    """An entry that may be aligned: where its anchor stands on the line, and how many blanks stand before it."""

    branch: Branch
    sign: Leaf
    column: int
    blanks: int


def pads_of(text: str, entries: Sequence[Branch], lay_out: Callable[[Part], Doc], room: int) -> dict[int, int]:
    """For the entries of aligned runs, by their start, the blanks before the anchor beyond the usual one."""
    pads: dict[int, int] = {}
    run: list[_Entry] = []
    for entry in (*entries, None):
        found = None if entry is None else _entry(text, entry)
        if found is not None and run and _continues(text, run[-1], found):
            run.append(found)
            continue
        pads.update(_pads(run, lay_out, room))
        run = [] if found is None else [found]
    return pads


def _entry(text: str, branch: Branch) -> _Entry | None:
    if branch.construct not in _ALIGNED or len(branch.parts) < 3 or "\n" in text[branch.start : branch.end]:
        return None
    sign = branch.parts[-2]
    if not isinstance(sign, Leaf) or sign.text not in ("=", ":"):
        return None
    anchor = sign.start if sign.text == "=" else branch.parts[-1].start
    before = text[branch.start : anchor]
    line_start = text.rfind("\n", 0, branch.start) + 1
    if text[line_start : branch.start].strip():
        return None
    return _Entry(branch, sign, anchor - line_start, len(before) - len(before.rstrip(" ")))


def _continues(text: str, last: _Entry, entry: _Entry) -> bool:
    return (
        entry.branch.construct == last.branch.construct
        and text.count("\n", last.branch.end, entry.branch.start) == 1
        and entry.sign.text == last.sign.text
        and entry.column == last.column
    )


def _pads(run: list[_Entry], lay_out: Callable[[Part], Doc], room: int) -> dict[int, int]:
    if len(run) < 2 or all(entry.blanks < 2 for entry in run):
        return {}
    heads: list[int] = []
    values: list[int] = []
    for entry in run:
        whole, value = flat_width(lay_out(entry.branch)), flat_width(lay_out(entry.branch.parts[-1]))
        if whole is None or value is None:
            return {}
        heads.append(whole - value)
        values.append(value)
    widest = max(heads)
    if widest + max(values) > room:
        return {}
    return {entry.branch.start: widest - head for entry, head in zip(run, heads, strict=True)}
