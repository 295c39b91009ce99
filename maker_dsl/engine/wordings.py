"""How each wording of a step does.

Used by the fold.
"""

from __future__ import annotations

from maker_dsl.engine.open_step import OpenStep
from maker_dsl.engine.run_state import Tally, Totals


def tally(totals: Totals, task: str, kind: str, names: tuple[str, ...], opened: OpenStep, won: str) -> None:
    """Count the samples of a step that is decided, by wording. Votes beyond the deciding ones count too."""
    counts = totals.wordings.setdefault(task, {}).setdefault(kind, {})
    tallies = [counts.setdefault(name, Tally()) for name in names]
    for slot, flagged in opened.flagged_by_slot.items():
        for resample in range(flagged):
            one = tallies[opened.asked_at(slot, resample)[1]]
            one.samples += 1
            one.flags += 1
    for slot, number in opened.votes_by_slot.items():
        one = tallies[opened.asked_at(slot, opened.flagged_by_slot.get(slot, 0))[1]]
        one.samples += 1
        one.votes += 1
        one.lost += opened.entries[number].key != won
