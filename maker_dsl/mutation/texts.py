"""Corruptions of a reply's text that are none of its value: cut off, lines lost, doubled or in the wrong order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from maker_dsl.mutation.values import DIGITS, Kind, corrupt_lines, few, near_digits

WHOLE_TEXT = "the text"
"""What stands for a field where the text itself is corrupted."""


@dataclass(frozen=True, slots=True)
class CorruptText:
    """A text with one mistake."""

    kind: Kind
    text: str


def corrupt_text(text: str, start: int, end: int, random: Random) -> Iterator[CorruptText]:
    """Mistakes in the reply that stands at text[start:end]."""
    for cut in cuts(text, start, end, random):
        yield CorruptText("truncate", text[:cut])
    lines = text[start:end].split("\n")
    if len(lines) > 1:
        for kind, make in corrupt_lines(lines, random):
            yield CorruptText(kind, text[:start] + "\n".join(make()) + text[end:])


def corrupt_digits(text: str, start: int, end: int, random: Random) -> Iterator[CorruptText]:
    """Every number in text[start:end] one up and one down."""
    for found in few(list(DIGITS.finditer(text, start, end)), random):
        for near in near_digits(found[0]):
            yield CorruptText("off by one", text[: found.start()] + near + text[found.end() :])


def cuts(text: str, start: int, end: int, random: Random) -> list[int]:
    """Where to cut the text: at quarters of the reply, right before its end, at its lines, before what closes it."""
    length = end - start
    lines = [at + 1 for at in range(start, end) if text[at] == "\n"]
    places = {start + length * quarter // 4 for quarter in (1, 2, 3)} | {end - 1, end - 2} | set(few(lines, random))
    if end < len(text.rstrip()):
        places.add(end)
    return sorted(place for place in places if start < place < len(text.rstrip()))
