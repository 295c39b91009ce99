"""The odds of a report: estimates from a run's own votes, held against votes of which the truth is known."""

from __future__ import annotations

from itertools import product
from random import Random

import pytest

from maker_dsl.engine.odds import KindOdds, Odds, VoteCount, odds_of, undecided_by_theory
from maker_dsl.engine.theory import task_success
from maker_dsl.engine.uneven import chance_all_right
from maker_dsl.reporting.bins import MOST_BINS, Sizes, Stretch, Stretches


def votes(mixture: list[float], steps: int, margin: int, rng: Random) -> tuple[VoteCount, int]:
    """Steps decided by votes, each p drawn from the mixture; and how many were decided wrongly."""
    count, wrong = VoteCount("task", "step", margin), 0
    for _ in range(steps):
        p, lead, drawn = rng.choice(mixture), 0, 0
        while abs(lead) < margin:
            drawn += 1
            lead += 1 if rng.random() < p else -1
        wrong += lead < 0
        count.add(drawn, (drawn - margin) // 2, drawn, 0)
    return count, wrong


def trials(mixture: list[float], steps: int, number: int = 150) -> tuple[float, list[Odds]]:
    """How often all steps of a run were right, and what the odds of each run said."""
    rng = Random(7)
    found = [votes(mixture, steps, 3, rng) for _ in range(number)]
    return sum(wrong == 0 for _, wrong in found) / number, [odds_of([count]) for count, _ in found]


def mean(numbers: list[float]) -> float:
    return sum(numbers) / len(numbers)


def test_the_interval_of_p_covers_the_truth() -> None:
    _, found = trials([0.9], 200, 300)
    covered = sum(odds.kinds[0].p_low <= 0.9 <= odds.kinds[0].p_high for odds in found)
    assert covered >= 0.92 * len(found)


def test_steps_that_are_alike_have_the_chance_of_the_formula() -> None:
    truth, found = trials([0.9], 200)
    assert mean([odds.chance or 0 for odds in found]) == pytest.approx(task_success(0.9, 3, 200), abs=0.05)
    assert mean([odds.chance_uneven or 0 for odds in found]) == pytest.approx(truth, abs=0.12)


@pytest.mark.parametrize(("mixture", "steps"), [([0.99] * 9 + [0.7], 300), ([0.999] * 99 + [0.6], 1_000)])
def test_a_few_hard_steps_are_not_hidden_by_many_easy_ones(mixture: list[float], steps: int) -> None:
    truth, found = trials(mixture, steps, 80)
    assert truth < 0.3
    assert mean([odds.chance or 0 for odds in found]) > 0.85, "the estimate for equal steps flatters"
    assert mean([odds.chance_uneven or 0 for odds in found]) < 0.35


def test_a_short_run_is_not_taken_for_a_hopeless_one() -> None:
    truth, found = trials([0.82], 40)
    assert mean([odds.chance_uneven or 0 for odds in found]) == pytest.approx(truth, abs=0.1)
    assert min(odds.chance_uneven or 0 for odds in found) > 0.001


def test_votes_that_differ_from_step_to_step_widen_the_interval() -> None:
    alike, _ = votes([0.9], 400, 3, Random(1))
    mixed, _ = votes([0.999, 0.999, 0.999, 0.65], 400, 3, Random(1))
    assert alike.spread() < 1.5 < mixed.spread()


def test_without_a_lost_vote_the_lower_end_says_how_little_is_known() -> None:
    count = VoteCount("task", "step", 3)
    for _ in range(50):
        count.add(3, 0, 3, 0)
    odds = odds_of([count])
    assert odds.chance == 1.0
    assert 0.9 < (odds.chance_low or 0) < 1.0
    assert odds.kinds[0].p_low < 0.98


def test_where_votes_are_lost_as_often_as_won_nothing_is_claimed() -> None:
    count = VoteCount("task", "step", 1)
    count.add(5, 3, 5, 0)
    odds = odds_of([count])
    assert (odds.chance, odds.kinds[0].step_error) == (None, None)


def test_without_votes_there_are_no_odds() -> None:
    assert odds_of([]) == Odds(None, None, None, None, ())
    assert odds_of([VoteCount("task", "step", 3)]).kinds == ()
    assert chance_all_right({}) is None


@pytest.mark.parametrize("margin", [1, 2, 3])
def test_the_steps_that_theory_leaves_undecided_are_those_of_all_sequences(margin: int) -> None:
    p, rounds = 0.8, 7
    kind = KindOdds("t", "s", margin, 1_000, 0, 0, 0, 0, 0, p, p, p, None)
    for number, left in enumerate(undecided_by_theory([kind], rounds)):
        chance = 0.0
        for sequence in product((1, -1), repeat=number):
            leads = [sum(sequence[:end]) for end in range(number + 1)]
            if all(abs(lead) < margin for lead in leads):
                chance += p ** sequence.count(1) * (1 - p) ** sequence.count(-1)
        assert left == pytest.approx(1_000 * chance, abs=1e-9)


def test_stretches_stay_few_and_lose_nothing() -> None:
    stretches = Stretches()
    for step in range(1, 12_346):
        stretches.add(Stretch(step, step, samples=3, flags=step % 2, cost_usd=0.5))
    assert MOST_BINS / 2 <= len(stretches.each) <= MOST_BINS
    assert sum(one.samples for one in stretches.each) == 3 * 12_345
    assert sum(one.flags for one in stretches.each) == 6_173
    assert [one.first for one in stretches.each[1:]] == [one.last + 1 for one in stretches.each[:-1]]
    assert (stretches.each[0].first, stretches.each[-1].last) == (1, 12_345)


def test_quantiles_lie_within_a_count_of_the_true_ones() -> None:
    rng, sizes = Random(3), Sizes()
    drawn = sorted(rng.lognormvariate(0.0, 1.0) for _ in range(5_000))
    for size in drawn:
        sizes.add(size)
    for share in (0.5, 0.9, 0.99):
        truth = drawn[int(share * len(drawn)) - 1]
        assert truth <= sizes.quantile(share) <= truth * 10**0.2 * 1.0001
    assert sizes.quantile(1.0) == sizes.largest == drawn[-1]
    assert sum(count.number for count in sizes.counts()) == 5_000
    assert Sizes().quantile(0.5) == 0.0
