"""What the votes of several models count, from what calibrations say of them.

Used where a run is begun. Pure. Why log-odds: a vote of a model that is right with chance p is p/(1-p) times as likely
if its answer is the right one as if another answer is, even where all wrong votes agree. Votes are independent, so the
logarithms add up: with ln(p/(1-p)) as the weight of each vote, the lead of an answer over another is the logarithm of
the odds between them, whoever voted. That is Wald's sequential probability ratio test with known ratios: stopping at a
lead of L leaves the leader wrong with a chance of at most 1/(1 + e^L), which is less than e^-L. Wrong votes that don't
agree only help.

Invariant: p is taken at the low end of its interval, and weights are rounded down, so a lead is worth at least what
the ballot thinks.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import floor, log, log1p

from maker_dsl.engine import theory
from maker_dsl.engine.weighted_ballot import WHOLE_VOTE

LEAST_LOG_ODDS = 1e-4
"""Below it a model knows next to nothing, and the weights of others beside it would be out of all proportion."""


class VoterUnfit(Exception):
    """A model that can't vote, by what was measured of it: `voter` says which, `why` what stands in the way."""

    def __init__(self, voter: str, why: str) -> None:
        super().__init__(f"{voter}: {why}")
        self.voter = voter
        self.why = why


def log_odds(voter: str, p_low: float) -> float:
    """What a vote counts, as a logarithm. Raises VoterUnfit for a model that isn't surely right more often than not."""
    if not p_low > 0.5:
        raise VoterUnfit(
            voter, f"at the low end of its interval only {p_low:.6g} of its votes are right: that is no majority"
        )
    if p_low >= 1.0:
        raise VoterUnfit(voter, "it is said never to be wrong, and then no other vote could ever count")
    found = log(p_low) - log1p(-p_low)
    if found < LEAST_LOG_ODDS:
        raise VoterUnfit(voter, f"{p_low:.6g} of its votes right is too near to one half")
    return found


def weights_of(p_low: Mapping[str, float]) -> dict[str, int]:
    """The weight of each voter in thousandths of a vote: 1000 for the weakest, the others in proportion, rounded down.

    A margin of k thus means the evidence of k votes of the weakest model. Raises VoterUnfit.
    """
    odds = {voter: log_odds(voter, p) for voter, p in p_low.items()}
    weakest = min(odds.values())
    return {voter: max(WHOLE_VOTE, floor(WHOLE_VOTE * (each / weakest))) for voter, each in odds.items()}


def margin_of(p_low: Mapping[str, float], steps: int, target: float) -> int:
    """The margin with which these models together reach the target: ceil(T / the weakest one's log-odds).

    T is ln(s/(1-s)), s the chance of being right that each step must have. Raises VoterUnfit and TheoryError.
    """
    for voter, p in p_low.items():
        log_odds(voter, p)
    return theory.smallest_margin(min(p_low.values()), steps, target)


def chance_of_error(p_low: Mapping[str, float], margin: int) -> float:
    """The most likely a step is to be decided wrongly at a margin: 1/(1 + e^L). Raises VoterUnfit and TheoryError."""
    for voter, p in p_low.items():
        log_odds(voter, p)
    return theory.step_error(min(p_low.values()), margin)
