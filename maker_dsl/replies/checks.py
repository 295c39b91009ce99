"""What is wrong with a notation, as data; the checker turns it into diagnostics with places in the file."""

from __future__ import annotations

from dataclasses import dataclass

from maker_dsl.replies.notation import AT_END, Notation, Place


@dataclass(frozen=True, slots=True)
class NotationProblem:
    """One finding. `piece` is an index into a format text's pieces; `line` a line of a grammar, from 1.

    Neither is set where the finding is about the whole notation or its place.
    """

    code: str
    title: str
    label: str
    help: str | None = None
    piece: int | None = None
    line: int | None = None


def check_notation(notation: Notation, place: Place = AT_END) -> tuple[NotationProblem, ...]:
    """All that would keep a notation from being read without doubt; concrete and erased types both do."""
    return ()
