"""Weights of votes: log-odds at the low end, rounded down; and what they are worth, measured on whole votes."""

from __future__ import annotations

from math import exp, fsum, lgamma, log, log1p
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maker_dsl.engine.ballot import Ballot
from maker_dsl.engine.theory import TheoryError, smallest_margin
from maker_dsl.engine.weighted_ballot import WHOLE_VOTE, WeightedBallot
from maker_dsl.engine.weights import VoterUnfit, chance_of_error, log_odds, margin_of, weights_of

WEAK, STRONG = 0.6, 0.9
STEPS = 12_000


def test_the_weakest_weighs_one_and_the_others_their_share_of_log_odds_rounded_down() -> None:
    assert weights_of({"weak": WEAK, "strong": STRONG}) == {"weak": 1000, "strong": 5419}
    assert 5.419 < log(9) / log(1.5) < 5.42
    assert weights_of({"one": 0.7, "two": 0.7}) == {"one": 1000, "two": 1000}


@given(st.dictionaries(st.text(max_size=3), st.floats(0.501, 0.999999), min_size=1, max_size=5))
def test_no_weight_claims_more_than_the_votes_are_worth(p_low: dict[str, float]) -> None:
    weights = weights_of(p_low)
    weakest = min(log_odds(name, p) for name, p in p_low.items())
    assert min(weights.values()) == WHOLE_VOTE
    for name, p in p_low.items():
        assert WHOLE_VOTE <= weights[name] <= WHOLE_VOTE * log_odds(name, p) / weakest + 1e-6
        assert weights[name] > WHOLE_VOTE * log_odds(name, p) / weakest - 1 - 1e-6


@pytest.mark.parametrize(
    ("p", "why"), [(0.5, "no majority"), (0.31, "no majority"), (0.50001, "too near"), (1.0, "never"), (2.0, "never")]
)
def test_a_model_that_may_be_wrong_as_often_as_right_cant_vote(p: float, why: str) -> None:
    for settle in (weights_of, lambda given: margin_of(given, 10, 0.9), lambda given: chance_of_error(given, 3)):
        with pytest.raises(VoterUnfit, match=why) as refused:
            settle({"good": 0.9, "bad": p})
        assert refused.value.voter == "bad"


def test_the_margin_is_that_of_the_weakest_alone() -> None:
    assert margin_of({"weak": WEAK, "strong": STRONG}, 1000, 0.95) == smallest_margin(WEAK, 1000, 0.95)
    with pytest.raises(TheoryError):
        margin_of({"weak": WEAK, "strong": STRONG}, 1000, 1.0)


def test_the_chance_of_error_is_below_that_of_the_lead() -> None:
    lead = 4 * log(WEAK / (1 - WEAK))
    assert chance_of_error({"weak": WEAK, "strong": STRONG}, 4) == pytest.approx(1 / (1 + exp(lead)))
    assert chance_of_error({"weak": WEAK, "strong": STRONG}, 4) < exp(-lead)


def decide(ballot: Ballot, chance: Random, weights: tuple[int, int] | None) -> tuple[bool, int]:
    """One step: the two models in turn, all wrong votes for one answer. Whether it is right, and the votes it took."""
    slot = 0
    while ballot.decision is None:
        voter = slot % 2
        key = "right" if chance.random() < (WEAK, STRONG)[voter] else "wrong"
        if isinstance(ballot, WeightedBallot) and weights is not None:
            ballot.fill(slot, key, weights[voter])
        else:
            ballot.fill(slot, key)
        slot += 1
    return ballot.decision.key == "right", slot


def at_least(hits: int, drawn: int, share: float) -> float:
    """The chance of so many hits or more, of so many drawn."""
    ways = [lgamma(drawn + 1) - lgamma(n + 1) - lgamma(drawn - n + 1) for n in range(hits)]
    return 1.0 - fsum(exp(way + n * log(share) + (drawn - n) * log1p(-share)) for n, way in enumerate(ways))


# Up to a margin of 5 one vote of the strong model decides; no plain margin takes as few votes as that.
@pytest.mark.parametrize("margin", [6, 8, 9])
def test_weighted_votes_err_no_more_often_than_the_formula_says_and_beat_plain_ones_of_the_same_number(
    margin: int,
) -> None:
    found = weights_of({"weak": WEAK, "strong": STRONG})
    weights = found["weak"], found["strong"]
    chance = Random(margin)
    weighted = [
        decide(WeightedBallot(margin * WHOLE_VOTE, lambda slot: weights[slot % 2]), chance, weights)
        for _ in range(STEPS)
    ]
    wrong = sum(not right for right, _ in weighted)
    bound = chance_of_error({"weak": WEAK, "strong": STRONG}, margin)
    # One-sided exact binomial test, level 0.001: the bound is not broken.
    assert at_least(wrong, STEPS, bound) > 0.001
    votes = sum(number for _, number in weighted) / STEPS
    # The plain ballot of the smallest margin that takes no fewer votes is wrong more often, by four standard errors.
    for plain_margin in range(1, 12):
        plain = [decide(Ballot(plain_margin), chance, None) for _ in range(STEPS)]
        if sum(number for _, number in plain) / STEPS >= votes:
            break
    else:
        raise AssertionError("no plain margin takes as many votes")
    wrong_plain = sum(not right for right, _ in plain)
    together = (wrong + wrong_plain) / (2 * STEPS)
    assert (wrong_plain - wrong) / STEPS > 4 * (2 * together * (1 - together) / STEPS) ** 0.5, (wrong, wrong_plain)
