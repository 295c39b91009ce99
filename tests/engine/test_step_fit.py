"""Fitting how steps differ from the counts of a calibration."""

from math import exp
from random import Random

import pytest
from stopping_lab import chance_of_right

from maker_dsl.engine.beta_search import likeliest_beta
from maker_dsl.engine.step_fit import CountedState, fit_steps
from maker_dsl.engine.step_model import Alike, Spread, StepModel, alike
from maker_dsl.engine.stopping_value import value_of, widest_table
from maker_dsl.engine.theory import TheoryError


def counted(model: StepModel, states: int, seed: int, votes: int = 10) -> list[CountedState]:
    random = Random(seed)
    chances = [chance_of_right(model, random) for _ in range(states)]
    return [CountedState(sum(random.random() < p for _ in range(votes)), votes) for p in chances]


def test_steps_that_are_alike_are_found_to_be() -> None:
    (kind,) = fit_steps(counted(alike(0.9), 400, 1), guarded=False).kinds
    assert isinstance(kind, Alike)
    assert kind.p == pytest.approx(0.9, abs=0.015)


def test_two_kinds_of_steps_are_found() -> None:
    fitted = fit_steps(counted(StepModel((Alike(0.8, 0.98), Alike(0.2, 0.6))), 400, 2), guarded=False)
    hard, easy = sorted((kind for kind in fitted.kinds if isinstance(kind, Alike)), key=lambda kind: kind.p)
    assert (hard.p, easy.p, easy.weight) == pytest.approx((0.6, 0.98, 0.8), abs=0.06)


def test_a_spread_is_found_with_its_mean_and_variance() -> None:
    truth = StepModel((Spread(1.0, 6.0, 2.0),))
    fitted = fit_steps(counted(truth, 800, 3), guarded=False)
    assert any(isinstance(kind, Spread) for kind in fitted.kinds)
    for right in (1, 2):
        assert exp(fitted.log_moment(right, 0)) == pytest.approx(exp(truth.log_moment(right, 0)), abs=0.02)


def test_the_guard_takes_steps_to_be_harder_and_less_so_with_more_states() -> None:
    few, many = counted(alike(0.95), 40, 4), counted(alike(0.95), 1000, 4)
    losses = [fit_steps(states, guarded=False).mean - fit_steps(states).mean for states in (few, many)]
    assert losses[0] > 2 * losses[1] > 0.0


@pytest.mark.parametrize("seed", range(5))
def test_a_rule_from_a_calibration_of_steps_that_are_alike_keeps_the_target(seed: int) -> None:
    rule = widest_table(fit_steps(counted(alike(0.95), 100, seed)), 100, 0.9)
    assert value_of(rule, alike(0.95)).run_success(100) >= 0.9


@pytest.mark.parametrize("seed", range(2))
def test_a_rule_from_a_calibration_of_mixed_steps_that_leaves_half_of_the_budget_to_the_fit_keeps_the_target(
    seed: int,
) -> None:
    truth = StepModel((Alike(0.9, 0.99), Alike(0.1, 0.8)))
    rule = widest_table(fit_steps(counted(truth, 300, seed)), 1000, 0.975, 120)
    assert value_of(rule, truth).run_success(1000) >= 0.95


def test_a_model_that_is_never_wrong_is_not_taken_to_be_infallible() -> None:
    fitted = fit_steps([CountedState(10, 10)] * 30)
    assert 0.9 < fitted.mean < 0.9999


def test_how_often_wrong_votes_agree_limits_the_main_wrong_answer_by_its_root() -> None:
    states = [CountedState(9, 10)] * 20
    assert fit_steps(states).agreement == 1.0
    assert fit_steps(states, 0.25).agreement == pytest.approx(0.5)
    assert 0.0 < fit_steps(states, 0.0).agreement < 0.1


def test_counts_that_cannot_be_are_refused() -> None:
    for states, agreeing in (([], None), ([CountedState(3, 2)], None), ([CountedState(1, 2)], 1.5)):
        with pytest.raises(TheoryError):
            fit_steps(states, agreeing)


def test_the_search_finds_the_likeliest_beta_and_stays_where_it_is_allowed() -> None:
    def peaked(a: float, b: float) -> float:
        return -((a - 30.0) ** 2) - (b - 2.0) ** 2

    assert likeliest_beta(peaked, 1.0, lambda odds, size: True) == pytest.approx((30.0, 2.0), abs=1e-3)
    a, b = likeliest_beta(peaked, 1.0, lambda odds, size: odds <= 2.0)
    assert a / b <= exp(2.0) * (1 + 1e-9)
    along_the_edge = max(peaked(exp(2.0) * x, x) for x in (i / 1000 for i in range(1, 10_000)))
    assert peaked(a, b) == pytest.approx(along_the_edge, abs=0.1)
