"""When to stop voting on a step where steps differ: as soon as the leader is wrong with a small enough chance.

Pure arithmetic; `vote_plan` makes a run's table with it. A rule looks at the counted votes alone (in the order of
slots, as the ballot counts them): those of the leader, those of the runner-up, and all others. So the same votes stop
at the same place in every replay. A `StoppingTable` is plain data, worked out once, which a run keeps: a replay reads
it and computes nothing anew.

**The guarantee.** Let W be the number of steps decided wrongly in a run of s steps, and X the chance, by the votes at
which a step stopped, that its leader is wrong. Whether it stops is determined by the votes so far, so by the tower
property P(step wrong) = E[P(wrong | its votes)] = E[X; it stopped]. A constant bound X <= share therefore gives
P(step wrong) <= share and E[W] <= s share, whatever the rule does elsewhere. With share = 1 - t^(1/s) a run of
independent steps succeeds with the chance t; if nothing is known of how steps hang together, P(W > 0) <= E[W] <= -ln t
(Markov), which leaves 1 + ln t: 0.9487 for t = 0.95. It is spent once: s is that of the whole run, and nothing is
worked out anew on the steps that remain.

Votes come in whole numbers, so under a bound of `share` the mean of X stays well below it. What the run has to keep is
the mean alone: `stopping_value.widest_table` finds the largest bound at which E[X; stopped] is still within the share.

The chances are those of the model. Where the true distribution's density is nowhere more than c times the model's,
E[W] <= c s share, since the chance of a wrong decision is an average over the kinds of steps. A step that reaches
`maximum` votes stays undecided, which is no wrong decision, but no success either: `stopping_value` counts both.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, expm1, inf, log
from typing import Protocol

from maker_dsl.engine.step_model import StepModel, log_sum
from maker_dsl.engine.theory import TheoryError

LEAST_AGREEING = 2
MOST_VOTES = 60


class Rule(Protocol):
    """When the vote on a step is over."""

    @property
    def maximum(self) -> int:
        """The votes after which a step that isn't decided stays undecided."""

    def stops(self, leader: int, runner_up: int, others: int) -> bool:
        """Whether the leader wins with these votes."""


@dataclass(frozen=True, slots=True)
class AheadBy:
    """The fixed margin, as a rule: the leader is `margin` votes ahead."""

    margin: int
    maximum: int = MOST_VOTES

    def stops(self, leader: int, runner_up: int, others: int) -> bool:
        """Whether the leader wins with these votes."""
        return leader - runner_up >= self.margin


@dataclass(frozen=True, slots=True)
class StoppingTable:
    """The votes (leader, runner-up, others) at which a step is decided; `bound` is what the leader's chance to be
    wrong keeps to there.

    It has those that a vote can come to without having been decided before; at any other votes it goes on.
    """

    bound: float
    maximum: int
    decided: frozenset[tuple[int, int, int]]

    def stops(self, leader: int, runner_up: int, others: int) -> bool:
        """Whether the leader wins with these votes."""
        return (leader, runner_up, others) in self.decided


def error_share(steps: int, target: float) -> float:
    """How often each of `steps` steps may fail: 1 - target^(1/steps). Raises TheoryError."""
    if steps < 1:
        raise TheoryError(f"a task has at least 1 step; this one is said to have {steps}")
    if not 0.0 < target < 1.0:
        raise TheoryError(f"the wanted chance of success must lie between 0 and 1, both excluded; it is {target}")
    return -expm1(log(target) / steps)


def chance_wrong(model: StepModel, leader: int, runner_up: int, others: int) -> float:
    """The chance that the leader isn't the right answer, by Bayes' rule, if the other votes are all strays.

    With d = 1-p and q the agreement, every way to say which answer is right and which is the main wrong one gives the
    votes a chance. If two answers have two votes or more, one is right and the other the main wrong one:
    E[p^l d^(r+o)] q^r against E[p^r d^(l+o)] q^l. If only the leader has, then it is right, and the main wrong answer
    is one of the m single votes or hasn't come up: E[p^l d^m] (m q + 1-q); or it is the main wrong one, and the right
    answer is a single vote or hasn't come up: q^l (m E[p d^(n-1)] + (1-q) E[d^n]). Factors of 1-q that all share are
    left out, so that the limit q = 1 needs no case of its own. As wrong votes agree more, the chance grows.
    Raises TheoryError if there is no leader with two votes.
    """
    if not (leader >= LEAST_AGREEING and leader > runner_up >= 0 <= others) or (others and not runner_up):
        raise TheoryError(f"no leader with two agreeing votes: {leader}, {runner_up}, {others}")
    q = model.agreement
    single = runner_up + others
    if runner_up > 1:
        right = model.log_moment(leader, single)
        wrong = model.log_moment(runner_up, leader + others) + (leader - runner_up) * log(q)
    elif single == 0:
        right = model.log_moment(leader, 0)
        wrong = model.log_moment(0, leader) + leader * log(q)
    else:
        votes = leader + single
        right = model.log_moment(leader, single) + log(single * q + (1.0 - q))
        unseen = log(1.0 - q) + model.log_moment(0, votes) if q < 1.0 else -inf
        wrong = leader * log(q) + log_sum([log(single) + model.log_moment(1, votes - 1), unseen])
    odds = wrong - right
    return 1.0 / (1.0 + exp(-odds)) if odds > -700.0 else exp(odds)


def stopping_table(model: StepModel, bound: float, maximum: int = MOST_VOTES) -> StoppingTable:
    """The rule that stops as soon as the leader is wrong with a chance of at most `bound`.

    At least two votes agree and nobody is level with the leader, whatever the model says. Raises TheoryError.
    """
    if not 0.0 < bound < 0.5:
        raise TheoryError(f"the bound on the leader's errors must lie between 0 and 1/2, both excluded; it is {bound}")
    if maximum < LEAST_AGREEING:
        raise TheoryError(f"a vote needs at least {LEAST_AGREEING} votes; the maximum is {maximum}")
    decided: set[tuple[int, int, int]] = set()
    going_on = {(1, 0, 0)}
    for _ in range(maximum - 1):
        reached = {after for votes in going_on for after in _after(*votes)}
        stopped = {votes for votes in reached if _is_enough(model, bound, *votes)}
        decided |= stopped
        going_on = reached - stopped
    return StoppingTable(bound, maximum, frozenset(decided))


def _is_enough(model: StepModel, bound: float, leader: int, runner_up: int, others: int) -> bool:
    if leader < LEAST_AGREEING or leader == runner_up:
        return False
    return chance_wrong(model, leader, runner_up, others) <= bound


def _after(leader: int, runner_up: int, others: int) -> list[tuple[int, int, int]]:
    """The votes that one more vote can lead to."""
    after = [(leader + 1, runner_up, others)]
    if runner_up < leader:
        after.append((leader, runner_up + 1, others))
    if runner_up:
        after.append((leader, runner_up, others + 1))
    return after
