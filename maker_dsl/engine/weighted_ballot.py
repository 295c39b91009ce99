"""The vote on one step where the votes of several models count differently.

Used by `ballots`. Counted as `ballot.Ballot` counts, in slot order; the decision is taken at the shortest prefix of
slots in which the votes for some key weigh `margin` more than those for every other. Weights are whole numbers, so
that a replay on any machine adds them up to the same.
"""

from __future__ import annotations

from collections.abc import Callable

from maker_dsl.engine.ballot import Ballot, Decision

WHOLE_VOTE = 1000
"""The weight of one vote in full: a margin of k is k times this."""


class WeightedBallot(Ballot):
    """Votes by slot with their weights; `margin` is in the same unit, `weight_of_slot` says what is to be expected."""

    __slots__ = ("_expected", "_sums", "_weights")

    def __init__(self, margin: int, weight_of_slot: Callable[[int], int]) -> None:
        super().__init__(margin)
        self._expected = weight_of_slot
        self._weights: dict[int, int] = {}
        self._sums: dict[str, int] = {}

    def fill(self, slot: int, key: str, weight: int = WHOLE_VOTE) -> Decision | None:
        """As of any ballot; a weight below 1 is a ValueError."""
        if weight < 1:
            raise ValueError(f"a vote weighs at least 1; this one {weight}")
        if self._decision is None:
            self._weights.setdefault(slot, weight)
        return super().fill(slot, key)

    def _count(self, key: str) -> bool:
        weight = self._weights.pop(self._prefix)
        self._counts[key] = self._counts.get(key, 0) + 1
        self._prefix += 1
        return self._weigh(key, weight)

    def _weigh(self, key: str, weight: int) -> bool:
        total = self._sums[key] = self._sums.get(key, 0) + weight
        if key == self._leader:
            self._ahead = total
        elif total > self._ahead:
            # Whoever is overtaken was ahead of all others, and stays so.
            self._behind, self._ahead, self._leader = self._ahead, total, key
        elif total > self._behind:
            self._behind = total
        if self._ahead - self._behind < self._margin:
            return False
        assert self._leader is not None
        self._decision = Decision(self._leader, self._prefix)
        self._waiting.clear()
        return True

    def further_slots_needed(self, opened: int) -> int:
        """As of any ballot, each further vote weighing what is expected of its slot."""
        if self._decision is not None:
            return 0
        hopeful = {*self._counts, *self._waiting.values()} or {""}
        return min(self._needed_by(key, opened) for key in hopeful)

    def _needed_by(self, hopeful: str, opened: int) -> int:
        sums = dict(self._sums)
        slot = self._prefix
        while True:
            key = self._waiting.get(slot, hopeful) if slot < opened else hopeful
            sums[key] = sums.get(key, 0) + (self._weights.get(slot) or self._expected(slot))
            slot += 1
            behind, ahead = ([0, *sorted(sums.values())])[-2:]
            if ahead - behind >= self._margin:
                return max(0, slot - opened)
