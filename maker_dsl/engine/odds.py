"""How likely it is that all decisions of a run are right, from its own votes; and how many steps theory leaves open.

Used while a run goes on, where it stands, and by its report. Nobody says which votes were right: what won is taken to
be. So the estimate is blind to errors that replies share, and to a step that was decided wrongly with conviction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import prod

from maker_dsl.engine.records import DecisionRecord
from maker_dsl.engine.theory import Interval, step_error, task_success, wilson_interval
from maker_dsl.engine.uneven import chance_all_right

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

    def add(self, votes: int, lost: int, samples: int, flags: int, steps: int = 1) -> None:
        """Count a step, or several with these votes each; `samples` and `flags` are those of all of them."""
        self.steps += steps
        self.votes += votes * steps
        self.lost += lost * steps
        self.contested += steps if lost else 0
        self.samples += samples
        self.flags += flags
        self._votes_squared += votes * votes * steps
        self._lost_squared += lost * lost * steps
        self._products += votes * lost * steps
        outcome = votes - lost, lost
        if outcome in self.outcomes or len(self.outcomes) < MOST_OUTCOMES:
            self.outcomes[outcome] += steps

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


Outcomes = dict[str, dict[str, dict[str, int]]]
"""By task and kind of step, the number of decided steps by votes won and lost, `3/1`."""


def count_outcome(outcomes: Outcomes, task: str, decision: DecisionRecord) -> None:
    """Count a decided step. What is kept is bounded: of a kind, MOST_OUTCOMES different ones at most."""
    won = lost = 0
    for number, votes in decision.votes:
        if number == decision.reply:
            won = votes
        else:
            lost += votes
    known = outcomes.setdefault(task, {}).setdefault(decision.kind, {})
    name = f"{won}/{lost}"
    if name in known or len(known) < MOST_OUTCOMES:
        known[name] = known.get(name, 0) + 1


@dataclass(frozen=True, slots=True)
class LiveOdds:
    """How a run does so far, what won taken to be right. Shares are of votes (p) and of samples (v), intervals 95 %."""

    p: float
    p_low: float
    p_high: float
    v: float
    v_low: float
    v_high: float
    votes_per_step: float
    chance: float | None
    """That every decision so far is right: the lesser of what steps that are alike, and steps that differ, come to."""
    cost_usd: float | None
    """Forecast of the whole run's cost."""
    seconds_left: float | None


def live_odds(
    outcomes: Outcomes,
    votes: int,
    samples: int,
    *,
    steps: int | None = None,
    expected_steps: int | None = None,
    cost_usd: float | None = None,
    spent_before_usd: float = 0.0,
    seconds: float = 0.0,
) -> LiveOdds | None:
    """The odds of a run that has decided steps; None before the first. `cost_usd` is that of the run so far."""
    kinds = [_counted(task, kind, found) for task, each in outcomes.items() for kind, found in each.items()]
    pooled = VoteCount("", "", 1)
    for one in kinds:
        for (won, lost), times in one.outcomes.items():
            pooled.add(won + lost, lost, 0, 0, times)
    if not pooled.votes:
        return None
    overall = _kind_odds(pooled)
    passing = wilson_interval(min(votes, samples), samples)
    # Steps that run others have no votes, and rare outcomes may not be kept: the forecast goes by all steps taken.
    steps = steps or pooled.steps
    left = None if expected_steps is None else max(0, expected_steps - steps)
    ahead = None
    if cost_usd is not None and left is not None:
        ahead = cost_usd + (cost_usd - spent_before_usd) / steps * left
    return LiveOdds(
        overall.p,
        overall.p_low,
        overall.p_high,
        votes / samples,
        passing.low,
        passing.high,
        pooled.votes / pooled.steps,
        prod(min(chance_all_right(kind.outcomes) or 0.0, _chance_alike(kind)) for kind in kinds),
        ahead,
        None if left is None else seconds / steps * left,
    )


def _chance_alike(count: VoteCount) -> float:
    """The chance that all steps are right if they are alike, with p by the rule of succession.

    A few votes without a loss don't show that p is 1: a fit alone would be sure of it. A step that ended with a lead of
    l is wrong with odds of ((1-p)/p)^l.
    """
    p = (count.votes - count.lost + 1) / (count.votes + 2)
    odds = (1.0 - p) / p
    return prod((1.0 + odds ** (won - lost)) ** -steps for (won, lost), steps in count.outcomes.items())


def _counted(task: str, kind: str, found: dict[str, int]) -> VoteCount:
    count = VoteCount(task, kind, 1)
    for name, steps in found.items():
        won, lost = map(int, name.split("/"))
        count.add(won + lost, lost, 0, 0, steps)
    return count


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
