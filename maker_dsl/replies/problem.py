"""What the checks of a notation find."""

from __future__ import annotations

from dataclasses import dataclass


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
