"""A run from start to end: what decides, what is counted, what stops it."""

from typing import Any

from engine_lab import Counts, countdown, memory_world, new_run, only_run, right

from maker_dsl.engine.records import CallRecord, DecisionRecord, EndRecord, RunRecord, decode
from maker_dsl.engine.report import RunReport
from maker_dsl.engine.start import ProviderSetup, World
from maker_dsl.providers.clock import run_virtually
from maker_dsl.providers.scripted import ScriptedProvider
from maker_dsl.task import Task


def run_to_end(task: Task, provider: ScriptedProvider, world: World | None = None, **asked: Any) -> RunReport:
    world = world or memory_world()

    async def main() -> RunReport:
        return await new_run(task, ProviderSetup(provider), world, **asked).go()

    return run_virtually(main())


def events(world: World) -> list[Any]:
    with only_run(world.disk).reader() as reader:
        return [decode(record.type, record.payload) for record in reader.tail()]


def test_a_run_goes_to_its_end_and_reports_it() -> None:
    report = run_to_end(countdown(5), ScriptedProvider(right))
    assert (report.status, report.reason, report.steps, report.result) == ("done", None, 5, {"n": 0})
    assert (report.samples, report.votes, report.flags, report.retries) == (15, 15, {}, 0)
    assert (report.tokens.input, report.tokens.output) == (15 * 100, 15 * 20)
    assert report.cost_usd is None


def test_the_journal_holds_the_run_its_calls_its_decisions_and_its_end() -> None:
    world = memory_world()
    run_to_end(countdown(2), ScriptedProvider(right), world)
    kinds = [type(event) for event in events(world)]
    assert kinds == [RunRecord, *[CallRecord] * 3, DecisionRecord, *[CallRecord] * 3, DecisionRecord, EndRecord]


def test_a_reply_text_of_a_step_is_judged_and_written_once() -> None:
    counts = Counts()
    world = memory_world()
    run_to_end(countdown(1, counts=counts), ScriptedProvider(right), world)
    assert counts.judged == 1
    assert [len(event.new) for event in events(world) if isinstance(event, CallRecord)] == [1, 0, 0]


def test_the_prompt_is_rendered_once_per_step() -> None:
    counts = Counts()
    run_to_end(countdown(4, counts=counts), ScriptedProvider(right))
    assert counts.rendered == 4


def test_replies_to_one_request_are_asked_for_together_by_temperature() -> None:
    provider = ScriptedProvider(right, samples_per_call=8)
    run_to_end(countdown(1), provider, ahead_by=4, temperature=0.7)
    assert [(call.temperature, [draw.slot for draw in call.draws]) for call in provider.calls] == [
        (0.0, [0]),
        (0.7, [1, 2, 3]),
    ]
    provider = ScriptedProvider(right, samples_per_call=2)
    run_to_end(countdown(1), provider, ahead_by=4, temperature=0.0)
    assert [[draw.slot for draw in call.draws] for call in provider.calls] == [[0, 1], [2, 3]]
