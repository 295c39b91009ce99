"""The vote on one step where a table of votes says when it is over: the adaptive margin.

Used by `ballots`. Counted as `ballot.Ballot` counts, in slot order; the decision is taken at the shortest prefix of
slots whose votes (leader, runner-up, others) stand in the table. Beyond the table's last vote, where a ladder or a
raised limit goes on, the leader must be ahead by the margin.
"""

from __future__ import annotations

from maker_dsl.engine.ballot import Ballot
from maker_dsl.engine.stopping import StoppingTable


class StoppingBallot(Ballot):
    """Votes by slot, and what they decide by a table; `margin` holds for more votes than the table knows."""

    __slots__ = ("_table",)

    def __init__(self, table: StoppingTable, margin: int) -> None:
        super().__init__(margin)
        self._table = table

    def _is_over(self, leader: int, runner_up: int, counted: int) -> bool:
        table = self._table
        if counted > table.maximum:
            return leader - runner_up >= self._margin
        return table.stops(leader, runner_up, counted - leader - runner_up)

    def further_slots_needed(self, opened: int) -> int:
        """As of any ballot: the table may take fewer votes for one of two leads that are alike."""
        if self._decision is not None:
            return 0
        hopeful = {*self._counts, *self._waiting.values()} or {""}
        return min(self._needed_by(key, opened) for key in hopeful)

    def _needed_by(self, hopeful: str, opened: int) -> int:
        counts = dict(self._counts)
        slot = self._prefix
        # One lead of the margin decides in the end, whatever the table says.
        most = max(opened, self._table.maximum) + self._prefix + self._margin + 1
        while slot < most:
            key = self._waiting.get(slot, hopeful) if slot < opened else hopeful
            counts[key] = counts.get(key, 0) + 1
            slot += 1
            behind, ahead = ([0, *sorted(counts.values())])[-2:]
            if self._is_over(ahead, behind, slot):
                break
        return max(0, slot - opened)
