"""Odds where steps differ: the chance of a right reply of each step is taken to come from a Beta distribution.

Used by `odds`. Steps that are all alike are the flattering case: what is easy on average may hide a few that are
decided wrongly quite often. The distribution is fitted to the votes that steps took (maximum likelihood); then each
step has its own posterior. A step with w votes for what won and l for something else has the likelihood p^w (1-p)^l if
what won is right, and p^l (1-p)^w if it isn't; the rule that ended the vote drops out of it. Source of the mixture: the
beta-binomial model (Skellam, Journal of the Royal Statistical Society B 10 (1948), 257-261).
"""

from __future__ import annotations

from collections.abc import Mapping
from math import exp, lgamma, log, log1p

_ROUNDS = 60

_SMALLEST_A = 1.0
"""Below it the distribution would have steps on which nearly every reply is wrong. Votes can't tell them from those on
which nearly every reply is right, so a few contested steps would be enough to believe in them."""


def chance_all_right(outcomes: Mapping[tuple[int, int], int]) -> float | None:
    """The chance that all steps are right; `outcomes` has the number of steps by votes won and lost. None: no steps."""
    if not outcomes:
        return None
    a, b = _fitted(outcomes)
    total = 0.0
    for (won, lost), steps in outcomes.items():
        # The logarithm of the odds against what won.
        against = _log_beta(a + lost, b + won) - _log_beta(a + won, b + lost)
        total -= steps * (log1p(exp(against)) if against < 700 else against)
    return exp(total)


def _fitted(outcomes: Mapping[tuple[int, int], int]) -> tuple[float, float]:
    """The parameters that make the outcomes likeliest, whoever was right: a search over mean's odds and concentration.

    The mean is no less than the share of votes for what won: seen from both sides, half right explains as much.
    """
    votes = sum((won + lost) * steps for (won, lost), steps in outcomes.items())
    missed = sum(lost * steps for (_, lost), steps in outcomes.items())
    odds = log((votes - missed + 0.5) / (missed + 0.5))
    least = max(0.05, odds)
    place, reach = [least, log(20.0)], [1.0, 3.0]
    best = _log_likelihood(outcomes, place)
    for _ in range(_ROUNDS):
        for axis in (0, 1):
            for step in (reach[axis], -reach[axis]):
                tried = list(place)
                tried[axis] += step
                if not (least <= tried[0] < 30.0 and tried[1] < 16.0 and _parameters(tried)[0] >= _SMALLEST_A):
                    continue
                found = _log_likelihood(outcomes, tried)
                if found > best:
                    best, place = found, tried
                    break
            else:
                reach[axis] *= 0.6
    return _parameters(place)


def _log_likelihood(outcomes: Mapping[tuple[int, int], int], place: list[float]) -> float:
    a, b = _parameters(place)
    none, total = _log_beta(a, b), 0.0
    for (won, lost), steps in outcomes.items():
        right, wrong = _log_beta(a + won, b + lost), _log_beta(a + lost, b + won)
        larger = max(right, wrong)
        total += steps * (larger + log1p(exp(min(right, wrong) - larger)) - none)
    return total


def _parameters(place: list[float]) -> tuple[float, float]:
    mean, size = 1.0 / (1.0 + exp(-place[0])), exp(place[1])
    return size * mean, size / (1.0 + exp(place[0]))


def _log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)
