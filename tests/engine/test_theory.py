"""The formulas of the method against exact arithmetic and by their edges."""

import doctest
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maker_dsl.engine import theory
from maker_dsl.engine.theory import TheoryError

BETTER_THAN_EVEN = st.floats(min_value=0.501, max_value=0.9999999)


def exact_odds(p: float, k: int) -> Fraction:
    right = Fraction(p)
    return ((1 - right) / right) ** k


@settings(deadline=None)
@given(BETTER_THAN_EVEN, st.integers(1, 12))
def test_step_error_agrees_with_exact_arithmetic(p: float, k: int) -> None:
    odds = exact_odds(p, k)
    assert theory.step_error(p, k) == pytest.approx(float(odds / (1 + odds)), rel=1e-9, abs=0)
    assert theory.step_success(p, k) == pytest.approx(float(1 / (1 + odds)), rel=1e-12)


@settings(deadline=None)
@given(BETTER_THAN_EVEN, st.integers(1, 8), st.integers(1, 40))
def test_task_success_agrees_with_exact_arithmetic(p: float, k: int, steps: int) -> None:
    assert theory.task_success(p, k, steps) == pytest.approx(float(1 / (1 + exact_odds(p, k)) ** steps), rel=1e-9)


def test_a_tiny_error_over_a_million_steps_keeps_its_digits() -> None:
    # 1 - 1e-20 is 1.0 in floats: the naive formula says that nothing can go wrong.
    assert 1.0 - theory.task_success(0.99, 10, 10**6) == pytest.approx(1e6 * (0.01 / 0.99) ** 10, rel=0.02)
    assert theory.step_error(0.99, 10) == pytest.approx((0.01 / 0.99) ** 10, rel=1e-9)


@settings(deadline=None)
@given(
    BETTER_THAN_EVEN,
    st.integers(1, 10**9),
    st.floats(min_value=0.001, max_value=0.999999, exclude_min=True),
)
def test_the_smallest_margin_reaches_the_target_and_a_smaller_one_does_not(p: float, steps: int, target: float) -> None:
    k = theory.smallest_margin(p, steps, target)
    assert theory.task_success(p, k, steps) >= target
    assert k == 1 or theory.task_success(p, k - 1, steps) < target


def test_the_headline_run_needs_a_margin_of_three() -> None:
    # Twenty disks; the margin of the paper's run follows from an error of about one reply in 450.
    assert theory.smallest_margin(0.9978, 2**20 - 1, 0.95) == 3
    assert theory.smallest_margin(0.99, 2**20 - 1, 0.95) == 4


def test_the_margin_grows_with_the_logarithm_of_the_steps() -> None:
    margins = [theory.smallest_margin(0.9, 10**exponent, 0.9) for exponent in range(1, 13)]
    growth = [after - before for before, after in pairwise(margins)]
    assert max(growth) - min(growth) <= 1


@settings(deadline=None)
@given(BETTER_THAN_EVEN, st.integers(1, 12))
def test_expected_votes_agree_with_exact_arithmetic(p: float, k: int) -> None:
    odds = exact_odds(p, k)
    exact = k * (1 - odds) / (1 + odds) / (2 * Fraction(p) - 1)
    assert theory.expected_votes(p, k) == pytest.approx(float(exact), rel=1e-9)


def test_a_model_that_is_always_right_needs_k_votes_and_a_margin_of_one() -> None:
    assert theory.expected_votes(1.0, 3) == 3
    assert theory.step_error(1.0, 3) == 0
    assert theory.smallest_margin(1.0, 10**6, 0.999) == 1


def test_flagged_replies_raise_the_expected_cost() -> None:
    plain = theory.expected_cost(0.99, 3, 1000, cost_per_call=0.002)
    assert plain == pytest.approx(0.002 * 1000 * theory.expected_votes(0.99, 3))
    assert theory.expected_cost(0.99, 3, 1000, cost_per_call=0.002, passing=0.5) == pytest.approx(2 * plain)


@pytest.mark.parametrize("p", [0.5, 0.3, 0.0, -1.0, 1.01, float("nan")])
def test_a_reply_no_better_than_a_coin_is_refused(p: float) -> None:
    for formula in (
        lambda: theory.step_success(p, 3),
        lambda: theory.task_success(p, 3, 10),
        lambda: theory.smallest_margin(p, 10, 0.9),
        lambda: theory.expected_votes(p, 3),
        lambda: theory.expected_cost(p, 3, 10, cost_per_call=1),
    ):
        with pytest.raises(TheoryError, match="right more often than wrong"):
            formula()


def test_numbers_outside_their_range_are_refused() -> None:
    with pytest.raises(TheoryError, match="margin"):
        theory.step_success(0.9, 0)
    with pytest.raises(TheoryError, match="at least 1 step"):
        theory.task_success(0.9, 3, 0)
    for target in (0.0, 1.0, 1.5, float("nan")):
        with pytest.raises(TheoryError, match="chance of success"):
            theory.smallest_margin(0.9, 10, target)
    with pytest.raises(TheoryError, match="share of replies"):
        theory.expected_cost(0.9, 3, 10, cost_per_call=1, passing=0)
    with pytest.raises(TheoryError, match="cost of a call"):
        theory.expected_cost(0.9, 3, 10, cost_per_call=float("inf"))


def test_the_examples_in_the_document_are_true() -> None:
    document = Path(__file__).resolve().parents[2] / "docs" / "method.md"
    outcome = doctest.testfile(str(document), module_relative=False)
    assert (outcome.failed, outcome.attempted > 0) == (0, True)
