"""A run from start to end: what decides, what is counted, what stops it."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from engine_lab import Counts, countdown, memory_world, new_run, only_run, right

from maker_dsl.diagnostics import Diagnostic, Label, Source, Span
from maker_dsl.engine.encoding import decode
from maker_dsl.engine.records import CallRecord, DecisionRecord, EndRecord, RunRecord
from maker_dsl.engine.report import RunReport
from maker_dsl.engine.start import ProviderSetup, World
from maker_dsl.journal import MemoryDisk
from maker_dsl.providers.clock import FakeClock, run_virtually
from maker_dsl.providers.port import Completion, PermanentError, Request, TransientError
from maker_dsl.providers.scripted import Answer, ScriptedProvider
from maker_dsl.task import Task, TaskError


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


def wrong_first(request: Request) -> str:
    """Slot 1's first sample is wrong; all others are right."""
    (draw,) = request.draws
    return "next = 99" if (draw.slot, draw.resample) == (1, 0) else right(request)


def test_a_dissenting_vote_is_outvoted_by_as_few_samples_as_can_do_it() -> None:
    report = run_to_end(countdown(1), ScriptedProvider(wrong_first))
    assert (report.status, report.samples, report.votes) == ("done", 5, 5)


def test_law_2_a_flagged_reply_is_replaced_in_its_slot_and_warmer_if_it_was_the_first() -> None:
    def script(request: Request) -> str:
        (draw,) = request.draws
        return "I think it is 4" if draw.resample == 0 else right(request)

    provider = ScriptedProvider(script)
    report = run_to_end(countdown(1), provider, ahead_by=2, temperature=0.5)
    asked = sorted((call.draws[0].slot, call.draws[0].resample, call.temperature) for call in provider.calls)
    assert asked == [(0, 0, 0.0), (0, 1, 0.5), (1, 0, 0.5), (1, 1, 0.5)]
    assert (report.samples, report.votes, report.flags) == (4, 2, {"malformed": 2})


def test_flags_are_counted_by_what_failed() -> None:
    said = {0: "next = 2000", 1: "next = -2000", 2: "next = -7", 3: "nothing", 4: ""}
    world = memory_world()

    def script(request: Request) -> Answer | str:
        (draw,) = request.draws
        if draw.slot == 0 and draw.resample == 5:
            return Answer((right(request),), finish="length")
        return said.get(draw.resample, right(request)) if draw.slot == 0 else right(request)

    report = run_to_end(countdown(1), ScriptedProvider(script), world)
    assert report.flags == {"is small": 1, "not too low": 1, "error": 1, "malformed": 2, "truncated": 1}
    assert (report.status, report.samples, report.votes) == ("done", 9, 3)


def test_law_2_a_transport_failure_is_neither_flag_nor_vote() -> None:
    def script(request: Request) -> str | TransientError:
        failed.append(request)
        if len(failed) % 2:
            return TransientError("busy", kind="rate_limit", status=429)
        return right(request)

    failed: list[Request] = []
    world = memory_world()
    report = run_to_end(countdown(3), ScriptedProvider(script), world)
    assert (report.status, report.samples, report.votes, report.flags, report.retries) == ("done", 9, 9, {}, 9)
    assert {event.outcome for event in events(world) if isinstance(event, CallRecord)} == {"ok", "rate_limit"}


def test_law_3_at_the_sample_cap_the_run_stops_undecided_with_the_votes_shown() -> None:
    def script(request: Request) -> str:
        (draw,) = request.draws
        return ("next = 4", "next = 5")[draw.slot % 2]

    world = memory_world()
    report = run_to_end(countdown(5), ScriptedProvider(script), world, max_samples=10)
    assert (report.status, report.steps, report.samples, report.result) == ("undecided", 0, 10, None)
    assert report.reason is not None
    assert "5 for 4, 5 for 5" in report.reason
    last = events(world)[-1]
    assert isinstance(last, EndRecord)
    assert last.status == "undecided"


def test_steps_have_the_margin_of_their_kind_unless_the_command_line_says_otherwise() -> None:
    world = memory_world()
    report = run_to_end(countdown(4, kinds=2), ScriptedProvider(right), world)
    decisions = [event for event in events(world) if isinstance(event, DecisionRecord)]
    assert [(decision.kind, decision.samples) for decision in decisions] == [("step", 3), ("odd", 2)] * 2
    assert report.samples == 10
    assert run_to_end(countdown(4, kinds=2), ScriptedProvider(right), ahead_by=1).samples == 4


def test_law_6_no_step_begins_past_the_limit_on_steps() -> None:
    provider = ScriptedProvider(right)
    report = run_to_end(countdown(9), provider, max_steps=4)
    assert (report.status, report.steps, len(provider.calls)) == ("limit", 4, 12)
    assert report.reason == "the limit --max-steps 4 is reached"


def test_law_6_no_sample_is_drawn_past_the_limit_on_time() -> None:
    provider = ScriptedProvider(lambda request: Answer((right(request),), delay_s=2.0), clock=FakeClock())
    report = run_to_end(countdown(9), provider, max_seconds=5.0)
    assert (report.status, report.steps, len(provider.calls), report.seconds) == ("limit", 3, 9, 6.0)


def test_an_outage_fails_the_run_and_leaves_it_resumable() -> None:
    provider = ScriptedProvider(lambda request: TransientError("no route", kind="dropped"))
    world = memory_world()
    report = run_to_end(countdown(3), provider, world)
    assert (report.status, report.steps) == ("failed", 0)
    assert report.reason is not None
    assert "gave up after" in report.reason
    assert provider.closed


def test_a_refused_key_fails_the_run_at_once_and_says_what_to_do() -> None:
    refused = PermanentError("the key is not accepted", kind="bad_key", status=401, help="look at OPENAI_API_KEY")
    provider = ScriptedProvider(lambda request: refused)
    report = run_to_end(countdown(3), provider)
    assert (report.status, report.reason) == ("failed", "the key is not accepted; look at OPENAI_API_KEY")


def test_fewer_replies_than_asked_for_are_asked_for_again() -> None:
    def script(request: Request) -> Answer:
        return Answer((right(request),) * max(1, len(request.draws) - 1))

    class Short(ScriptedProvider):
        async def complete(self, request: Request) -> Completion:
            completion = await super().complete(request)
            return Completion(completion.replies[:1], completion.usage)

    provider = Short(script, samples_per_call=8)
    report = run_to_end(countdown(2), provider)
    assert (report.status, report.samples, report.votes) == ("done", 6, 6)


def test_a_provider_that_answers_with_nothing_fails_the_run() -> None:
    class Silent(ScriptedProvider):
        async def complete(self, request: Request) -> Completion:
            return Completion((), None)

    report = run_to_end(countdown(2), Silent(right))
    assert (report.status, report.reason) == ("failed", "the provider answers, but without any reply")


def test_stopping_is_clean_and_cancels_what_is_under_way() -> None:
    world = memory_world()
    provider = ScriptedProvider(lambda request: Answer((right(request),), delay_s=1.0), clock=FakeClock())

    async def main() -> RunReport:
        run = new_run(countdown(9), ProviderSetup(provider), world)
        asyncio.get_running_loop().call_later(2.5, run.stop, "ctrl-c")
        return await run.go()

    report = run_virtually(main())
    assert (report.status, report.reason, report.steps, report.seconds) == ("interrupted", "ctrl-c", 2, 2.5)
    assert [event.outcome for event in events(world) if isinstance(event, CallRecord)][-3:] == ["cancelled"] * 3
    assert isinstance(events(world)[-1], EndRecord)
    assert provider.in_flight == 0


def test_a_cancellation_from_outside_closes_the_run_and_goes_on() -> None:
    world = memory_world()
    provider = ScriptedProvider(lambda request: Answer((right(request),), delay_s=1.0), clock=FakeClock())

    async def main() -> None:
        async with asyncio.timeout(3.5):
            await new_run(countdown(9), ProviderSetup(provider), world).go()

    with pytest.raises(TimeoutError):
        run_virtually(main())
    last = events(world)[-1]
    assert isinstance(last, EndRecord)
    assert (last.status, last.seconds) == ("interrupted", 3.5)


def test_a_task_that_fails_on_its_own_closes_the_run_and_says_where() -> None:
    diagnostic = Diagnostic("MK299", "no step applies", Label(Span(Source("t.maker", "step"), 0, 4)))

    def next_step(_state: Any) -> Any:
        raise TaskError(diagnostic)

    world = memory_world()
    report = run_to_end(replace(countdown(2), next_step=next_step), ScriptedProvider(right), world)
    last = events(world)[-1]
    assert isinstance(last, EndRecord)
    assert (last.status, last.reason) == ("failed", 'no step applies; the state is {"n":2}')
    assert (report.status, report.reason) == (last.status, last.reason)


def test_a_reply_with_characters_that_no_file_can_hold_is_kept_as_it_was_judged() -> None:
    world = memory_world()
    report = run_to_end(countdown(1), ScriptedProvider(lambda request: "\ud800 " + right(request)), world)
    assert report.status == "done"
    calls = [event for event in events(world) if isinstance(event, CallRecord)]
    assert calls[0].new[0].text == "? next = 0"


def test_a_full_disk_stops_the_run_before_the_next_call() -> None:
    disk = MemoryDisk()
    world = memory_world(disk)
    provider = ScriptedProvider(right)

    async def main() -> RunReport:
        run = new_run(countdown(700), ProviderSetup(provider), world)
        disk.capacity = 1_000_000
        return await run.go()

    report = run_virtually(main())
    assert (report.status, report.samples) == ("failed", len(provider.calls))
    assert report.reason is not None
    assert "disk is full" in report.reason
    assert sum(isinstance(event, DecisionRecord) for event in events(world)) == report.steps > 0


def test_the_report_is_the_object_that_the_command_line_prints() -> None:
    report = run_to_end(countdown(1), ScriptedProvider(right))
    printed = report.members()
    assert list(printed) == [
        "run", "status", "reason", "steps", "samples", "votes", "flags", "retries", "tokens", "cost_usd", "seconds",
        "wordings", "voters", "plan", "odds", "result",
    ]  # fmt: skip
    assert printed["tokens"] == {"input": 300, "output": 60}
    assert printed["result"] == {"n": 0}
