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

from maker_dsl.engine.beta_search import beta_at, likeliest_beta

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
    """The parameters that make the outcomes likeliest, whoever was right.

    The mean is no less than the share of votes for what won: seen from both sides, half right explains as much.
    """
    votes = sum((won + lost) * steps for (won, lost), steps in outcomes.items())
    missed = sum(lost * steps for (_, lost), steps in outcomes.items())
    odds = log((votes - missed + 0.5) / (missed + 0.5))
    least = max(0.05, odds)
    return likeliest_beta(
        lambda a, b: _log_likelihood(outcomes, a, b),
        least,
        lambda odds, size: least <= odds < 30.0 and size < 16.0 and beta_at(odds, size)[0] >= _SMALLEST_A,
    )


def _log_likelihood(outcomes: Mapping[tuple[int, int], int], a: float, b: float) -> float:
    none, total = _log_beta(a, b), 0.0
    for (won, lost), steps in outcomes.items():
        right, wrong = _log_beta(a + won, b + lost), _log_beta(a + lost, b + won)
        larger = max(right, wrong)
        total += steps * (larger + log1p(exp(min(right, wrong) - larger)) - none)
    return total


def _log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)
