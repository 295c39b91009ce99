"""Over which wordings the samples of a step go, and how each wording does.

Used by the step loop and by the fold. Invariant: which wording a sample is asked in follows from where it stands in
the ballot, so that a resumed run asks as the interrupted one would have.
"""

from __future__ import annotations

from maker_dsl.engine.open_step import OpenStep
from maker_dsl.engine.run_state import Tally, Totals


def wording_of(slot: int, resample: int, wordings: int) -> int:
    """The wording of a sample: the slots go over all of them in turn, and a fresh sample takes the next one."""
    return (slot + resample) % wordings


def tally(totals: Totals, task: str, kind: str, names: tuple[str, ...], opened: OpenStep, won: str) -> None:
    """Count the samples of a step that is decided, by wording. Votes beyond the deciding ones count too."""
    counts = totals.wordings.setdefault(task, {}).setdefault(kind, {})
    tallies = [counts.setdefault(name, Tally()) for name in names]
    for slot, flagged in opened.flagged_by_slot.items():
        for resample in range(flagged):
            one = tallies[wording_of(slot, resample, len(names))]
            one.samples += 1
            one.flags += 1
    for slot, number in opened.votes_by_slot.items():
        one = tallies[wording_of(slot, opened.flagged_by_slot.get(slot, 0), len(names))]
        one.samples += 1
        one.votes += 1
        one.lost += opened.entries[number].key != won
