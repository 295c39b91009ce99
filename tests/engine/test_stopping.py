"""The adaptive stopping rule: its chances by enumeration, its guarantee on easy, mixed, hard and correlated steps."""

from math import exp
from random import Random

import pytest
from stopping_lab import chance_of_right, enumerated_chance_wrong, vote_once

from maker_dsl.engine import theory
from maker_dsl.engine.step_model import Alike, Spread, StepModel, alike
from maker_dsl.engine.stopping import AheadBy, chance_wrong, error_share, stopping_table
from maker_dsl.engine.stopping_value import RuleValue, smallest_fixed_margin, value_of, widest_table
from maker_dsl.engine.theory import TheoryError

STEPS, TARGET, MOST = 1000, 0.95, 120
UNIFORM = {p: alike(p) for p in (0.99, 0.9, 0.8, 0.75)}
MIXED = {
    "easy and hard": StepModel((Alike(0.9, 0.99), Alike(0.1, 0.8))),
    "rarely hard": StepModel((Alike(0.95, 0.999), Alike(0.05, 0.75))),
    "spread": StepModel((Spread(1.0, 40.0, 2.0),)),
}
HARD = {
    "hard": StepModel((Alike(0.7, 0.9), Alike(0.3, 0.75))),
    "correlated": StepModel((Spread(1.0, 30.7, 1.6),)),
    "half agree": StepModel((Alike(0.9, 0.99), Alike(0.1, 0.75)), 0.5),
}
MODELS = {**{str(p): model for p, model in UNIFORM.items()}, **MIXED, **HARD}
TWO_KINDS = (Alike(0.3, 0.6), Spread(0.7, 8.0, 2.0))


@pytest.mark.parametrize("agreement", [0.2, 0.7, 1.0])
@pytest.mark.parametrize("votes", [2, 3, 5, 8])
def test_the_chance_that_the_leader_is_wrong_is_that_of_all_sequences(votes: int, agreement: float) -> None:
    model = StepModel(TWO_KINDS, agreement)
    enumerated = enumerated_chance_wrong(model, votes)
    assert enumerated
    for counts, chance in enumerated.items():
        assert chance_wrong(model, *counts) == pytest.approx(chance, abs=1e-12, rel=1e-9)


@pytest.mark.parametrize(("right", "wrong"), [(0, 0), (1, 0), (7, 2), (0, 9), (30, 4)])
def test_a_moment_is_the_integral_over_p(right: int, wrong: int) -> None:
    a, b, pieces = 4.0, 3.0, 20_000
    middles = [(place + 0.5) / pieces for place in range(pieces)]
    norm = sum(p ** (a - 1) * (1 - p) ** (b - 1) for p in middles)
    moment = sum(p ** (a - 1 + right) * (1 - p) ** (b - 1 + wrong) for p in middles) / norm
    assert exp(StepModel((Spread(1.0, a, b),)).log_moment(right, wrong)) == pytest.approx(moment, abs=1e-9)


@pytest.mark.parametrize("counts", [(2, 0, 0), (3, 1, 0), (5, 1, 2), (6, 3, 2)])
def test_wrong_votes_that_agree_more_make_the_leader_less_certain(counts: tuple[int, int, int]) -> None:
    chances = [chance_wrong(StepModel(TWO_KINDS, agreement), *counts) for agreement in (0.1, 0.4, 0.8, 0.99999, 1.0)]
    assert chances == sorted(chances)
    assert chances[-1] == pytest.approx(chances[-2], rel=1e-3)


@pytest.mark.parametrize(("p", "margin"), [(0.99, 3), (0.9, 5), (0.75, 4)])
def test_a_fixed_margin_is_worth_what_the_formulas_say(p: float, margin: int) -> None:
    value = value_of(AheadBy(margin, 400), alike(p))
    assert value.wrong == pytest.approx(theory.step_error(p, margin), rel=1e-9)
    assert value.votes == pytest.approx(theory.expected_votes(p, margin), rel=1e-9)
    assert value.right + value.wrong + value.undecided == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("p", UNIFORM)
def test_on_steps_that_are_alike_the_rule_is_the_fixed_margin(p: float) -> None:
    table, fixed = widest_table(alike(p), STEPS, TARGET, MOST), smallest_fixed_margin(alike(p), STEPS, TARGET, MOST)
    assert value_of(table, alike(p)) == value_of(fixed, alike(p))


@pytest.mark.parametrize("name", MODELS)
def test_a_constant_bound_keeps_wrong_decisions_within_it(name: str) -> None:
    for bound in (1e-2, 1e-3, error_share(STEPS, TARGET)):
        assert 0.0 < value_of(stopping_table(MODELS[name], bound, 60), MODELS[name]).wrong <= bound


@pytest.mark.parametrize("name", MODELS)
def test_whole_runs_meet_the_target_with_hardly_more_votes_than_a_fixed_margin(name: str) -> None:
    model = MODELS[name]
    value = value_of(widest_table(model, STEPS, TARGET, MOST), model)
    fixed = value_of(smallest_fixed_margin(model, STEPS, TARGET, MOST), model)
    assert value.run_success(STEPS) >= TARGET
    assert value.votes <= 1.03 * fixed.votes
    if name in MIXED:
        assert value.votes < 0.9 * fixed.votes


@pytest.mark.parametrize("name", ["easy and hard", "spread", "half agree"])
def test_steps_drawn_at_random_end_as_computed(name: str) -> None:
    model, random, number = MODELS[name], Random(5), 40_000
    table = stopping_table(model, 0.01, 60)
    value = value_of(table, model)
    ends = [vote_once(table, chance_of_right(model, random), model.agreement, random) for _ in range(number)]
    for end, chance in (("wrong", value.wrong), ("undecided", value.undecided)):
        seen = sum(one == end for one, _ in ends)
        assert abs(seen - number * chance) <= 4.5 * (number * chance) ** 0.5 + 1
    assert sum(votes for _, votes in ends) / number == pytest.approx(value.votes, rel=0.02)


def test_whole_runs_drawn_at_random_meet_the_target() -> None:
    model, random, runs, steps = MODELS["easy and hard"], Random(7), 1000, 20
    table = widest_table(model, steps, TARGET, 60)
    succeeded = sum(
        all(vote_once(table, chance_of_right(model, random), 1.0, random)[0] == "right" for _ in range(steps))
        for _ in range(runs)
    )
    exact = value_of(table, model).run_success(steps)
    assert exact >= TARGET
    assert abs(succeeded / runs - exact) <= 4.0 * (exact * (1 - exact) / runs) ** 0.5


@pytest.mark.parametrize("actual", [0.05, 0.3, 0.5])
def test_wrong_votes_that_agree_up_to_the_stated_limit_keep_the_target(actual: float) -> None:
    stated = HARD["half agree"]
    table = widest_table(stated, STEPS, TARGET, MOST)
    assert value_of(table, StepModel(stated.kinds, actual)).run_success(STEPS) >= TARGET


def test_wrong_votes_that_agree_beyond_the_stated_limit_miss_it() -> None:
    stated = HARD["half agree"]
    table = widest_table(stated, STEPS, TARGET, MOST)
    assert value_of(table, StepModel(stated.kinds, 1.0)).run_success(STEPS) < TARGET


def test_a_unanimous_step_stops_before_a_contested_one() -> None:
    table = widest_table(MODELS["easy and hard"], STEPS, TARGET, MOST)
    unanimous = next(votes for votes in range(2, MOST) if table.stops(votes, 0, 0))
    contested = next(votes for votes in range(4, MOST) if table.stops(votes, 3, 0))
    assert contested - 3 > unanimous


def test_two_votes_agree_even_if_the_model_is_sure_after_one() -> None:
    table = stopping_table(alike(0.999999), 0.01)
    assert not table.stops(1, 0, 0)
    assert table.stops(2, 0, 0)
    assert not table.stops(2, 2, 0)


def test_the_same_numbers_give_the_same_table() -> None:
    first, second = (widest_table(StepModel((Spread(1.0, 40.0, 2.0),)), 100, 0.9, 40) for _ in range(2))
    assert first == second


def test_steps_more_often_wrong_than_right_are_refused() -> None:
    model = StepModel((Alike(0.99, 0.99), Alike(0.01, 0.3)))
    with pytest.raises(TheoryError, match=r"no stopping rule reaches 0\.95 for 1000 such steps"):
        widest_table(model, STEPS, TARGET, 60)
    with pytest.raises(TheoryError, match="no margin reaches"):
        smallest_fixed_margin(model, 10, TARGET, 12)


@pytest.mark.parametrize("kinds", [(), (Alike(0.5, 0.9),), (Alike(1.0, 1.0),), (Spread(1.0, 0.0, 2.0),)])
def test_numbers_that_are_no_distribution_are_refused(kinds: tuple[Alike | Spread, ...]) -> None:
    with pytest.raises(TheoryError):
        StepModel(kinds)


@pytest.mark.parametrize("counts", [(1, 0, 0), (2, 2, 0), (3, 0, 1), (1, 2, 0)])
def test_no_chance_is_given_without_a_leader(counts: tuple[int, int, int]) -> None:
    with pytest.raises(TheoryError, match="no leader"):
        chance_wrong(alike(0.9), *counts)


def test_the_share_of_each_step_comes_to_the_target_over_the_run() -> None:
    value = RuleValue(1.0 - error_share(10**6, 0.95), error_share(10**6, 0.95), 0.0, 3.0)
    assert value.run_success(10**6) == pytest.approx(0.95, rel=1e-9)
    for steps, target in ((0, 0.5), (5, 1.0), (5, 0.0)):
        with pytest.raises(TheoryError):
            error_share(steps, target)
    with pytest.raises(TheoryError, match="bound"):
        stopping_table(alike(0.9), 0.5)
