"""Whose turn it is: which model a sample of a step is asked of, in which wording, and with which ballot votes count.

Used by the step loop, by the fold and by `rejudging`. Invariant: all of it follows from where a sample stands in the
ballot (its slot, and how many flagged ones the slot has had) and from how many samples of the step the journal has; so
a resumed run asks as the interrupted one would have, and a replay can tell.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import accumulate

from maker_dsl.engine.ballot import Ballot
from maker_dsl.engine.records import PolicyRecord
from maker_dsl.engine.stopping import StoppingTable
from maker_dsl.engine.stopping_ballot import StoppingBallot
from maker_dsl.engine.weighted_ballot import WHOLE_VOTE, WeightedBallot


class Turns:
    """The turns of one kind of step. A *voter* is a number into `profiles`; those of rungs come last."""

    __slots__ = (
        "_caps",
        "_is_cheapest_first",
        "_models",
        "_policy",
        "_rung_voters",
        "_wordings",
        "profiles",
        "weights",
    )

    def __init__(self, policy: PolicyRecord) -> None:
        self._policy = policy
        profiles = [voter.profile for voter in policy.voters] or [policy.profile]
        weights = [voter.weight for voter in policy.voters] or [WHOLE_VOTE]
        self._models = len(profiles)
        self._wordings = max(1, len(policy.wordings))
        self._is_cheapest_first = policy.order == "cheapest" and len(profiles) > 1
        self._rung_voters: list[int | None] = []
        for rung in policy.ladder:
            self._rung_voters.append(None if rung.profile is None else len(profiles))
            if rung.profile is not None:
                profiles.append(rung.profile)
                weights.append(rung.weight)
        self.profiles: tuple[str | None, ...] = tuple(profiles)
        self.weights: tuple[int, ...] = tuple(weights)
        self._caps = tuple(accumulate([int(policy.max_samples.value or 1), *(rung.samples for rung in policy.ladder)]))

    @property
    def is_plain(self) -> bool:
        """Whether all samples come from one model, in one wording, with one cap."""
        return len(self.profiles) == self._wordings == len(self._caps) == 1

    @property
    def most_samples(self) -> int:
        """The cap at the ladder's end."""
        return self._caps[-1]

    def rung_of(self, samples: int) -> int:
        """The rung of the next sample of a step that has drawn so many: 0 is before the ladder."""
        caps = self._caps
        rung = 0
        while rung < len(caps) - 1 and samples >= caps[rung]:
            rung += 1
        return rung

    def cap_of(self, rung: int) -> int:
        """The samples that a step may have drawn when the rung is used up."""
        return self._caps[rung]

    def voter_of(self, slot: int, resample: int, rung: int = 0) -> int:
        """The model that a sample is asked of."""
        if rung:
            own = self._rung_voters[rung - 1]
            if own is not None:
                return own
        models = self._models
        if models == 1:
            return 0
        if not self._is_cheapest_first:
            return (slot + resample) % models
        # Slots beyond the opening ones exist after disagreement alone.
        opening = int(self._policy.ahead_by.value or 1)
        return 0 if slot < opening else 1 + (slot - opening + resample) % (models - 1)

    def wording_of(self, slot: int, resample: int, rung: int = 0) -> int:
        """The wording of a sample: all of them in turn, each by every model, and a fresh sample takes the next one."""
        if rung:
            name = self._policy.ladder[rung - 1].wording
            if name is not None and name in self._policy.wordings:
                return self._policy.wordings.index(name)
        turn = slot + resample
        return (turn if self._is_cheapest_first else turn // self._models) % self._wordings

    def new_ballot(self, table: StoppingTable | None) -> Ballot:
        """The ballot of a step; `table` is the run's, for steps that go by it."""
        margin = int(self._policy.ahead_by.value or 1)
        if self._policy.adaptive and table is not None:
            return StoppingBallot(table, margin)
        if set(self.weights) == {WHOLE_VOTE}:
            return Ballot(margin)
        return WeightedBallot(margin * WHOLE_VOTE, lambda slot: self.weights[self.voter_of(slot, 0)])


@lru_cache(maxsize=256)
def turns_of(policy: PolicyRecord) -> Turns:
    """The turns of a kind of step, made once for each policy."""
    return Turns(policy)
