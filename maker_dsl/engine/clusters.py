"""Intervals for figures measured by states: samples of one state are not independent, the states are.

Used by calibrations. Each state is a cluster: so many samples, so many of them hits, or so much of an amount. What a
share is worth follows from the *design effect*, how many times larger its variance is than for as many independent
samples: 1 + (m - 1) r, with m samples of a state and r the correlation of two of them (L. Kish, "Survey Sampling",
Wiley 1965). The interval is Wilson's for the number of independent samples that the sample is worth, as E. L. Korn and
B. I. Graubard proposed for survey data ("Confidence intervals for proportions with small expected number of positive
counts estimated from survey data", Survey Methodology 24 (1998), 193-201), with Student's t for so many states.

Where few states have an error, nobody can see whether errors of a state go together: r is then mostly assumed, as if
PRIOR_STATES more states with errors had been seen, with a correlation of PRIOR_CORRELATION. Without that, and with
rare hard states, intervals at 95 % cover the truth far less often; `benchmarks/calibration.py` measures it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

from maker_dsl.engine.theory import TheoryError

PRIOR_STATES = 3.0
PRIOR_CORRELATION = 2 / 3


@dataclass(frozen=True, slots=True)
class ClusteredShare:
    """A share, where it lies, and the design effect that was seen, drawn to 1 where few states have an error."""

    value: float
    low: float
    high: float
    design_effect: float


@dataclass(frozen=True, slots=True)
class ClusteredMean:
    """A mean for one sample, and where it lies."""

    value: float
    low: float
    high: float


def share_by_states(
    hits: Sequence[int], drawn: Sequence[int], level: float = 0.95, *, asked: float = 0.0
) -> ClusteredShare:
    """A share of hits, from the hits and the samples of each state. Raises TheoryError without any sample.

    `asked` is the share of all states that there are: that states differ matters only as far as some were left out.
    """
    pairs = [(hit, size) for hit, size in zip(hits, drawn, strict=True) if size]
    if any(not 0 <= hit <= size for hit, size in pairs):
        raise TheoryError("a state has more hits than samples")
    samples = sum(size for _, size in pairs)
    if not samples:
        raise TheoryError("without a sample nothing is known")
    states = len(pairs)
    share = sum(hit for hit, _ in pairs) / samples
    size = sum(one * one for _, one in pairs) / samples
    seen = _correlation(pairs, share, samples, size)
    # The rarer outcome carries the information.
    mixed = min(sum(hit < one for hit, one in pairs), sum(hit > 0 for hit, _ in pairs))
    weight = mixed + PRIOR_STATES
    assumed = 1.0 if states < 3 else (mixed * seen + PRIOR_STATES * PRIOR_CORRELATION) / weight
    worth = samples / (1.0 + (size - 1.0) * assumed * (1.0 - min(1.0, asked)))
    low, high = _wilson(share, worth, student_t(max(2, states - 1), level))
    return ClusteredShare(share, low, high, 1.0 + (size - 1.0) * mixed * seen / weight)


def mean_by_states(totals: Sequence[float], drawn: Sequence[int], level: float = 0.95) -> ClusteredMean | None:
    """The mean of one sample, from the total and the number of samples of each state; None without any sample.

    A ratio estimator, its variance that of the states' residuals. Amounts: the lower end is never below 0. With one
    state, the upper end is unknown and said to be infinite.
    """
    pairs = [(total, size) for total, size in zip(totals, drawn, strict=True) if size]
    samples = sum(size for _, size in pairs)
    if not samples:
        return None
    mean = sum(total for total, _ in pairs) / samples
    states = len(pairs)
    if states < 2:
        return None
    squares = sum((total - mean * size) ** 2 for total, size in pairs)
    reach = student_t(max(2, states - 1), level) * sqrt(states / (states - 1) * squares) / samples
    return ClusteredMean(mean, max(0.0, mean - reach), mean + reach)


def student_t(degrees: int, level: float) -> float:
    """The quantile of Student's t for a two-sided interval, by its expansion around the normal one (from 2 degrees).

    Source: M. Abramowitz, I. A. Stegun, "Handbook of Mathematical Functions" (1964), 26.7.5.
    """
    z = NormalDist().inv_cdf((1.0 + level) / 2)
    n = float(degrees)
    return (
        z
        + (z**3 + z) / (4 * n)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * n**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * n**3)
    )


def _correlation(pairs: Sequence[tuple[int, int]], share: float, samples: int, size: float) -> float:
    """How two samples of a state go together, from 0 to 1, by the variance between the states."""
    if len(pairs) < 2 or share in (0.0, 1.0) or size <= 1.0:
        return 0.0
    states = len(pairs)
    residuals = sum((hit - share * one) ** 2 for hit, one in pairs)
    variance = states / (states - 1) * residuals / samples**2
    effect = variance / (share * (1.0 - share) / samples)
    return min(1.0, max(0.0, (effect - 1.0) / (size - 1.0)))


def _wilson(share: float, worth: float, z: float) -> tuple[float, float]:
    """Wilson's interval for a share of a number of samples that need not be whole."""
    centre = share + z * z / (2 * worth)
    reach = z * sqrt(share * (1.0 - share) / worth + z * z / (4 * worth * worth))
    below = 1.0 + z * z / worth
    low = 0.0 if share == 0.0 else min(share, (centre - reach) / below)
    high = 1.0 if share == 1.0 else max(share, (centre + reach) / below)
    return max(0.0, low), min(1.0, high)
