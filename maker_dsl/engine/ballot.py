"""The vote on one step: first to be ahead by k, counted in the order in which the slots were issued.

Pure arithmetic, used by the step loop, by resume and by verify. A slot is filled once, in any order; votes count from
slot 0 on without a gap, so that which reply came first can't change what wins (law 1). The decision is taken at the
shortest prefix of slots in which some key leads every other by the margin.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Decision:
    """What won, and the number of slots that decided it."""

    key: str
    prefix: int


class Ballot:
    """Votes by slot, and what they decide. `margin` is the k of "ahead by k", from 1."""

    __slots__ = ("_ahead", "_behind", "_counts", "_decision", "_leader", "_margin", "_prefix", "_waiting")

    def __init__(self, margin: int) -> None:
        if margin < 1:
            raise ValueError(f"the margin must be at least 1; it is {margin}")
        self._margin = margin
        self._counts: dict[str, int] = {}
        self._leader: str | None = None
        self._ahead = 0
        """The votes of the leading key."""
        self._behind = 0
        """The votes of the best key beside the leading one."""
        self._prefix = 0
        self._waiting: dict[int, str] = {}
        """Votes of slots beyond a gap, not counted yet."""
        self._decision: Decision | None = None

    @property
    def decision(self) -> Decision | None:
        """What won, once it has; later votes don't change it."""
        return self._decision

    @property
    def counted(self) -> int:
        """How many slots from slot 0 on are counted; no more than the deciding prefix."""
        return self._prefix

    @property
    def votes(self) -> Mapping[str, int]:
        """Votes by key of the counted slots, in the order in which keys came up."""
        return self._counts

    def fill(self, slot: int, key: str, weight: int = 1) -> Decision | None:
        """Give a slot its vote and count what can be counted; returns the decision once there is one.

        Votes that come after the decision are left out of the count. Raises ValueError if the slot has a vote already.
        All votes weigh the same here, whatever `weight` says.
        """
        if self._decision is not None:
            return self._decision
        if slot == self._prefix:
            if self._count(key):
                return self._decision
            waiting = self._waiting
            while waiting and (following := waiting.pop(self._prefix, None)) is not None:
                if self._count(following):
                    return self._decision
            return None
        if slot < self._prefix or slot in self._waiting:
            raise ValueError(f"slot {slot} has its vote already")
        self._waiting[slot] = key
        return None

    def _count(self, key: str) -> bool:
        counts = self._counts
        votes = counts.get(key, 0) + 1
        counts[key] = votes
        self._prefix += 1
        if key == self._leader:
            self._ahead = votes
        elif votes > self._ahead:
            # Overtaken: votes come one at a time, so the one overtaken is the best of the others.
            self._behind = self._ahead
            self._ahead = votes
            self._leader = key
        elif votes > self._behind:
            self._behind = votes
        if self._is_over(self._ahead, self._behind, self._prefix):
            assert self._leader is not None
            self._decision = Decision(self._leader, self._prefix)
            self._waiting.clear()
            return True
        return False

    def _is_over(self, leader: int, runner_up: int, counted: int) -> bool:
        """Whether the votes for the leader and for the next best decide, of all that are counted."""
        return leader - runner_up >= self._margin

    def further_slots_needed(self, opened: int) -> int:
        """How many slots beyond the `opened` ones it takes at best: if every missing vote went to the most hopeful key.

        No fewer can decide the step, so opening that many wastes nothing. 0 if the opened slots may suffice.
        """
        if self._decision is not None:
            return 0
        if not self._waiting:
            missing = opened - self._prefix
            return max(0, self._margin - (self._ahead - self._behind) - missing)
        hopeful = {*self._counts, *self._waiting.values()}
        return min(self._needed_by(key, opened) for key in hopeful)

    def _needed_by(self, hopeful: str, opened: int) -> int:
        """The further slots needed if every missing vote goes to one key; 0 as soon as a prefix decides for it."""
        counts = dict(self._counts)
        lead = counts.get(hopeful, 0) - max((v for k, v in counts.items() if k != hopeful), default=0)
        for slot in range(self._prefix, opened):
            key = self._waiting.get(slot, hopeful)
            counts[key] = counts.get(key, 0) + 1
            lead = counts.get(hopeful, 0) - max((v for k, v in counts.items() if k != hopeful), default=0)
            if lead >= self._margin:
                return 0
        return self._margin - lead
