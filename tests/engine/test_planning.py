"""The figures of a plan against brute force: the Markov chain of the whole vote, and all sequences of samples."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from pathlib import Path

import pytest

from maker_dsl.engine import theory
from maker_dsl.engine.calibration_file import (
    Calibration,
    CalibrationUnreadable,
    calibration_text,
    read_calibration,
)
from maker_dsl.engine.planning import Model, PlanImpossible, make_plan, make_row, model_of
from maker_dsl.engine.theory import TheoryError
from maker_dsl.engine.vote_chain import MOST_ROUNDS_MARGIN, expected_rounds, vote_lengths

CASES = [(p, k, v) for p in (0.51, 0.6, 0.9, 0.9978, 1.0) for k in (1, 2, 3, 5) for v in (1.0, 0.7)]


class Chain:
    """The vote as it is counted: a state for every pair of votes, right and wrong; exact, and cut off far out.

    Shares nothing with the package: no lead, no formula, only who has how many votes after each sample.
    """

    def __init__(self, p: float, k: int, v: float, samples: int) -> None:
        right, passes = Fraction(p).limit_denominator(10**6), Fraction(v).limit_denominator(10**6)
        up, down, stay = float(passes * right), float(passes * (1 - right)), float(1 - passes)
        live: dict[tuple[int, int], float] = {(0, 0): 1.0}
        self.right: list[float] = []
        self.wrong: list[float] = []
        self.votes = 0.0
        for _ in range(samples):
            after: dict[tuple[int, int], float] = {}
            won = lost = 0.0
            for (a, b), chance in live.items():
                for new, share in (((a + 1, b), up), ((a, b + 1), down), ((a, b), stay)):
                    if not share:
                        continue
                    if new[0] - new[1] == k:
                        won += chance * share
                        self.votes += chance * share * sum(new)
                    elif new[1] - new[0] == k:
                        lost += chance * share
                        self.votes += chance * share * sum(new)
                    else:
                        after[new] = after.get(new, 0.0) + chance * share
            self.right.append(won)
            self.wrong.append(lost)
            live = {state: chance for state, chance in after.items() if chance > 1e-18}
        self.undecided = sum(live.values())


@pytest.mark.parametrize(("p", "k", "v"), [case for case in CASES if case[1] <= 3])
def test_the_closed_formulas_are_those_of_the_chain(p: float, k: int, v: float) -> None:
    chain = Chain(p, k, v, 420)
    assert chain.undecided < 1e-9
    assert theory.step_success(p, k) == pytest.approx(sum(chain.right), abs=1e-9)
    assert theory.step_error(p, k) == pytest.approx(sum(chain.wrong), abs=1e-9)
    assert theory.expected_votes(p, k) == pytest.approx(chain.votes, abs=1e-9)
    samples = sum(n * (r + w) for n, (r, w) in enumerate(zip(chain.right, chain.wrong, strict=True), 1))
    assert make_row(Model("m", p, p, v), 1, k).samples_per_step == pytest.approx(samples, abs=1e-9)


@pytest.mark.parametrize(("p", "k", "v"), CASES)
def test_the_distribution_of_a_vote_is_that_of_the_chain(p: float, k: int, v: float) -> None:
    chain, lengths = Chain(p, k, v, 60), vote_lengths(p, k, 60, passing=v)
    assert lengths.right == pytest.approx(chain.right, abs=1e-12)
    assert lengths.wrong == pytest.approx(chain.wrong, abs=1e-12)
    assert lengths.undecided == pytest.approx(chain.undecided, abs=1e-9)


@pytest.mark.parametrize("p", [0.3, 0.5, 0.8])
def test_a_cap_leaves_what_no_sequence_of_samples_decides(p: float) -> None:
    k, v, cap = 2, 0.75, 7
    undecided = right = 0.0
    for outcomes in product((1, -1, 0), repeat=cap):
        chance, lead, decided = 1.0, 0, 0
        for outcome in outcomes:
            chance *= {1: v * p, -1: v * (1 - p), 0: 1 - v}[outcome]
            lead += 0 if decided else outcome
            decided = decided or (lead // k if abs(lead) == k else 0)
        undecided += 0 if decided else chance
        right += chance if decided == 1 else 0
    lengths = vote_lengths(p, k, cap, passing=v)
    assert lengths.undecided == pytest.approx(undecided, abs=1e-12)
    assert sum(lengths.right) == pytest.approx(right, abs=1e-12)


@pytest.mark.parametrize(("p", "k", "v"), CASES)
def test_one_call_at_a_time_takes_a_round_for_every_sample(p: float, k: int, v: float) -> None:
    votes = theory.expected_votes(p, k)
    assert expected_rounds(p, k, 1, passing=v) == pytest.approx(votes / v, rel=1e-9)


def test_rounds_side_by_side_are_those_of_a_walk_round_by_round() -> None:
    p, k, v, places = 0.8, 3, 0.9, 2
    live, rounds = {0: 1.0}, 0.0
    for _ in range(400):
        rounds += sum(live.values())
        after: dict[int, float] = {}
        for lead, chance in live.items():
            for outcomes in product((1, -1, 0), repeat=min(places, k - abs(lead))):
                share = chance
                for outcome in outcomes:
                    share *= {1: v * p, -1: v * (1 - p), 0: 1 - v}[outcome]
                new = lead + sum(outcomes)
                if abs(new) < k:
                    after[new] = after.get(new, 0.0) + share
        live = after
    assert expected_rounds(p, k, places, passing=v) == pytest.approx(rounds, abs=1e-9)


def test_more_places_than_a_step_can_use_change_nothing() -> None:
    assert expected_rounds(1.0, 3, 3) == pytest.approx(1.0)
    assert expected_rounds(0.9, 3, 3) == pytest.approx(expected_rounds(0.9, 3, 50))
    assert expected_rounds(0.9, MOST_ROUNDS_MARGIN + 1, 1) == pytest.approx(
        theory.expected_votes(0.9, MOST_ROUNDS_MARGIN + 1)
    )


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: vote_lengths(1.1, 3, 10),
        lambda: vote_lengths(0.9, 0, 10),
        lambda: vote_lengths(0.9, 3, 0),
        lambda: vote_lengths(0.9, 3, 10, passing=0),
        lambda: expected_rounds(0.9, 3, 0),
    ],
)
def test_numbers_out_of_their_range_are_refused(wrong: object) -> None:
    with pytest.raises(TheoryError):
        wrong()  # type: ignore[operator]


def test_the_headline_run_is_planned_with_its_margin() -> None:
    # 20 disks, and about one wrong reply in 450: the paper's run was ahead by 3.
    plan = make_plan(Model("mini", 0.9978, 0.9978), 2**20 - 1, 0.95)
    assert plan.chosen.margin == 3
    assert plan.chosen.success >= 0.95
    assert [row.margin for row in plan.rows] == [1, 2, 3, 4, 5]
    assert plan.rows[1].success < 0.95


def test_a_plan_counts_on_the_lower_bound_and_shows_what_was_measured() -> None:
    cautious = make_plan(Model("m", 0.99, 0.9), 1000, 0.95)
    bold = make_plan(Model("m", 0.99, 0.99), 1000, 0.95)
    assert cautious.chosen.margin > bold.chosen.margin
    assert cautious.chosen.success_as_measured == theory.task_success(0.99, cautious.chosen.margin, 1000)
    assert cautious.chosen.success < (cautious.chosen.success_as_measured or 0)


def test_costs_tokens_and_time_follow_from_the_calls() -> None:
    row = make_row(Model("m", 0.95, 0.95, 0.8, 100, 20, 0.0003, 2.0), 500, 3, concurrency=1)
    calls = 500 * theory.expected_votes(0.95, 3) / 0.8
    assert row.calls == pytest.approx(calls)
    assert row.tokens_in == pytest.approx(100 * calls)
    assert row.tokens_out == pytest.approx(20 * calls)
    assert row.cost_usd == pytest.approx(0.0003 * calls)
    assert row.seconds == pytest.approx(2.0 * calls)


def test_a_model_that_is_never_wrong_needs_a_lead_of_one() -> None:
    plan = make_plan(Model("m", 1.0, 1.0), 1, 0.999999)
    assert (plan.chosen.margin, plan.chosen.success, plan.chosen.calls) == (1, 1.0, 1.0)


@pytest.mark.parametrize(
    ("p", "low", "why"), [(0.5, 0.5, "no margin helps"), (0.6, 0.4, "so few"), (0.50001, 0.50001, "too near")]
)
def test_where_voting_can_t_do_it_the_plan_says_so(p: float, low: float, why: str) -> None:
    with pytest.raises(PlanImpossible, match=why):
        make_plan(Model("m", p, low), 10**6, 0.95)


def calibration(**changes: object) -> Calibration:
    share = {"value": 0.9, "low": 0.8, "high": 0.95}
    amount = {"value": 100.0, "low": 90.0, "high": 110.0}
    given: dict[str, object] = {
        "format": 1,
        "task": "countdown",
        "provider": "p",
        "truth": "reference",
        "p": share,
        "passing": share,
        "tokens_in": amount,
        "tokens_out": amount,
        "price_in": 1.0,
        "price_out": 2.0,
    }
    return Calibration.model_validate({**given, **changes})


def test_a_calibration_comes_back_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_text(calibration_text(calibration()))
    assert read_calibration(path) == calibration()
    model = model_of("m", read_calibration(path), price_in=3.0)
    assert model.p_low == 0.8
    assert model.cost_usd == pytest.approx((100 * 3 + 100 * 2) / 1e6)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "Invalid JSON"),
        ("[]", "object"),
        ("{}", "Field required"),
        ('{"format": 2}', "Field required"),
        (calibration_text(calibration(format=2)), "formats 1 to 1"),
        (calibration_text(calibration()).replace('"low": 0.8', '"low": 0.99', 1), "between"),
        (calibration_text(calibration()).replace('"high": 0.95', '"high": 1.5', 1), "between 0 and 1"),
        (calibration_text(calibration()).replace('"value": 0.9,', '"value": NaN,', 1), "finite"),
    ],
)
def test_a_file_that_is_no_calibration_is_refused(text: str, why: str, tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_text(text)
    with pytest.raises(CalibrationUnreadable, match=why):
        read_calibration(path)


@pytest.mark.parametrize(("p", "k", "v", "cap"), [(0.9, 3, 1.0, 5), (0.6, 2, 0.8, 20), (0.99, 3, 1.0, 10)])
def test_the_chance_to_stop_undecided_is_that_of_the_chain(p: float, k: int, v: float, cap: int) -> None:
    row = make_row(Model("m", p, p, v), 1000, k, max_samples=cap)
    assert row.undecided == pytest.approx(1 - (1 - Chain(p, k, v, cap).undecided) ** 1000, abs=1e-9)


def test_a_margin_above_the_limit_never_decides() -> None:
    assert make_row(Model("m", 0.9, 0.9), 10, 7, max_samples=6).undecided == 1.0
    assert make_row(Model("m", 0.9, 0.9), 10, 7, max_samples=7).undecided < 1.0


def test_the_method_s_remark_on_the_limit_of_ten_is_true() -> None:
    # docs/method.md: with p = 0.99 and k = 3 a limit of 10 would stop more than half of all million-step runs.
    model = Model("m", 0.99, 0.99)
    assert make_row(model, 10**6, 3, max_samples=10).undecided > 0.5
    assert make_row(model, 10**6, 3, max_samples=60).undecided < 1e-9
