"""How each wording of a step does, and each of several models.

Used by the fold.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from maker_dsl.engine.open_step import OpenStep
from maker_dsl.engine.run_state import Tally, Totals

OWN = ""
"""What tallies call the run's own model; others have the names that the run has for them."""


def tally(totals: Totals, task: str, kind: str, names: tuple[str, ...], opened: OpenStep, won: str) -> None:
    """Count the samples of a step that is decided, by wording. Votes beyond the deciding ones count too."""
    counts = totals.wordings.setdefault(task, {}).setdefault(kind, {})
    _count([counts.setdefault(name, Tally()) for name in names], 1, opened, won)


def tally_voters(totals: Totals, profiles: tuple[str | None, ...], opened: OpenStep, won: str) -> None:
    """The same by model, over all kinds of steps."""
    _count([totals.voters.setdefault(name or OWN, Tally()) for name in profiles], 0, opened, won)


def _count(tallies: Sequence[Tally], by: Literal[0, 1], opened: OpenStep, won: str) -> None:
    for slot, flagged in opened.flagged_by_slot.items():
        for resample in range(flagged):
            one = tallies[opened.asked_at(slot, resample)[by]]
            one.samples += 1
            one.flags += 1
    for slot, number in opened.votes_by_slot.items():
        one = tallies[opened.asked_at(slot, opened.flagged_by_slot.get(slot, 0))[by]]
        one.samples += 1
        one.votes += 1
        one.lost += opened.entries[number].key != won
