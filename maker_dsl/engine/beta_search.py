"""The Beta distribution that makes something likeliest: a search over the odds of its mean and its concentration.

Pure arithmetic, used by `step_fit` (of a calibration's states) and by the odds of runs (of votes whose right answer
nobody knows). A place is (ln of the mean's odds, ln of a + b). Each round tries a step either way along both axes;
where neither is better, the steps along that axis grow finer. The same numbers find the same place.
"""

from __future__ import annotations

from collections.abc import Callable
from math import exp, log

_ROUNDS = 80
_REACH = (1.0, 3.0)
_FINER = 0.6
FIRST_CONCENTRATION = 20.0


def likeliest_beta(
    log_likelihood: Callable[[float, float], float], odds: float, is_allowed: Callable[[float, float], bool]
) -> tuple[float, float]:
    """The a and b with the largest `log_likelihood(a, b)`, from a mean with the log-odds `odds` on.

    `is_allowed` says of a place, log-odds and logarithm of the concentration, whether the search may go there.
    """
    place, reach = (odds, log(FIRST_CONCENTRATION)), list(_REACH)
    best = log_likelihood(*beta_at(*place))
    for _ in range(_ROUNDS):
        for axis in (0, 1):
            for step in (reach[axis], -reach[axis]):
                tried = (place[0] + step, place[1]) if axis == 0 else (place[0], place[1] + step)
                if not is_allowed(*tried):
                    continue
                found = log_likelihood(*beta_at(*tried))
                if found > best:
                    best, place = found, tried
                    break
            else:
                reach[axis] *= _FINER
    return beta_at(*place)


def beta_at(odds: float, size: float) -> tuple[float, float]:
    """a and b of a place."""
    mean = 1.0 / (1.0 + exp(-odds))
    return exp(size) * mean, exp(size) / (1.0 + exp(odds))
