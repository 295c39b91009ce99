"""Calibrations: which states are asked, how samples are tallied, what they are worth."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from engine_lab import countdown, right
from task_lab import follow_reference

from maker_dsl.diagnostics import Source
from maker_dsl.engine.calibration import BATCH, Answer, Calibrator, StateResult
from maker_dsl.engine.calibration_file import Calibration
from maker_dsl.engine.calibration_summary import (
    FEWEST_STATES,
    About,
    agreement_of_errors,
    is_narrow,
    summarize,
    systematic_states,
)
from maker_dsl.engine.examination import examination_budget
from maker_dsl.engine.settings import RunOptions
from maker_dsl.engine.start import ProviderSetup
from maker_dsl.engine.trajectory import Chosen, choose_from_reference
from maker_dsl.language import check_text, load
from maker_dsl.providers.clock import SystemClock
from maker_dsl.providers.port import PermanentError, Price, Request
from maker_dsl.providers.scripted import Answer as Scripted
from maker_dsl.providers.scripted import ScriptedProvider
from maker_dsl.simulation.provider import SimulatedProvider
from maker_dsl.simulation.rates import Rates
from maker_dsl.task import Step, Task

ABOUT = About("t", "p", "a test")


def bundled(name: str, **inputs: object) -> Task:
    program = load(name).program
    assert program is not None
    return program.bind(inputs)


def states(*numbers: int, task: Task | None = None) -> list[Chosen]:
    task = task or countdown(start=max(numbers))
    found = []
    for number in numbers:
        step = task.next_step({"n": number})
        assert isinstance(step, Step)
        found.append(Chosen(task, step, {"n": number}, f"n = {number}"))
    return found


def calibrator(
    provider: Any, chosen: list[Chosen], samples: int = 4, max_cost_usd: float | None = None, **facts: Any
) -> Calibrator:
    setup = ProviderSetup(provider, options=RunOptions(max_tokens=200))
    options = RunOptions(max_cost_usd=max_cost_usd)
    budget = examination_budget(max_cost_usd)

    async def go() -> Calibrator:
        made = Calibrator(chosen, setup, samples, options, budget, SystemClock(), Random(1), **facts)
        await made.examine()
        return made

    return asyncio.run(go())


def scripted(script: Callable[[Request], Any], **facts: Any) -> ScriptedProvider:
    return ScriptedProvider(script, **facts)


def summary(made: Calibrator) -> Calibration:
    found = summarize(made.results, made.metered.by_state, ABOUT)
    assert found is not None
    return found


def without_reference(chosen: list[Chosen]) -> list[Chosen]:
    return [replace(one, step=replace(one.step, reference=None)) for one in chosen]


# States ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "inputs"), [("countdown", {}), ("hanoi", {"disks": 4}), ("multiply", {})])
def test_all_steps_of_the_way_are_chosen_where_all_are_wanted(name: str, inputs: dict[str, object]) -> None:
    task = bundled(name, **inputs)
    sample = choose_from_reference(task, 10_000, Random(1))
    assert sample.why is None
    assert sample.steps == len(sample.chosen) > 1
    if not task.run_steps:
        way = follow_reference(task)
        found = [one.state for one in sample.chosen]
        assert len(found) == len(way) - 1
        assert all(state in found for state in way[:-1])


def test_steps_of_sub_runs_are_among_the_states() -> None:
    sample = choose_from_reference(bundled("multiply"), 10_000, Random(1))
    depths = {one.origin.count(",") for one in sample.chosen}
    assert len(depths) > 1
    assert all(one.task.next_step(one.state) is one.step for one in sample.chosen)


def test_every_step_is_as_likely_as_any_other() -> None:
    task, random = bundled("countdown", start=10), Random(5)
    seen: Counter[int] = Counter()
    for _ in range(2000):
        seen.update(one.state["n"] for one in choose_from_reference(task, 3, random).chosen)
    assert seen.total() == 6000
    # Each is chosen 600 times in the mean, with a deviation of about 20.
    assert all(500 < seen[n] < 700 for n in range(1, 11))


def test_each_beginning_of_the_order_is_random_too() -> None:
    task, random = bundled("countdown", start=10), Random(5)
    first = Counter(choose_from_reference(task, 5, random).chosen[0].state["n"] for _ in range(1000))
    assert all(55 < first[n] < 155 for n in range(1, 11))


def test_a_reference_that_goes_nowhere_is_not_followed_for_ever() -> None:
    text = """
task stuck {
  state { n: int = 3 }
  done when n == 0
  step {
    prompt "{{ n }} {{ reply.format }}"
    reply "next = {value: int}"
    update { n = reply.value }
  }
  reference { value = n - 1 if n > 2 else n }
}
"""
    program = check_text(Source("stuck.maker", text)).program
    assert program is not None
    sample = choose_from_reference(program.bind({}), 10, Random(1))
    assert sample.steps is None
    assert "leaves the state as it is" in (sample.why or "")


# Samples -----------------------------------------------------------------------------------------------------------


def test_votes_are_held_against_the_reference() -> None:
    task = bundled("hanoi", disks=4)
    chosen = list(choose_from_reference(task, 10, Random(2)).chosen)
    made = calibrator(SimulatedProvider(task, Rates(wrong=0.3, malformed=0.1), 4), chosen, 20)
    found = summary(made)
    assert found.truth == "reference"
    assert 0.5 < found.p.value < 0.9
    assert found.p.low < 0.7 < found.p.high
    assert sum(flag.raised for flag in found.flags.values()) == 200 - sum(state.votes for state in found.states)
    for state in found.states:
        assert sum(answer.votes for answer in state.answers) == state.votes
        assert [answer.votes for answer in state.answers if answer.right] in ([state.right], [])


def test_a_state_whose_wrong_answers_win_is_systematic() -> None:
    wrong_at_3 = scripted(lambda request: "next = 1" if request.question.state["n"] == 3 else right(request))
    found = summary(calibrator(wrong_at_3, states(*range(1, 11), task=countdown(start=10)), 8))
    assert [state.state["n"] for state in found.systematic] == [3]
    bad = found.systematic[0]
    assert (bad.right, bad.votes) == (0, 8)
    assert [(answer.value, answer.votes, answer.right) for answer in bad.answers] == [("next = 1", 8, False)]
    assert found.errors_agree == 1.0


def test_chance_makes_no_state_systematic() -> None:
    random, alarms = Random(11), 0
    for _ in range(500):
        rights = [sum(random.random() < 0.85 for _ in range(4)) for _ in range(30)]
        alarms += any(systematic_states(rights, [4] * 30))
    assert alarms <= 0.05 * 500 + 10


def test_a_model_that_is_wrong_everywhere_is_found_out() -> None:
    assert all(systematic_states([1] * 10, [20] * 10))
    assert not any(systematic_states([19] * 10, [20] * 10))
    assert systematic_states([10] * 9 + [0], [10] * 10) == [False] * 9 + [True]


def test_without_a_reference_agreement_counts() -> None:
    answers = iter(["next = 4", "next = 4", "next = 2", "next = 4"] * 3)
    made = calibrator(scripted(lambda _request: next(answers)), without_reference(states(5, 6, 7)), 4)
    found = summary(made)
    assert found.truth == "agreement"
    assert found.p.value == 0.75
    assert all(flag.hit_right is None for flag in found.flags.values())


def test_a_flag_that_hit_a_right_answer_is_counted() -> None:
    def script(request: Request) -> Any:
        text = right(request)
        slot = request.draws[0].slot
        if slot == 0:
            return "no reply at all"
        return Scripted((text,), finish="length") if slot == 1 else text

    found = summary(calibrator(scripted(script), states(5, 6, 7)))
    assert found.flags["truncated"].hit_right == 3
    assert found.flags["truncated"].raised == 3
    others = [flag for name, flag in found.flags.items() if name != "truncated"]
    assert [(flag.raised, flag.hit_right) for flag in others] == [(3, 0)]
    assert found.passing.value == 0.5
    assert found.p.value == 1.0


def test_what_samples_take_is_metered_by_state() -> None:
    made = calibrator(scripted(right, price=Price(1.0, 2.0)), states(5, 600), 4)
    found = summary(made)
    spending = made.so_far().spending
    assert found.tokens_in is not None
    assert found.tokens_out is not None
    assert found.cost_usd is not None
    assert found.tokens_in.value * 8 == pytest.approx(spending.input_tokens)
    assert found.tokens_out.value * 8 == pytest.approx(spending.output_tokens)
    assert found.cost_usd.value * 8 == pytest.approx(spending.known_usd)


def test_what_nobody_priced_has_no_cost() -> None:
    assert summary(calibrator(scripted(right), states(5, 6))).cost_usd is None


def test_the_limit_on_money_holds_and_what_was_drawn_counts() -> None:
    made = calibrator(scripted(right, price=Price(1e4, 1e4)), states(*range(1, 31)), 4, max_cost_usd=9.0)
    assert made.so_far().limit is not None
    assert made.so_far().spending.known_usd <= 9.0
    asked = [one for one in made.results if one.samples]
    assert 0 < len(asked) < 30
    assert len(summary(made).states) == len(asked)


def test_a_provider_that_fails_leaves_what_was_drawn() -> None:
    calls = iter(range(1000))

    def script(request: Request) -> Any:
        return right(request) if next(calls) < 10 else PermanentError("no such key", kind="bad_key")

    made = calibrator(scripted(script, answers_at_once=True), states(*range(1, 11)))
    assert isinstance(made.so_far().error, PermanentError)
    assert sum(one.samples for one in made.results) == 10


def test_without_a_vote_there_is_nothing_to_say() -> None:
    made = calibrator(scripted(lambda _request: "hm"), states(5, 6))
    assert summarize(made.results, made.metered.by_state, ABOUT) is None


# Enough ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at_once", [True, False])
def test_it_stops_as_soon_as_enough_is_known(at_once: bool) -> None:
    task = countdown(start=200)
    made = calibrator(
        scripted(right, answers_at_once=at_once),
        states(*range(1, 201), task=task),
        5,
        is_enough=lambda results: is_narrow(results, 0.06),
    )
    asked = [one for one in made.results if one.samples]
    assert made.stopped_early
    assert FEWEST_STATES <= len(asked) < 200
    assert len(asked) % BATCH == 0
    assert is_narrow(asked, 0.06)
    assert not is_narrow(asked[:-BATCH], 0.06)


def test_few_states_are_never_enough() -> None:
    made = calibrator(scripted(right), states(*range(1, FEWEST_STATES)), 50, is_enough=lambda one: is_narrow(one, 0.5))
    assert not made.stopped_early
    assert all(one.samples == 50 for one in made.results)


def test_wrong_votes_that_scatter_do_not_agree() -> None:
    chosen = states(5)[0]
    result = StateResult(chosen, "4", {"4": Answer({"value": 4}, 6), "1": Answer({}, 1), "2": Answer({}, 1)})
    assert agreement_of_errors([result]) == 0.0
    result.answers["2"].votes = 2
    assert agreement_of_errors([result]) == pytest.approx(1 / 3)
    assert agreement_of_errors([StateResult(chosen, "4", {"4": Answer({}, 6)})]) is None


def test_a_single_state_says_little_and_no_amounts() -> None:
    made = calibrator(scripted(right, price=Price(1.0, 2.0)), states(5), 10)
    found = summary(made)
    assert found.p.low < 0.5
    assert found.tokens_in is None


def test_what_a_limit_holds_back_at_its_worst_is_asked_once_there_is_room() -> None:
    # A dollar a token: a call may take 200 tokens of output, and takes 120 in all.
    provider = scripted(right, price=Price(1e6, 1e6))
    chosen = states(*range(1, 21), task=countdown(start=20))
    made = calibrator(provider, chosen, 4, max_cost_usd=20 * 4 * 120 + 300.0, is_enough=lambda _results: False)
    assert all(one.samples == 4 for one in made.results)
    assert made.so_far().limit is None


@pytest.mark.long
def test_hundreds_of_calibrations_cover_the_truth() -> None:
    task = bundled("hanoi", disks=6)
    covered = 0
    for seed in range(300):
        chosen = list(choose_from_reference(task, 30, Random(seed)).chosen)
        made = calibrator(SimulatedProvider(task, Rates(wrong=0.05, malformed=0.03), seed), chosen, 5)
        found = summary(made)
        # Of the replies that pass, the wrong ones: 0.05 of what is not malformed.
        covered += found.p.low <= 1 - 0.05 / 0.97 <= found.p.high
    assert covered >= 0.93 * 300
