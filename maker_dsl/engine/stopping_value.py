"""What a stopping rule is worth, exactly: how often it decides a step rightly, wrongly or not at all, and its votes.

Pure arithmetic, used to hold rules to their guarantee and to compare them. How many orders of votes lead to each place
without a stop on the way doesn't depend on the distribution of steps: it is counted along the places once, and each
order has the chance E[p^R (1-p)^(M+S)] q^M (1-q)^S, with R right votes, M for the main wrong answer, S strays. The
distribution that a rule is tried on need not be the one that it was made from.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, inf, log, log1p

from maker_dsl.engine.step_model import StepModel
from maker_dsl.engine.stopping import MOST_VOTES, AheadBy, Rule, StoppingTable, error_share, stopping_table
from maker_dsl.engine.theory import TheoryError

_LARGEST_BOUND = 0.4
_NARROWINGS = 6
_Place = tuple[int, int, int]
"""Votes for the right answer, for the main wrong one, and strays."""


@dataclass(frozen=True, slots=True)
class RuleValue:
    """Of a random step: the chances of its ends (they sum to 1), and the mean number of votes."""

    right: float
    wrong: float
    undecided: float
    votes: float

    def run_success(self, steps: int) -> float:
        """The chance that all of `steps` independent steps are decided, and rightly."""
        failing = self.wrong + self.undecided
        return 0.0 if failing >= 1.0 else exp(steps * log1p(-failing))


def value_of(rule: Rule, steps: StepModel) -> RuleValue:
    """What `rule` is worth on a distribution of steps, by dynamic programming over all orders of votes."""
    agreeing = log(steps.agreement)
    straying = log1p(-steps.agreement) if steps.agreement < 1.0 else -inf
    right = wrong = undecided = votes = 0.0
    paths: dict[_Place, int] = {(0, 0, 0): 1}
    for count in range(1, rule.maximum + 1):
        reached: dict[_Place, int] = {}
        for (rights, main, strays), orders in paths.items():
            after = [(rights + 1, main, strays), (rights, main + 1, strays)]
            if straying > -inf:
                after.append((rights, main, strays + 1))
            for place in after:
                reached[place] = reached.get(place, 0) + orders
        paths = {}
        for place, orders in reached.items():
            rights, main, strays = place
            leader, runner_up = sorted((rights, main, min(1, strays), min(1, strays // 2)), reverse=True)[:2]
            stops = rule.stops(leader, runner_up, count - leader - runner_up)
            if not stops and count < rule.maximum:
                paths[place] = orders
                continue
            stray = strays * straying if strays else 0.0
            chance = exp(log(orders) + steps.log_moment(rights, main + strays) + main * agreeing + stray)
            votes += count * chance
            if not stops:
                undecided += chance
            elif rights == leader:
                right += chance
            else:
                wrong += chance
        if not paths:
            break
    return RuleValue(right, wrong, undecided, votes)


def smallest_fixed_margin(steps: StepModel, count: int, target: float, maximum: int) -> AheadBy:
    """The smallest fixed margin with which a run of `count` such steps succeeds often enough. Raises TheoryError."""
    for margin in range(1, maximum + 1):
        rule = AheadBy(margin, maximum)
        if value_of(rule, steps).run_success(count) >= target:
            return rule
    raise TheoryError(f"no margin reaches {target} for {count} such steps with {maximum} votes a step")


def widest_table(model: StepModel, steps: int, target: float, maximum: int = MOST_VOTES) -> StoppingTable:
    """The rule that spends the run's error budget, and no more: the largest bound at which a run still meets `target`.

    Stopping earlier loses information, so the chance of a wrong decision and the saving in votes both grow with the
    bound; that of no decision falls. The search doubles the bound until wrong decisions alone exceed the share, then
    narrows down; what it returns has been worked out exactly, on `model`. The same numbers give the same rule.
    Raises TheoryError where no bound suffices: steps that are wrong more often than right can't be voted right.
    """
    share = error_share(steps, target)
    best: StoppingTable | None = None
    least_failing = 1.0
    bound, failing_bound = share, _LARGEST_BOUND
    while bound < _LARGEST_BOUND:
        table = stopping_table(model, bound, maximum)
        value = value_of(table, model)
        least_failing = min(least_failing, value.wrong + value.undecided)
        if value.run_success(steps) >= target:
            best = table
        elif value.wrong > share:
            failing_bound = bound
            break
        bound *= 2.0
    if best is None:
        raise TheoryError(
            f"no stopping rule reaches {target} for {steps} such steps with at most {maximum} votes each: a step may "
            f"fail with a chance of {share:.2g}, and fails with {least_failing:.2g}; some are wrong too often"
        )
    for _ in range(_NARROWINGS):
        middle = (best.bound * failing_bound) ** 0.5
        table = stopping_table(model, middle, maximum)
        if value_of(table, model).run_success(steps) >= target:
            best = table
        else:
            failing_bound = middle
    return best
