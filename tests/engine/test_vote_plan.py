"""The votes of a run: enough by every picture of its steps, held against an exact count over all orders of votes."""

from __future__ import annotations

from random import Random
from time import process_time

import pytest

from maker_dsl.engine import theory
from maker_dsl.engine.calibration_file import Calibration, ShareEstimate, StateTally
from maker_dsl.engine.clusters import share_by_states
from maker_dsl.engine.planning import PlanImpossible
from maker_dsl.engine.step_fit import CountedState, fit_steps
from maker_dsl.engine.step_model import Alike, StepModel, alike
from maker_dsl.engine.stopping import AheadBy
from maker_dsl.engine.stopping_value import value_of
from maker_dsl.engine.theory import TheoryError
from maker_dsl.engine.vote_plan import MOST_SAMPLES, VotePlan, plan_votes

ALL_RIGHT = [10] * 100
UNEVEN = [10] * 90 + [8, 7, 8, 6, 9, 7, 8, 7, 9, 8]


def calibration(
    rights: list[int],
    samples: int = 10,
    *,
    p: tuple[float, float] | None = None,
    passing: tuple[float, float] = (1.0, 1.0),
    systematic: int = 0,
) -> Calibration:
    """A calibration whose states had so many right votes; `p` and `passing`: low end and value."""
    low, value = p or (0.95 * sum(rights) / (samples * len(rights)), sum(rights) / (samples * len(rights)))
    states = tuple(
        StateTally(
            origin="a test",
            task="t",
            step="s",
            state={},
            samples=samples,
            votes=samples,
            right=right,
            systematic=index < systematic,
        )
        for index, right in enumerate(rights)
    )
    return Calibration(
        format=1,
        task="t",
        provider="tested",
        truth="reference",
        p=ShareEstimate(value=value, low=low, high=1.0),
        passing=ShareEstimate(value=passing[1], low=passing[0], high=1.0),
        states=states,
    )


def fitted(rights: list[int], samples: int = 10) -> StepModel:
    return fit_steps([CountedState(right, samples) for right in rights])


def worth(plan: VotePlan, steps: StepModel) -> float:
    """The chance of success by an exact count, with a fixed margin up to 150 votes."""
    rule = plan.table or AheadBy(plan.ahead_by, min(plan.max_samples, 150))
    return value_of(rule, steps).run_success(plan.steps)


@pytest.mark.parametrize("rights", [ALL_RIGHT, UNEVEN])
@pytest.mark.parametrize("adaptive", [False, True])
def test_a_plan_is_enough_by_an_exact_count_in_both_pictures(rights: list[int], adaptive: bool) -> None:
    known = calibration(rights)
    plan = plan_votes(known, 1000, 0.95, adaptive=adaptive)
    assert (plan.table is not None) == adaptive
    average, uneven = worth(plan, alike(known.p.low)), worth(plan, fitted(rights))
    assert average >= 0.95
    assert uneven >= 0.975
    assert plan.success == pytest.approx(min(average, uneven), abs=1e-6)
    assert 0.95 <= plan.success < 1


@pytest.mark.parametrize("rights", [ALL_RIGHT, UNEVEN])
def test_a_smaller_margin_would_not_be_enough(rights: list[int]) -> None:
    known = calibration(rights)
    plan = plan_votes(known, 1000, 0.95)
    smaller = AheadBy(plan.ahead_by - 1, 150)
    assert (
        value_of(smaller, alike(known.p.low)).run_success(1000) < 0.95
        or value_of(smaller, fitted(rights)).run_success(1000) < 0.975
    )


def test_the_votes_of_a_fixed_margin_are_those_of_an_exact_count() -> None:
    plan = plan_votes(calibration(UNEVEN), 1000, 0.95)
    assert plan.votes_per_step == pytest.approx(value_of(AheadBy(plan.ahead_by, 150), fitted(UNEVEN)).votes, abs=1e-6)


@pytest.mark.parametrize("rights", [ALL_RIGHT, UNEVEN, [9] * 100, [8] * 60])
def test_an_adaptive_plan_never_takes_more_votes(rights: list[int]) -> None:
    known = calibration(rights)
    fixed, adaptive = (plan_votes(known, 1000, 0.95, adaptive=each) for each in (False, True))
    assert adaptive.ahead_by == fixed.ahead_by
    assert adaptive.votes_per_step <= fixed.votes_per_step
    if adaptive.table is None:
        assert adaptive == fixed


def test_uneven_states_take_a_larger_margin_than_their_mean() -> None:
    mean = sum(UNEVEN) / 1000
    known = calibration(UNEVEN, p=(mean, mean))
    assert plan_votes(known, 1000, 0.95).ahead_by > theory.smallest_margin(mean, 1000, 0.95)


@pytest.mark.parametrize("adaptive", [False, True])
def test_without_states_all_steps_count_as_alike_at_the_lower_end(adaptive: bool) -> None:
    known = calibration([10]).model_copy(update={"states": (), "p": ShareEstimate(value=0.98, low=0.95, high=0.99)})
    plan = plan_votes(known, 10_000, 0.95, adaptive=adaptive)
    assert plan.ahead_by == theory.smallest_margin(0.95, 10_000, 0.95) == 5
    assert plan.success == pytest.approx(theory.task_success(0.95, 5, 10_000), abs=1e-9)
    assert plan.votes_per_step == pytest.approx(theory.expected_votes(0.95, 5))
    assert plan.table is None


def test_the_margin_grows_with_the_steps_and_with_the_target() -> None:
    known = calibration(UNEVEN)
    by_steps = [plan_votes(known, 10**power, 0.95).ahead_by for power in range(7)]
    by_target = [plan_votes(known, 1000, target).ahead_by for target in (0.1, 0.5, 0.9, 0.99, 0.999)]
    for margins in (by_steps, by_target):
        assert margins == sorted(margins)
        assert margins[0] < margins[-1]


def test_the_limit_of_samples_leaves_next_to_nothing_undecided() -> None:
    known = calibration([8] * 100, passing=(0.5, 0.6))
    plan = plan_votes(known, 1000, 0.95)
    assert plan.passing == 0.5
    assert 60 < plan.max_samples <= MOST_SAMPLES
    everything = plan_votes(known, 1000, 0.95, max_samples=MOST_SAMPLES)
    assert everything.ahead_by == plan.ahead_by
    assert plan.success == pytest.approx(everything.success, abs=0.01 * 0.05)


def test_a_limit_is_kept_and_said_to_be_too_low() -> None:
    known = calibration(ALL_RIGHT)
    assert plan_votes(known, 1000, 0.95, adaptive=True, max_samples=80).max_samples == 80
    with pytest.raises(PlanImpossible, match="at most 7 samples") as refused:
        plan_votes(known, 1000, 0.95, max_samples=7)
    assert "--max-samples" in refused.value.help


def test_a_table_has_no_more_votes_than_samples_surely_pass() -> None:
    plan = plan_votes(calibration(ALL_RIGHT, passing=(0.6, 0.7)), 1000, 0.95, adaptive=True, max_samples=200)
    assert plan.table is not None
    assert 90 < plan.table.maximum < 0.6 * 200


@pytest.mark.parametrize(
    ("known", "why"),
    [
        (calibration([5] * 50, p=(0.4, 0.5)), "voting needs more than one half"),
        (calibration([6] * 50, p=(0.45, 0.6)), "so few were drawn"),
        (calibration([10] * 99 + [1], systematic=1), "a state of 100 most votes are wrong"),
        (calibration([10] * 80 + [4] * 20, p=(0.8, 0.88)), "some steps may have as little"),
        (calibration(ALL_RIGHT, passing=(0.0, 0.1)), "perhaps none"),
    ],
)
@pytest.mark.parametrize("adaptive", [False, True])
def test_a_target_out_of_reach_is_refused_with_what_to_do(known: Calibration, why: str, adaptive: bool) -> None:
    with pytest.raises(PlanImpossible, match=why) as refused:
        plan_votes(known, 1000, 0.95, adaptive=adaptive)
    assert refused.value.help


@pytest.mark.parametrize(("steps", "target"), [(0, 0.95), (10, 0.0), (10, 1.0), (10, float("nan"))])
def test_numbers_out_of_range_are_refused(steps: int, target: float) -> None:
    with pytest.raises(TheoryError):
        plan_votes(calibration(ALL_RIGHT), steps, target)


def test_a_plan_for_a_million_steps_is_quick() -> None:
    random = Random(5)
    known = calibration([sum(random.random() < random.betavariate(40, 2) for _ in range(10)) for _ in range(300)])
    began = process_time()
    plan_votes(known, 1_000_000, 0.95, adaptive=True)
    assert process_time() - began < 5.0


def test_the_same_calibration_makes_the_same_plan() -> None:
    known = calibration(UNEVEN)
    one, other = (plan_votes(known, 1000, 0.95, adaptive=True) for _ in range(2))
    assert one == other


@pytest.mark.parametrize("kinds", [((0.9, 0.99), (0.1, 0.75)), ((0.7, 0.9), (0.3, 0.75)), ((1.0, 0.9),)])
def test_runs_that_calibrations_plan_meet_the_target_in_the_mean(kinds: tuple[tuple[float, float], ...]) -> None:
    random = Random(11)
    truth = StepModel(tuple(Alike(weight, p) for weight, p in kinds))
    chances: list[float] = []
    by_margin: dict[int, float] = {}
    for _ in range(24):
        drawn = random.choices([p for _, p in kinds], [weight for weight, _ in kinds], k=100)
        rights = [sum(random.random() < p for _ in range(10)) for p in drawn]
        share = share_by_states(rights, [10] * 100)
        try:
            plan = plan_votes(calibration(rights, p=(share.low, share.value)), 1000, 0.95)
        except PlanImpossible:
            continue
        if plan.ahead_by not in by_margin:
            by_margin[plan.ahead_by] = value_of(AheadBy(plan.ahead_by, 120), truth).run_success(1000)
        chances.append(by_margin[plan.ahead_by])
    assert len(chances) >= 20
    assert sum(chances) / len(chances) >= 0.95
