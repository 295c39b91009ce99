"""Sub-runs: side by side under one set of limits, and what stops one of them stops the run, with its place."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from engine_lab import countdown, halves, load_sums, memory_world, new_run, only_run, right, right_leaf, sums

from maker_dsl.diagnostics import Diagnostic, Label, Source, Span
from maker_dsl.engine import loop, recorder
from maker_dsl.engine.inspection import read_events, read_status
from maker_dsl.engine.records import (
    CallRecord,
    ComposedRecord,
    DecisionRecord,
    EndRecord,
    ReturnRecord,
    RunRecord,
    SubRunRecord,
)
from maker_dsl.engine.report import RunHandle, RunReport
from maker_dsl.engine.settings import MOST_DEPTH, RunOptions, SettingsRefused
from maker_dsl.engine.start import ProviderSetup, World, begin_run, resume_run
from maker_dsl.engine.verification import verify_run
from maker_dsl.journal import RealDisk, list_runs
from maker_dsl.providers.clock import FakeClock, run_virtually
from maker_dsl.providers.gateway import Limits
from maker_dsl.providers.port import PermanentError, Price, Request, Usage
from maker_dsl.providers.scripted import Answer, Script, ScriptedProvider
from maker_dsl.task import RunStep, Task, TaskError, VoteSettings

STEPS = 29
"""Of `sums()`: two run steps, 5 + 3 + 1 + 2 and 4 + 3 + 1 + 2 steps of their sub-runs, and twice 3 that ask."""


def unhurried(script: Any = right) -> Script:
    """A second for each reply."""

    def answer(request: Request) -> Any:
        said = script(request)
        return Answer((said,), delay_s=1.0) if isinstance(said, str) else said

    return answer


def run_to_end(
    task: Task,
    script: Script = right,
    world: World | None = None,
    *,
    at_once: bool = False,
    limits: Limits | None = None,
    price: Price | None = None,
    **asked: Any,
) -> RunReport:
    async def main() -> RunReport:
        provider = ScriptedProvider(
            script, clock=None if at_once else FakeClock(), answers_at_once=at_once, price=price
        )
        return await new_run(task, ProviderSetup(provider, limits or Limits()), world or memory_world(), **asked).go()

    return run_virtually(main())


def resume(world: World, script: Script = right, **asked: Any) -> RunReport:
    async def main() -> RunReport:
        setup = ProviderSetup(ScriptedProvider(script, clock=FakeClock()))
        directory = only_run(world.disk)
        return await resume_run(directory, load_sums(), lambda _t, _r: setup, RunOptions(**asked), world=world)

    return run_virtually(main())


@pytest.mark.parametrize("at_once", [True, False])
def test_a_step_runs_tasks_and_takes_their_results_over(at_once: bool) -> None:
    report = run_to_end(sums(), at_once=at_once)
    assert (report.status, report.reason, report.result) == ("done", None, {"n": 0, "left": 0})
    assert (report.steps, report.samples, report.votes) == (STEPS, 27 * 3, 27 * 3)


def test_sub_runs_are_side_by_side() -> None:
    # The longest sub-run of each step, and the steps that ask, a second each.
    assert run_to_end(sums(), unhurried()).seconds == (5 + 3) + (4 + 3)


def test_the_journal_has_a_sub_run_before_its_calls_and_its_result_before_the_step_takes_it_over() -> None:
    world = memory_world()
    run_to_end(sums((1,)), world=world, at_once=True, ahead_by=1)
    first = [SubRunRecord, *[CallRecord, DecisionRecord] * 3, ReturnRecord]
    item = [SubRunRecord, CallRecord, DecisionRecord, ReturnRecord]
    second = [SubRunRecord, *[CallRecord, DecisionRecord] * 2, ReturnRecord]
    asked = [ComposedRecord, CallRecord, DecisionRecord]
    expected = [RunRecord, *first, *item, *asked, *second, *item, *asked, EndRecord]
    assert [type(event) for event in read_events(only_run(world.disk))] == expected


def test_when_places_are_scarce_earlier_items_go_first() -> None:
    asked: list[tuple[int, ...]] = []

    def script(request: Request) -> Answer:
        asked.append(request.question.order)
        return Answer((right(request),), delay_s=1.0)

    run_to_end(sums((2, 2, 2)), script, limits=Limits(concurrency=1), max_steps=11)
    assert list(dict.fromkeys(asked)) == sorted(set(asked))
    # Between two steps of the first sub-run the one after it may get a place, but none of those behind.
    last_of_first = len(asked) - 1 - asked[::-1].index((0, 0, 0))
    assert last_of_first < asked.index((0, 1, 1))


def test_a_list_without_items_has_no_sub_runs() -> None:
    task = sums((5,))
    (whole,) = task.run_steps
    none = replace(whole, runs=(whole.runs[0], replace(whole.runs[1], inputs=lambda _s, _l: ())))
    asking = task.steps[0]
    without = replace(task, run_steps=(none,), next_step=lambda state: none if state["n"] == 0 else asking)
    report = run_to_end(without)
    assert (report.status, report.steps) == ("done", 7 + 1 + 6 + 1)


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("most", range(STEPS + 1))
def test_the_limit_on_steps_counts_all_of_them_and_is_met_exactly(at_once: bool, most: int) -> None:
    world = memory_world()
    report = run_to_end(sums(), unhurried(), world, at_once=at_once, max_steps=most)
    assert (report.status, report.steps) == ("done" if most == STEPS else "limit", most)
    if most < STEPS:
        assert report.reason == f"the limit --max-steps {most} is reached"
        report = resume(world, max_steps=STEPS)
        assert (report.status, report.steps, report.result) == ("done", STEPS, {"n": 0, "left": 0})


def wrong_at(name: str | None, index: int, said: Any) -> Script:
    """`said` at a step of the sub-runs whose tasks have that many steps; else right, a second later."""

    def script(request: Request) -> Any:
        question = request.question
        assert question.task is not None
        is_there = question.index == index and question.order[-2:] == ((1, 2) if name == "each.3" else (0, 0))
        return unhurried()(request) if not is_there else said(request) if callable(said) else said

    return script


@pytest.mark.parametrize("at_once", [True, False])
def test_an_undecided_step_of_a_sub_run_stops_the_run_and_is_named(at_once: bool) -> None:
    world = memory_world()
    script = wrong_at("each.3", 1, lambda request: ("next = 0", "next = 1")[request.draws[0].slot % 2])
    report = run_to_end(sums(), script, world, at_once=at_once, max_samples=6)
    assert report.status == "undecided"
    assert report.reason is not None
    place = "step 1, each 3, step 2 (step) is undecided after 6 samples: votes 3 for 0, 3 for 1"
    assert report.reason.startswith(place)
    assert report.address == "1/each.3/2"
    status = read_status(only_run(world.disk))
    live = {frame.address: dict(frame.open_votes) for frame in status.live}
    assert live["1/each.3/2"] == {"0": 3, "1": 3}
    assert resume(world, max_samples=60).status == "done"


def test_a_provider_that_fails_for_good_fails_the_run_and_its_other_sub_runs_are_given_up() -> None:
    world = memory_world()
    report = run_to_end(sums(), wrong_at("first", 1, PermanentError("no such model", kind="unknown_model")), world)
    assert (report.status, report.reason) == ("failed", "step 1, first, step 2: no such model")
    report = resume(world)
    assert (report.status, report.steps) == ("done", STEPS)


def failing(task: Task, title: str, at: int) -> Task:
    """The task, whose prompt fails at a state."""
    source = Source("countdown.maker", "step")
    (step,) = task.steps

    def render(state: Any, locals: Any) -> Any:
        if state["n"] == at:
            raise TaskError(Diagnostic("MK370", title, Label(Span(source, 0, 4))))
        return step.render(state, locals)

    changed = replace(step, render=render)
    return replace(task, steps=(changed,), next_step=lambda _state: changed)


@pytest.mark.parametrize("at_once", [True, False])
def test_a_task_that_fails_in_a_sub_run_is_told_with_place_and_state(at_once: bool) -> None:
    world = memory_world()
    task = sums(sub=lambda start: failing(countdown(start), "no such thing", 4))

    async def main() -> tuple[RunReport, TaskError | None]:
        provider = ScriptedProvider(right, answers_at_once=at_once)
        run = new_run(task, ProviderSetup(provider), world)
        return await run.go(), run.task_error

    report, error = run_virtually(main())
    assert error is not None
    assert report.reason == 'step 1, first, step 2: no such thing; the state is {"n":4}'
    assert report.status == "failed"


@pytest.mark.parametrize("at_once", [True, False])
def test_inputs_that_a_sub_task_refuses_are_told_at_the_step_that_gives_them(at_once: bool) -> None:
    def refuse(start: int) -> Task:
        if start == 2:
            raise TaskError(Diagnostic("MK370", "2 is refused", Label(Span(Source("sums.maker", "run"), 0, 3))))
        return countdown(start)

    report = run_to_end(sums(sub=refuse), at_once=at_once)
    assert (report.status, report.reason) == ("failed", '2 is refused; the state is {"left":2,"n":0}')


def told(title: str) -> TaskError:
    return TaskError(Diagnostic("MK370", title, Label(Span(Source("sums.maker", "result"), 0, 6))))


@pytest.mark.parametrize("at_once", [True, False])
def test_a_result_that_fails_is_told_at_the_end_of_its_sub_run(at_once: bool) -> None:
    def result(_state: Any) -> Any:
        raise told("no result")

    report = run_to_end(sums(sub=lambda start: replace(countdown(start), result=result)), at_once=at_once)
    assert report.status == "failed"
    assert report.reason is not None
    assert "step 1, " in report.reason
    assert report.reason.endswith('no result; the state is {"n":0}')


@pytest.mark.parametrize("at_once", [True, False])
def test_results_that_a_step_fails_to_take_over_are_there_when_the_run_goes_on(at_once: bool) -> None:
    def update(_state: Any, _locals: Any, _results: Any) -> Any:
        raise told("they don't fit")

    task = sums()
    (whole,) = task.run_steps
    failing_step = replace(whole, update=update)
    world = memory_world()
    stubborn = replace(task, run_steps=(failing_step,), next_step=lambda _state: failing_step)
    report = run_to_end(stubborn, world=world, at_once=at_once)
    assert (report.status, report.reason) == ("failed", 'they don\'t fit; the state is {"left":2,"n":0}')
    assert report.steps == 5 + 3 + 1 + 2
    report = resume(world)
    assert (report.status, report.steps) == ("done", STEPS)


def test_a_limit_on_steps_begins_no_more_sub_runs_than_may_take_a_step() -> None:
    world = memory_world()
    assert run_to_end(sums((2,) * 100), unhurried(), world, max_steps=6).steps == 6
    assert most_live_at_once(world) <= 6


def test_a_stop_request_ends_all_sub_runs_and_the_run_goes_on_later() -> None:
    world = memory_world()

    async def main() -> tuple[RunReport, int]:
        provider = ScriptedProvider(unhurried(), clock=FakeClock())
        run = new_run(sums(), ProviderSetup(provider), world)
        asyncio.get_running_loop().call_later(2.5, run.stop, "by a test")
        return await run.go(), provider.in_flight

    report, in_flight = run_virtually(main())
    assert (report.status, report.reason, in_flight) == ("interrupted", "by a test", 0)
    assert 0 < report.steps < STEPS
    assert resume(world).steps == STEPS


def test_a_cancellation_closes_the_run_and_goes_on() -> None:
    world = memory_world()

    async def main() -> None:
        provider = ScriptedProvider(unhurried(), clock=FakeClock())
        task = asyncio.ensure_future(new_run(sums(), ProviderSetup(provider), world).go())
        asyncio.get_running_loop().call_later(2.5, task.cancel)
        with pytest.raises(asyncio.CancelledError):
            await task

    run_virtually(main())
    status = read_status(only_run(world.disk))
    assert (status.status, status.reason) == ("interrupted", "cancelled")
    assert resume(world).steps == STEPS


@pytest.mark.parametrize("at_once", [True, False])
def test_the_limit_on_depth_shows_the_chain_of_tasks(at_once: bool) -> None:
    report = run_to_end(halves(), right_leaf, at_once=at_once, max_depth=2)
    assert (report.status, report.reason) == ("limit", "the limit --max-depth 2 is reached: `halves` (4 times)")
    assert run_to_end(halves(), right_leaf, at_once=at_once, max_depth=3).result == {"total": 14}
    report = run_to_end(sums(), at_once=at_once, max_depth=0)
    assert (report.reason, report.steps) == ("the limit --max-depth 0 is reached: `sums` → `countdown`", 0)


@pytest.mark.parametrize("at_once", [True, False])
def test_the_largest_depth_fits_on_the_stack(at_once: bool) -> None:
    def deep(level: int) -> Task:
        task = halves((1,))
        bind = replace(halves((1, 2)).run_steps[0].runs[0], name="next", bind=lambda _inputs: deep(level + 1))
        down = RunStep("down", lambda _s: True, lambda _s: {}, (bind,), lambda _s, _l, results: results["next"])
        return task if level == MOST_DEPTH else replace(task, run_steps=(down,), next_step=lambda _state: down)

    report = run_to_end(deep(0), right_leaf, at_once=at_once, max_depth=MOST_DEPTH)
    assert (report.status, report.steps, report.result) == ("done", MOST_DEPTH + 1, {"total": 1})


def test_a_depth_beyond_what_fits_is_refused() -> None:
    with pytest.raises(SettingsRefused, match="no run can go as deep"):
        run_to_end(halves(), right_leaf, max_depth=MOST_DEPTH + 1)


@pytest.mark.parametrize("most_live", [1, 4])
def test_many_items_are_begun_a_few_at_a_time(most_live: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """And a step inside a sub-run always has one, so that nothing waits forever."""
    monkeypatch.setattr(loop, "MOST_LIVE_FRAMES", most_live)
    world = memory_world()
    report = run_to_end(halves(tuple(range(1, 60))), lambda request: Answer((right_leaf(request),), 1.0), world)
    assert report.result == {"total": sum(range(60))}
    # Each of those may be above others, one below the other.
    assert most_live_at_once(world) <= most_live * 7
    world = memory_world()
    assert run_to_end(sums((2,) * 50), unhurried(), world).status == "done"
    assert most_live_at_once(world) == max(most_live, 1)


def most_live_at_once(world: World) -> int:
    live = most = 0
    for event in read_events(only_run(world.disk)):
        live += isinstance(event, SubRunRecord)
        live -= isinstance(event, ReturnRecord)
        most = max(most, live)
    return most


def test_a_sub_tasks_own_vote_counts_below_the_command_line_and_above_the_defaults() -> None:
    def policies(**asked: Any) -> list[tuple[Any, ...]]:
        world = memory_world()
        task = sums(vote=VoteSettings(ahead_by=2, max_samples=40))
        run_to_end(task, world=world, **asked)
        begun = next(event for event in read_events(only_run(world.disk)) if isinstance(event, SubRunRecord))
        policy = begun.policies["step"]
        return [(each.value, each.origin) for each in (policy.ahead_by, policy.max_samples, policy.temperature)]

    assert policies() == [(2, "task"), (40, "task"), (0.1, "default")]
    assert policies(ahead_by=1) == [(1, "command line"), (40, "task"), (0.1, "default")]


@pytest.mark.parametrize("at_once", [True, False])
def test_a_sub_task_whose_vote_can_never_be_won_is_not_begun(at_once: bool) -> None:
    world = memory_world()
    report = run_to_end(sums(vote=VoteSettings(max_samples=2)), world=world, at_once=at_once)
    assert (report.status, report.samples, report.address) == ("undecided", 0, "1")
    assert report.reason == (
        "step 1 runs `countdown`, whose step `step` can never be decided: "
        "3 votes ahead (default) with at most 2 samples (task)"
    )
    assert resume(world, max_samples=60).status == "done"


def test_a_limit_on_samples_set_anew_holds_for_live_sub_runs_and_for_later_ones() -> None:
    def never(request: Request) -> str:
        return f"next = {request.draws[0].slot % 2}"

    world = memory_world()
    assert run_to_end(sums(), never, world, max_samples=8).reason is not None
    report = resume(world, never, max_samples=12)
    assert report.reason is not None
    assert "after 12 samples" in report.reason
    assert resume(world, max_samples=60, max_steps=STEPS - 1).status == "limit"
    policies = [
        event.policies["step"] for event in read_events(only_run(world.disk)) if isinstance(event, SubRunRecord)
    ]
    assert (policies[0].max_samples.value, policies[-1].max_samples.value) == (8, 60)


@pytest.mark.parametrize("limit", [0.5, 2.0, 5.0])
def test_law_6_the_limit_on_money_holds_for_all_sub_runs_together(limit: float) -> None:
    price = Price(1000.0, 1000.0)
    world = memory_world()

    def script(request: Request) -> Answer:
        return Answer((right(request),), delay_s=1.0, usage=Usage(20, 10))

    report = run_to_end(sums((2,) * 20), script, world, price=price, max_cost_usd=limit, max_tokens=50)
    assert report.status == "limit"
    assert report.cost_usd is not None
    worst_call_usd = (30 + 50) / 1000
    # What is under way counts at its worst, but nothing is given up for that: the rest could not pay for one call.
    assert limit - 4 * worst_call_usd < report.cost_usd <= limit


def test_a_run_without_sub_runs_says_what_it_always_said() -> None:
    world = memory_world()
    run_to_end(countdown(1), world=world, ahead_by=1)
    with only_run(world.disk).reader() as reader:
        payloads = [record.payload for record in reader.tail()]
    for word in (b'"sub"', b'"defaults"', b'"max_depth"'):
        assert not any(word in payload for payload in payloads)


@pytest.mark.long
def test_law_7_memory_stays_flat(tmp_path: Path) -> None:
    """What a sub-run held is gone when its result is taken over."""
    sizes: list[int] = []

    class Weigh:
        def started(self, run: RunHandle) -> None:
            """Nothing to do."""

        def decided(self, decision: DecisionRecord) -> None:
            if decision.sub == 0 and decision.step in (2 * 50 - 1, 2 * 600 - 1):
                gc.collect()
                sizes.append(tracemalloc.get_traced_memory()[0])

        def told(self, text: str) -> None:
            """Nothing to do."""

    task = sums((1, 2), 601)
    (whole,) = task.run_steps
    items = replace(whole, runs=whole.runs[1:], update=lambda state, _l, _results: {"n": 1, "left": state["left"] - 1})
    asking = task.steps[0]
    rounds = replace(task, run_steps=(items,), next_step=lambda state: items if state["n"] == 0 else asking)

    class Forgetful(list[Request]):
        def append(self, item: Request) -> None:
            """Keep nothing."""

    provider = ScriptedProvider(right, samples_per_call=4, answers_at_once=True)
    provider.calls = Forgetful()

    async def main() -> RunReport:
        run = begin_run(rounds, ProviderSetup(provider), RunOptions(), tmp_path / "runs", observer=Weigh())
        tracemalloc.start()
        try:
            return await run.go()
        finally:
            tracemalloc.stop()

    report = asyncio.run(main())
    assert (report.status, report.steps) == ("done", 601 * (3 + 1 + 1))
    early, late = sizes
    # 1,100 sub-runs of anything kept would be more.
    assert late - early < 1_000_000


def test_sub_runs_that_wait_for_the_disk_wait_for_one_sync(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With a full window every frame waits in `keep_pace`; one of them takes note of the sync's end."""
    monkeypatch.setattr(recorder, "WINDOW", 1)
    pace = recorder.Pace(sync_decisions=1, sync_s=0.0, snapshot_decisions=2)
    provider = ScriptedProvider(right)

    async def main() -> RunReport:
        world = World(pace=pace)
        return await begin_run(
            sums((5,) * 30), ProviderSetup(provider), RunOptions(ahead_by=1), tmp_path, world=world
        ).go()

    report = asyncio.run(main())
    assert (report.status, report.result) == ("done", {"n": 0, "left": 0})
    (directory,) = list_runs(tmp_path, RealDisk())
    assert verify_run(directory, load_sums()).is_good
