"""Intervals by states: against known values, and whether they cover the truth as often as they say."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from maker_dsl.engine.clusters import mean_by_states, share_by_states, student_t
from maker_dsl.engine.theory import TheoryError, wilson_interval


@pytest.mark.parametrize(
    ("degrees", "level", "value"),
    [(4, 0.95, 2.776), (10, 0.95, 2.228), (29, 0.95, 2.045), (10, 0.9, 1.812), (10**6, 0.95, 1.960)],
)
def test_student_s_t_is_that_of_the_tables(degrees: int, level: float, value: float) -> None:
    assert student_t(degrees, level) == pytest.approx(value, abs=0.01)


def test_states_with_one_sample_each_give_wilson_s_interval() -> None:
    found = share_by_states([1] * 27 + [0] * 3, [1] * 30)
    wilson = wilson_interval(27, 30, student_t(29, 0.95))
    assert (found.low, found.high) == pytest.approx((wilson.low, wilson.high))
    assert found.design_effect == 1.0


def test_errors_that_go_together_widen_the_interval() -> None:
    scattered = share_by_states([9] * 20 + [10] * 20, [10] * 40)
    together = share_by_states([0] * 2 + [10] * 38, [10] * 40)
    assert scattered.value == together.value == 0.95
    assert together.low < scattered.low
    assert together.design_effect > 3 > scattered.design_effect


def test_where_all_states_were_asked_it_matters_less_that_they_differ() -> None:
    hits, drawn = [10] * 9 + [4], [10] * 10
    some, all_ = share_by_states(hits, drawn), share_by_states(hits, drawn, asked=1.0)
    assert some.low < all_.low < all_.value
    wilson = wilson_interval(94, 100, student_t(9, 0.95))
    assert (all_.low, all_.high) == pytest.approx((wilson.low, wilson.high))


@pytest.mark.parametrize("hits", [0, 10])
def test_the_end_of_none_and_of_all_is_exact(hits: int) -> None:
    found = share_by_states([hits] * 30, [10] * 30)
    assert found.value == hits / 10
    assert (found.low == 0.0, found.high == 1.0) == (hits == 0, hits == 10)
    assert found.high - found.low > 0.05


def test_states_without_a_sample_count_for_nothing() -> None:
    assert share_by_states([9, 0, 10], [10, 0, 10]) == share_by_states([9, 10], [10, 10])
    with pytest.raises(TheoryError):
        share_by_states([0], [0])
    with pytest.raises(TheoryError):
        share_by_states([3], [2])


def test_a_mean_lies_within_its_interval_and_never_below_nothing() -> None:
    mean = mean_by_states([10.0, 1000.0], [10, 10])
    assert mean is not None
    assert (mean.value, mean.low) == (50.5, 0.0)
    assert mean.high > 100
    assert mean_by_states([10.0], [10]) is None
    assert mean_by_states([], []) is None


def beta(mean: float, correlation: float) -> Callable[[Random], float]:
    weight = 1 / correlation - 1
    return lambda random: random.betavariate(mean * weight, (1 - mean) * weight)


def mixed(share: float, easy: float, hard: float) -> Callable[[Random], float]:
    return lambda random: easy if random.random() < share else hard


DIFFICULTIES = {
    "uniform 0.9": (mixed(1, 0.9, 0), 0.9),
    "uniform 0.99": (mixed(1, 0.99, 0), 0.99),
    "uniform 0.999": (mixed(1, 0.999, 0), 0.999),
    "varied": (beta(0.95, 0.1), 0.95),
    "very varied": (beta(0.95, 0.3), 0.95),
    "a tenth hard": (mixed(0.9, 0.99, 0.7), 0.961),
    "few very hard": (mixed(0.95, 0.995, 0.5), 0.97025),
    "some below one half": (mixed(0.9, 0.999, 0.3), 0.9291),
}


@pytest.mark.parametrize("name", DIFFICULTIES)
@pytest.mark.parametrize(("states", "samples"), [(30, 10), (100, 5)])
def test_intervals_cover_the_truth_as_often_as_they_say(name: str, states: int, samples: int) -> None:
    draw, truth = DIFFICULTIES[name]
    random = Random(7)
    covered = 0
    for _ in range(1000):
        chances = [draw(random) for _ in range(states)]
        rights = [sum(random.random() < chance for _ in range(samples)) for chance in chances]
        found = share_by_states(rights, [samples] * states)
        covered += found.low <= truth <= found.high
    # 95 % of 1,000, less two standard errors of such a count.
    assert covered >= 936


@pytest.mark.parametrize(("chance", "level"), [(0.9, 0.8), (0.5, 0.99)])
def test_other_levels_hold_too(chance: float, level: float) -> None:
    random, covered = Random(3), 0
    for _ in range(500):
        rights = [sum(random.random() < chance for _ in range(5)) for _ in range(40)]
        found = share_by_states(rights, [5] * 40, level)
        covered += found.low <= chance <= found.high
    assert covered / 500 >= level - 0.03
