"""How steps differ: the distribution of a step's chance of a right vote, and how its wrong votes agree.

Pure arithmetic, used by `step_fit` (which finds the model of a calibration), `stopping` and `stopping_value`. A step
has one chance p for all its votes, drawn from a mixture of Beta distributions and single values. Of its wrong votes the
share `agreement` goes to one answer, the step's *main* wrong one; each of the others, a *stray*, is an answer of its
own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import exp, isfinite, lgamma, log, log1p

from maker_dsl.engine.theory import TheoryError


@dataclass(frozen=True, slots=True)
class Alike:
    """Steps that all have the same chance `p` of a right vote, strictly between 0 and 1."""

    weight: float
    p: float

    def log_moment(self, right: int, wrong: int) -> float:
        """ln E[p^right (1-p)^wrong]."""
        return right * log(self.p) + wrong * log1p(-self.p)


@dataclass(frozen=True, slots=True)
class Spread:
    """Steps whose chance of a right vote follows Beta(a, b)."""

    weight: float
    a: float
    b: float

    def log_moment(self, right: int, wrong: int) -> float:
        """ln E[p^right (1-p)^wrong]: ln B(a + right, b + wrong) - ln B(a, b)."""
        a, b = self.a, self.b
        return _log_beta(a + right, b + wrong) - _log_beta(a, b)


@dataclass(frozen=True, slots=True)
class StepModel:
    """The kinds of steps by weight (which sum to 1), and the most that wrong votes of a step agree.

    `agreement` is a limit, stated rather than believed: 1 says that all wrong votes of a step name the same answer,
    which is the worst case. Raises TheoryError if the numbers make no distribution.
    """

    kinds: tuple[Alike | Spread, ...]
    agreement: float = 1.0
    _moments: dict[tuple[int, int], float] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.kinds or abs(sum(kind.weight for kind in self.kinds) - 1.0) > 1e-9:
            raise TheoryError("the weights of the kinds of steps must sum to 1")
        if not 0.0 < self.agreement <= 1.0:
            raise TheoryError(
                f"the share of wrong votes that agree must lie above 0 and up to 1; it is {self.agreement}"
            )
        for kind in self.kinds:
            if not kind.weight > 0.0:
                raise TheoryError(f"each kind of step needs a weight above 0; one has {kind.weight}")
            match kind:
                case Alike(p=p) if not 0.0 < p < 1.0:
                    raise TheoryError(f"the chance of a right vote must lie between 0 and 1, both excluded; it is {p}")
                case Spread(a=a, b=b) if not (isfinite(a) and isfinite(b) and min(a, b) > 0.0):
                    raise TheoryError(f"a Beta distribution needs two numbers above 0; they are {a} and {b}")
                case _:
                    pass

    @property
    def mean(self) -> float:
        """The chance that a vote on a random step is right."""
        return exp(self.log_moment(1, 0))

    def log_moment(self, right: int, wrong: int) -> float:
        """ln E[p^right (1-p)^wrong] over all steps: the chance of one order of so many right and wrong votes."""
        found = self._moments.get((right, wrong))
        if found is None:
            found = log_sum([log(kind.weight) + kind.log_moment(right, wrong) for kind in self.kinds])
            self._moments[right, wrong] = found
        return found


def alike(p: float, agreement: float = 1.0) -> StepModel:
    """The model whose steps are all alike, which is the setting of the paper's formulas."""
    return StepModel((Alike(1.0, p),), agreement)


def log_sum(logs: list[float]) -> float:
    """The logarithm of a sum, from the logarithms of its terms."""
    largest = max(logs)
    return largest + log(sum(exp(one - largest) for one in logs))


def _log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)
