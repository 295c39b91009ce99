"""How likely it is that all decisions of a run are right, from its own votes; and how many steps theory leaves open.

Used by `gathering`. Nobody says which votes were right: what won is taken to be. So the estimate is blind to errors
that replies share, and to a step that was decided wrongly with conviction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import prod

from maker_dsl.engine.theory import Interval, step_error, task_success, wilson_interval
from maker_dsl.reporting.uneven import chance_all_right

MOST_ROUNDS = 80
"""Votes of a step up to which steps are told one by one."""


MOST_OUTCOMES = 500


@dataclass(slots=True)
class VoteCount:
    """The counted votes of decided steps of one kind and margin. `lost` votes are for something else than what won."""

    task: str
    kind: str
    ahead_by: int
    steps: int = 0
    votes: int = 0
    lost: int = 0
    contested: int = 0
    samples: int = 0
    flags: int = 0
    _votes_squared: int = 0
    _lost_squared: int = 0
    _products: int = 0
    outcomes: Counter[tuple[int, int]] = field(default_factory=Counter)
    """Steps by votes won and lost, up to MOST_OUTCOMES of them."""

    def add(self, votes: int, lost: int, samples: int, flags: int) -> None:
        """Count a step."""
        self.steps += 1
        self.votes += votes
        self.lost += lost
        self.contested += lost > 0
        self.samples += samples
        self.flags += flags
        self._votes_squared += votes * votes
        self._lost_squared += lost * lost
        self._products += votes * lost
        outcome = votes - lost, lost
        if outcome in self.outcomes or len(self.outcomes) < MOST_OUTCOMES:
            self.outcomes[outcome] += 1

    def spread(self) -> float:
        """How many times more the share of lost votes varies, step by step, than it would by chance; at least 1.

        The variance of a ratio of sums over clusters, by the binomial one (Kish's design effect).
        """
        if not 0 < self.lost < self.votes:
            return 1.0
        share = self.lost / self.votes
        found = self._lost_squared - 2 * share * self._products + share * share * self._votes_squared
        return max(1.0, found / (self.votes * share * (1.0 - share)))


@dataclass(frozen=True, slots=True)
class KindOdds:
    """What the votes of one kind of step say. `step_error` is None where p is not known to be above one half."""

    task: str
    kind: str
    ahead_by: int
    steps: int
    votes: int
    lost: int
    contested: int
    samples: int
    flags: int
    p: float
    p_low: float
    p_high: float
    step_error: float | None


@dataclass(frozen=True, slots=True)
class Odds:
    """The chance that all decisions so far are right: estimated, and at the lower and upper ends of the intervals.

    None where nothing can be said: no votes, or a p that may be one half or less.
    """

    chance: float | None
    chance_low: float | None
    chance_high: float | None
    chance_uneven: float | None
    """Estimated with a distribution of p over the steps of a kind, fitted to their votes."""
    kinds: tuple[KindOdds, ...]


def odds_of(counts: Iterable[VoteCount]) -> Odds:
    """The odds of a run, from the votes on its steps by kind."""
    voted = [count for count in counts if count.votes]
    kinds = tuple(map(_kind_odds, voted))
    uneven = [chance_all_right(count.outcomes) for count in voted]
    return Odds(
        _all_right((kind.p, kind) for kind in kinds),
        _all_right((kind.p_low, kind) for kind in kinds),
        _all_right((kind.p_high, kind) for kind in kinds),
        prod(one for one in uneven if one is not None) if uneven else None,
        kinds,
    )


def undecided_by_theory(kinds: Iterable[KindOdds], rounds: int) -> list[float]:
    """How many steps theory leaves undecided after 0, 1, … votes: a walk that stops at the margin, on either side."""
    left = [0.0] * (rounds + 1)
    for kind in kinds:
        reach = min(kind.ahead_by, rounds + 1)
        places = [0.0] * (2 * reach - 1)
        places[reach - 1] = 1.0
        for votes in range(rounds + 1):
            left[votes] += kind.steps * sum(places)
            up, down = [0.0, *places[:-1]], [*places[1:], 0.0]
            places = [kind.p * low + (1.0 - kind.p) * high for low, high in zip(up, down, strict=True)]
    return left


def _kind_odds(count: VoteCount) -> KindOdds:
    spread = count.spread()
    drawn = max(1, round(count.votes / spread))
    hits = min(drawn, round((count.votes - count.lost) / spread))
    found = wilson_interval(hits, drawn)
    p = 1.0 - count.lost / count.votes
    interval = Interval(min(found.low, p), max(found.high, p))
    return KindOdds(
        count.task,
        count.kind,
        count.ahead_by,
        count.steps,
        count.votes,
        count.lost,
        count.contested,
        count.samples,
        count.flags,
        p,
        interval.low,
        interval.high,
        step_error(p, count.ahead_by) if p > 0.5 else None,
    )


def _all_right(given: Iterable[tuple[float, KindOdds]]) -> float | None:
    chance: float | None = None
    for p, kind in given:
        if p <= 0.5:
            return None
        chance = (1.0 if chance is None else chance) * task_success(p, kind.ahead_by, kind.steps)
    return chance
