"""What voting is worth: the formulas of the method, each with its source.

Pure arithmetic, used for choosing a margin, for estimates and by the tests that hold the engine to its theory.

"Paper" is Meyerson et al., "Solving a Million-Step LLM Task with Zero Errors", arXiv 2511.09030 (2025), section 3.2.
Its symbols: p chance that one passing reply is right, k margin, s dependent steps, t wanted chance that all are right,
v chance that a reply passes the red flags, c cost of one call. One call decides one step (the paper's m = 1), and the
wrong replies of a step agree with each other, which is the worst case.

The chance of an error is often far below the spacing of floats next to 1, so everything goes through the logarithm of
the odds against a right reply, and `log1p` and `expm1` keep the digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, exp, expm1, isfinite, log, log1p, sqrt


class TheoryError(ValueError):
    """The formulas say nothing for these numbers; the message says which one and why."""


def step_success(p: float, k: int) -> float:
    """The chance that a vote ahead by `k` decides a step rightly: 1 / (1 + ((1-p)/p)^k).

    Source: paper, section 3.2 (gambler's ruin; Wald's sequential probability ratio test). Raises TheoryError.
    """
    return 1.0 - step_error(p, k)


def step_error(p: float, k: int) -> float:
    """The chance that a vote ahead by `k` decides a step wrongly, precise where it is tiny. Raises TheoryError."""
    odds = _odds_against(p, k)
    return odds / (1.0 + odds)


def task_success(p: float, k: int, steps: int) -> float:
    """The chance that all `steps` are decided rightly: (1 + ((1-p)/p)^k)^(-s).

    Source: paper, section 3.2, with m = 1. Raises TheoryError.
    """
    _require_steps(steps)
    return exp(-steps * log1p(_odds_against(p, k)))


def smallest_margin(p: float, steps: int, target: float) -> int:
    """The smallest margin that decides all `steps` rightly with a chance of at least `target`.

    ceil(ln(t^(-1/s) - 1) / ln((1-p)/p)), which grows as ln s. Source: paper, section 3.2. Raises TheoryError.
    """
    _require_better_than_even(p)
    _require_steps(steps)
    if not 0.0 < target < 1.0:
        raise TheoryError(f"the wanted chance of success must lie between 0 and 1, both excluded; it is {target}")
    if p == 1.0:
        return 1
    margin = max(1, ceil(log(expm1(-log(target) / steps)) / _log_odds_against(p)))
    # The quotient may lie on the wrong side of a whole number by a rounding: the definition decides.
    while margin > 1 and task_success(p, margin - 1, steps) >= target:
        margin -= 1
    while task_success(p, margin, steps) < target:
        margin += 1
    return margin


def expected_votes(p: float, k: int) -> float:
    """The mean number of votes until a step is decided: k (2 P(step right) - 1) / (2p - 1).

    Source: paper, section 3.2 (duration of gambler's ruin). Raises TheoryError.
    """
    odds = _odds_against(p, k)
    return k * ((1.0 - odds) / (1.0 + odds)) / (2.0 * p - 1.0)


def expected_cost(p: float, k: int, steps: int, *, cost_per_call: float, passing: float = 1.0) -> float:
    """The mean cost of the task, in the unit of `cost_per_call`: c s E[votes] / v; `passing` is v.

    For the smallest margin and many steps this is about c s k / (v (2p - 1)). Source: paper, section 3.2.
    Raises TheoryError.
    """
    _require_steps(steps)
    if not 0.0 < passing <= 1.0:
        raise TheoryError(f"the share of replies that pass must lie above 0 and up to 1; it is {passing}")
    if not (isfinite(cost_per_call) and cost_per_call >= 0.0):
        raise TheoryError(f"the cost of a call must be a number from 0; it is {cost_per_call}")
    return cost_per_call * steps * expected_votes(p, k) / passing


@dataclass(frozen=True, slots=True)
class Interval:
    """Where a share lies, by what was seen: both ends between 0 and 1."""

    low: float
    high: float


def wilson_interval(hits: int, drawn: int, z: float = 1.959964) -> Interval:
    """Where the chance of a hit lies after `hits` of `drawn` independent samples; the usual `z` is for 95 %.

    (h + z²/2 ± z √(h (n - h) / n + z²/4)) / (n + z²). Source: E. B. Wilson, "Probable inference, the law of
    succession, and statistical inference", Journal of the American Statistical Association 22 (1927), 209-212. Unlike
    the normal approximation it says something at 0 and n hits, and for few samples. Without samples: anything.
    """
    if not 0 <= hits <= drawn:
        raise TheoryError(f"hits are between none and all of the {drawn} samples; there are said to be {hits}")
    if drawn == 0:
        return Interval(0.0, 1.0)
    centre = hits + z * z / 2
    reach = z * sqrt(hits * (drawn - hits) / drawn + z * z / 4)
    # At no and at all hits the end is 0 or 1 exactly; the subtraction would miss it by a rounding.
    low = 0.0 if hits == 0 else (centre - reach) / (drawn + z * z)
    high = 1.0 if hits == drawn else (centre + reach) / (drawn + z * z)
    return Interval(low, high)


def _odds_against(p: float, k: int) -> float:
    """((1-p)/p)^k, between 0 and 1."""
    _require_better_than_even(p)
    if k < 1:
        raise TheoryError(f"the margin must be at least 1; it is {k}")
    return 0.0 if p == 1.0 else exp(k * _log_odds_against(p))


def _log_odds_against(p: float) -> float:
    return log1p(-p) - log(p)


def _require_better_than_even(p: float) -> None:
    if not 0.5 < p <= 1.0:
        raise TheoryError(
            f"voting helps only if a reply is right more often than wrong: p must lie above 0.5 and up to 1; it is {p}"
        )


def _require_steps(steps: int) -> None:
    if steps < 1:
        raise TheoryError(f"a task has at least 1 step; this one is said to have {steps}")
