"""The vote as a random walk: how its length is distributed, what a cap on samples does, how many rounds it takes.

Used by `planning`, beside the closed formulas of `theory`, with the same symbols: p right, v passes, k margin.

The lead of the right answer over the wrong one goes up with probability v p, down with v (1 - p), and stays where it is
when a reply is flagged; at k or -k the step is decided. Wrong replies agree with each other, which is the worst case.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb, isfinite

from maker_dsl.engine.theory import TheoryError

MOST_ROUNDS_MARGIN = 60
"""Above this margin rounds are estimated from the samples instead of solved for."""


@dataclass(frozen=True, slots=True)
class VoteLengths:
    """How long a vote takes: the chance that it ends right, or wrong, at its n-th sample, flagged ones included.

    The lists begin with sample 1. `undecided` is what is left after the last of them.
    """

    right: tuple[float, ...]
    wrong: tuple[float, ...]
    undecided: float


def vote_lengths(p: float, k: int, samples: int, *, passing: float = 1.0) -> VoteLengths:
    """The distribution of a vote's length up to a cap on samples. Any `p` from 0 to 1. Raises TheoryError."""
    _require(p, k, passing)
    if samples < 1:
        raise TheoryError(f"a step draws at least 1 sample; the cap is said to be {samples}")
    up, down, stay = passing * p, passing * (1.0 - p), 1.0 - passing
    leads = [0.0] * (2 * k - 1)
    leads[k - 1] = 1.0
    right, wrong = [], []
    for _ in range(samples):
        right.append(leads[-1] * up)
        wrong.append(leads[0] * down)
        below, above = [0.0, *leads[:-1]], [*leads[1:], 0.0]
        leads = [low * up + lead * stay + high * down for low, lead, high in zip(below, leads, above, strict=True)]
    return VoteLengths(tuple(right), tuple(wrong), sum(leads))


def expected_rounds(p: float, k: int, concurrency: int, *, passing: float = 1.0) -> float:
    """The mean number of rounds of at most `concurrency` calls side by side until a step is decided.

    A round asks for as many samples as could decide the step at best, k less the lead, and waits for all of them;
    flagged ones are missing in the next round. Exact up to a margin of MOST_ROUNDS_MARGIN; above it the samples are
    spread over the places, k of them at most. Raises TheoryError.
    """
    _require(p, k, passing)
    if concurrency < 1:
        raise TheoryError(f"at least 1 call goes at a time; the concurrency is said to be {concurrency}")
    if k > MOST_ROUNDS_MARGIN:
        return max(1.0, _expected_samples(p, k, passing) / min(k, concurrency))
    # With x(lead) rounds still to come: x(i) - sum over outcomes of P(i to j) x(j) = 1, a small linear system.
    size = 2 * k - 1
    rows = []
    for index in range(size):
        lead = index - (k - 1)
        row = [0.0] * size
        row[index] = 1.0
        drawn = min(concurrency, k - abs(lead))
        for passed in range(drawn + 1):
            some_pass = comb(drawn, passed) * passing**passed * (1.0 - passing) ** (drawn - passed)
            for right in range(passed + 1):
                after = lead + 2 * right - passed
                if abs(after) < k:
                    row[after + k - 1] -= some_pass * comb(passed, right) * p**right * (1.0 - p) ** (passed - right)
        rows.append([*row, 1.0])
    return _solved(rows)[k - 1]


def _expected_samples(p: float, k: int, passing: float) -> float:
    if p == 0.5:
        return k * k / passing
    wrong_first = ((1.0 - p) / p) ** k if p > 0.5 else (p / (1.0 - p)) ** k
    return k * (1.0 - wrong_first) / (1.0 + wrong_first) / abs(2.0 * p - 1.0) / passing


def _solved(rows: list[list[float]]) -> list[float]:
    """The solution of linear equations, by elimination with the largest pivot; each row ends with its right side."""
    size = len(rows)
    for column in range(size):
        pivot = max(range(column, size), key=lambda row: abs(rows[row][column]))
        rows[column], rows[pivot] = rows[pivot], rows[column]
        for row in range(column + 1, size):
            factor = rows[row][column] / rows[column][column]
            if factor:
                for at in range(column, size + 1):
                    rows[row][at] -= factor * rows[column][at]
    found = [0.0] * size
    for row in range(size - 1, -1, -1):
        known = sum(rows[row][at] * found[at] for at in range(row + 1, size))
        found[row] = (rows[row][size] - known) / rows[row][row]
    return found


def _require(p: float, k: int, passing: float) -> None:
    if not (isfinite(p) and 0.0 <= p <= 1.0):
        raise TheoryError(f"p is a chance from 0 to 1; it is {p}")
    if k < 1:
        raise TheoryError(f"the margin must be at least 1; it is {k}")
    if not 0.0 < passing <= 1.0:
        raise TheoryError(f"the share of replies that pass must lie above 0 and up to 1; it is {passing}")
