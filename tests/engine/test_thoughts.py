"""Samples that are thoughts first: one sample is two calls, judged as one, and resumed between the two."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from engine_lab import RUNS, DyingDisk, forged, memory_world, new_run, only_run, sums
from thinking_lab import UNSPEAKABLE, Thinkers, copied, load_thinking, thinking_countdown

from maker_dsl.engine.encoding import decode, encode
from maker_dsl.engine.fold import Fold
from maker_dsl.engine.inspection import read_events
from maker_dsl.engine.recorder import Pace
from maker_dsl.engine.records import CallRecord, DecisionRecord, Event, RunRecord
from maker_dsl.engine.report import RunReport
from maker_dsl.engine.run_state import begin
from maker_dsl.engine.settings import RunOptions, SettingsRefused
from maker_dsl.engine.start import ProviderSetup, resume_run
from maker_dsl.engine.story import StepStory, explain_step
from maker_dsl.engine.verification import verify_run
from maker_dsl.journal import MemoryDisk, list_runs
from maker_dsl.journal.memory_disk import Stopped
from maker_dsl.providers.clock import run_virtually
from maker_dsl.providers.port import Request
from maker_dsl.providers.scripted import Answer, ScriptedProvider
from maker_dsl.task import Task

BUSY = Pace(sync_decisions=1, snapshot_decisions=2, in_thread=False)
STEPS = 5


def start(disk: MemoryDisk, setup: ProviderSetup, steps: int = STEPS, **asked: Any) -> RunReport:
    async def main() -> RunReport:
        return await new_run(thinking_countdown(steps), setup, memory_world(disk, pace=BUSY), **asked).go()

    return run_virtually(main())


def resume(disk: MemoryDisk, setup: ProviderSetup, asked: RunOptions | None = None) -> RunReport:
    async def main() -> RunReport:
        world = memory_world(disk, pace=BUSY)
        return await resume_run(only_run(disk), load_thinking(), lambda _t, _r: setup, asked, world=world)

    return run_virtually(main())


def facts(disk: MemoryDisk, report: RunReport) -> tuple[object, ...]:
    """What must not depend on kills."""
    decided = [
        (event.step, event.value, sorted(count for _, count in event.votes), event.samples, event.state_hash)
        for event in read_events(only_run(disk))
        if isinstance(event, DecisionRecord)
    ]
    return decided, report.samples, report.votes, report.flags, report.wordings, report.status


def calls_of(disk: MemoryDisk) -> list[CallRecord]:
    return [event for event in read_events(only_run(disk)) if isinstance(event, CallRecord)]


def scripted(answer: Any, **more: Any) -> ProviderSetup:
    """One provider for all."""
    return ProviderSetup(ScriptedProvider(answer, **more))


def right(request: Request) -> str:
    n = request.question.state["n"] - 1
    return copied(request.thought) if request.phase == "form" else f"so it is {n}"


def test_a_sample_is_a_thought_and_its_form() -> None:
    thinkers = Thinkers(flaky=False)
    disk = MemoryDisk()
    report = start(disk, thinkers.setup)
    assert report.status == "done"
    assert not thinkers.main.calls
    assert {request.phase for request in thinkers.strong.calls} == {"thought"}
    assert {request.phase for request in thinkers.small.calls} == {"form"}
    assert {request.max_tokens for request in thinkers.small.calls} == {20}
    assert {request.temperature for request in thinkers.small.calls} == {0.0}
    assert report.samples == sum(report.flags.values()) + report.votes
    # What was flagged in the thought (cut off, not to be shown) had no second call.
    journal = calls_of(disk)
    pending = sum(1 for call in journal for number in call.thoughts if not _flagged(journal, call.step, number))
    assert pending == len(thinkers.small.calls) < len(thinkers.strong.calls)


def _flagged(calls: list[CallRecord], step: int, number: int) -> bool:
    thoughts = [thought for call in calls if call.step == step for thought in call.new_thoughts]
    return thoughts[number].flag is not None


def test_a_thought_is_judged_by_its_own_text_and_its_form_by_its_own_reading() -> None:
    said = iter(["well, " * 30 + "so it is 0", "so it is 0", UNSPEAKABLE, "so it is 0", "so it is 0", "so it is 0"])

    def script(request: Request) -> str:
        return copied(request.thought) if request.phase == "form" else next(said)

    disk = MemoryDisk()
    report = start(disk, scripted(script), 1)
    assert report.flags == {"rambling": 1, "error": 1}
    assert (report.samples, report.votes) == (5, 3)
    (event,) = [call for call in calls_of(disk) if any(one.flag for one in call.new_thoughts)]
    (thought,) = [one for one in event.new_thoughts if one.flag is not None]
    assert thought.flag is not None
    assert (thought.flag.stage, thought.flag.name) == ("form", "error")
    assert "it has no words" in thought.flag.detail


@pytest.mark.parametrize(("finish", "name"), [("length", "truncated"), ("filtered", "filtered")])
def test_a_thought_that_was_not_finished_is_flagged_without_a_second_call(finish: Any, name: str) -> None:
    asked: Counter[str] = Counter()

    def script(request: Request) -> Answer | str:
        asked[request.phase] += 1
        if request.phase == "thought" and request.draws[0].resample == 0:
            return Answer(("so it is",), finish=finish)
        return right(request)

    report = start(MemoryDisk(), scripted(script), 1)
    assert report.flags == {name: 3}
    assert asked == {"thought": 6, "form": 3}


def test_an_empty_thought_has_nothing_to_be_put_into_form() -> None:
    def script(request: Request) -> Answer | str:
        return Answer((" \n",)) if request.phase == "thought" and request.draws[0].resample == 0 else right(request)

    assert start(MemoryDisk(), scripted(script), 1).flags == {"missing": 3}


def test_a_form_that_was_cut_off_or_cannot_be_read_is_flagged_and_both_calls_are_made_anew() -> None:
    asked: Counter[str] = Counter()

    def script(request: Request) -> Answer | str:
        asked[request.phase] += 1
        (draw,) = request.draws
        if request.phase == "form" and draw.resample == 0:
            return Answer(("next =",), finish="length") if draw.slot == 0 else "?"
        return right(request)

    report = start(MemoryDisk(), scripted(script), 1)
    assert report.flags == {"truncated": 1, "malformed": 2}
    assert asked == {"thought": 6, "form": 6}


def test_the_cap_on_samples_counts_a_sample_once() -> None:
    report = start(MemoryDisk(), scripted(lambda request: right(request) if request.phase == "thought" else "?"), 1)
    assert (report.status, report.samples) == ("undecided", 60)
    thinkers = Thinkers(flaky=False)
    report = start(MemoryDisk(), thinkers.setup, max_total_samples=20, max_samples=50)
    assert report.status == "limit"
    assert 18 <= len(thinkers.strong.calls) <= 20


def test_a_limit_on_money_holds_over_all_profiles() -> None:
    thinkers = Thinkers(flaky=False)
    disk = MemoryDisk()
    with_tokens = {"max_tokens": 50}
    report = start(disk, thinkers.setup, max_cost_usd=0.05, **with_tokens)
    assert report.status == "limit"
    assert report.cost_usd is not None
    assert report.cost_usd <= 0.05
    # Each call costs what its own profile says: 100 tokens in, 20 out.
    expected = len(thinkers.strong.calls) * (100 * 10 + 20 * 100) / 1e6
    expected += len(thinkers.small.calls) * (100 * 2 + 20 * 20) / 1e6
    assert report.cost_usd == pytest.approx(expected)
    assert sum(call.cost_usd or 0 for call in calls_of(disk)) == pytest.approx(expected)


def test_the_cost_of_a_run_is_unknown_if_one_of_its_profiles_has_no_price() -> None:
    thinkers = Thinkers(flaky=False)
    thinkers.small.price = None
    report = start(MemoryDisk(), thinkers.setup)
    assert (report.status, report.cost_usd) == ("done", None)
    with pytest.raises(SettingsRefused) as refused:
        start(MemoryDisk(), thinkers.setup, max_cost_usd=1.0, max_tokens=50)
    assert [one.code for one in refused.value.diagnostics] == ["MK550"]
    assert "small model" in refused.value.diagnostics[0].title


def test_equal_thoughts_are_put_into_form_in_one_call_where_the_profile_can() -> None:
    provider = ScriptedProvider(
        lambda request: Answer(tuple(right(request) for _ in request.draws)), samples_per_call=8, answers_at_once=True
    )
    report = start(MemoryDisk(), ProviderSetup(provider), 1)
    assert (report.samples, report.votes) == (3, 3)
    assert [(request.phase, len(request.draws)) for request in provider.calls] == [
        ("thought", 1),
        ("thought", 1),
        ("thought", 1),
        ("form", 3),
    ]


@pytest.mark.parametrize("keep", ["all", "contested", "none"])
def test_verify_judges_the_thoughts_again_and_finds_no_difference(keep: Any) -> None:
    disk = MemoryDisk()
    assert start(disk, Thinkers().setup, keep=keep).status == "done"
    found = verify_run(only_run(disk), load_thinking())
    assert (found.mismatch, found.wrong_steps) == (None, 0)
    assert (found.unkept > 0) == (keep != "all")


def with_thought(**changes: Any) -> Callable[[Event], Event]:
    """Change the first thought that is kept."""
    done: list[Event] = []

    def change(event: Event) -> Event:
        if isinstance(event, CallRecord) and event.new_thoughts and not done:
            done.append(event)
            return replace(event, new_thoughts=(replace(event.new_thoughts[0], **changes), *event.new_thoughts[1:]))
        return event

    return change


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"text": "well, " * 30 + "so it is 4"}, "the verdict on a reply"),
        ({"finish": "length"}, "the verdict on a thought"),
        ({"text": UNSPEAKABLE}, "the verdict on a thought"),
    ],
)
def test_verify_finds_a_thought_that_says_something_else(changes: dict[str, Any], what: str) -> None:
    disk = MemoryDisk()
    start(disk, scripted(right))
    found = verify_run(forged(only_run(disk), with_thought(**changes)), load_thinking())
    assert found.mismatch is not None
    assert found.mismatch.what == what


def test_verify_finds_a_form_of_another_thought() -> None:
    disk = MemoryDisk()
    start(disk, scripted(right))

    def change(event: Event) -> Event:
        if isinstance(event, CallRecord) and event.new:
            return replace(event, new=(replace(event.new[0], thought=7),))
        return event

    found = verify_run(forged(only_run(disk), change), load_thinking())
    assert found.mismatch is not None
    assert found.mismatch.what == "the number of a reply's thought"


def test_killed_between_the_two_calls_a_run_goes_on_with_the_form() -> None:
    """The thoughts are in the journal: none of them is paid for twice."""
    disk = MemoryDisk()
    asked: Counter[str] = Counter()

    def script(request: Request) -> str:
        asked[request.phase] += 1
        if request.phase == "form":
            raise KeyboardInterrupt
        return right(request)

    with pytest.raises(KeyboardInterrupt):
        start(disk, scripted(script, answers_at_once=True), 1)
    assert asked == {"thought": 3, "form": 1}
    left = disk.kill()
    asked.clear()

    def count(request: Request) -> str:
        asked[request.phase] += 1
        return right(request)

    report = resume(left, scripted(count, answers_at_once=True))
    assert (report.status, report.samples, report.votes) == ("done", 3, 3)
    assert asked == {"form": 3}
    assert verify_run(only_run(left), load_thinking()).is_good


@pytest.mark.parametrize(("at_once", "samples_per_call"), [(True, 4), (False, 1)])
@pytest.mark.parametrize("power", [True, False])
def test_killed_at_every_other_operation_of_the_disk_and_resumed(
    at_once: bool, samples_per_call: int, power: bool
) -> None:
    def setup() -> ProviderSetup:
        return Thinkers(at_once=at_once, samples_per_call=samples_per_call).setup

    disk = DyingDisk()
    undisturbed = facts(disk, start(disk, setup(), 2))
    assert undisturbed[-1] == "done"
    assert undisturbed[3]
    for stop_at in range(1 + power, disk.operations + 1, 2):
        dying = DyingDisk()
        dying.stop_at = stop_at
        with pytest.raises(BaseException) as stopped:
            start(dying, setup(), 2)
        assert isinstance(stopped.value, Stopped | BaseExceptionGroup)
        left = dying.power_cut(Random(stop_at)) if power else dying.kill()
        if not list_runs(RUNS, left):
            continue
        report = resume(left, setup())
        assert facts(left, report) == undisturbed, stop_at
        verification = verify_run(only_run(left), load_thinking())
        assert verification.is_good, verification.mismatch


def test_what_is_written_is_read_back_and_counts_need_no_task() -> None:
    disk = MemoryDisk()
    start(disk, Thinkers(samples_per_call=2).setup)
    events = list(read_events(only_run(disk)))
    first = events[0]
    assert isinstance(first, RunRecord)
    assert [decode(*encode(event)) for event in events] == events
    with_task, without = Fold(begin(first, thinking_countdown(STEPS))), Fold(begin(first, None))
    for event in events[1:]:
        with_task.apply(event)
        without.apply(event)
    assert with_task.run.totals == without.run.totals
    assert with_task.run.spent == without.run.spent
    assert with_task.run.spent.samples == sum(len(call.thoughts) for call in calls_of(disk))
    assert with_task.run.root.state == {"n": 0}


def test_a_snapshot_holds_the_thoughts_of_live_sub_runs() -> None:
    """Sub-runs side by side, killed here and there: their votes are in snapshots, thoughts and all."""

    def task() -> Task:
        return sums((2, 3), sub=thinking_countdown)

    def setup() -> ProviderSetup:
        return Thinkers().setup

    async def begin_sums(disk: MemoryDisk) -> RunReport:
        return await new_run(task(), setup(), memory_world(disk, pace=BUSY)).go()

    async def resume_sums(disk: MemoryDisk) -> RunReport:
        world = memory_world(disk, pace=BUSY)
        return await resume_run(only_run(disk), lambda _text, _run: task(), lambda _t, _r: setup(), world=world)

    disk = DyingDisk()
    undisturbed = run_virtually(begin_sums(disk))
    assert undisturbed.status == "done"
    assert {one.step for one in undisturbed.wordings} == {"step"}
    with_thoughts = 0
    for stop_at in range(disk.operations // 9, disk.operations + 1, disk.operations // 9):
        dying = DyingDisk()
        dying.stop_at = stop_at
        with pytest.raises(BaseException) as stopped:
            run_virtually(begin_sums(dying))
        assert isinstance(stopped.value, Stopped | BaseExceptionGroup)
        left = dying.kill()
        if not list_runs(RUNS, left):
            continue
        snapshots = only_run(left).snapshots.load().good
        with_thoughts += any(b'"pending":[[' in snapshot.payload for snapshot in snapshots)
        report = run_virtually(resume_sums(left))
        told = (report.steps, report.samples, report.votes, report.flags, report.wordings, report.result)
        assert told == (
            undisturbed.steps,
            undisturbed.samples,
            undisturbed.votes,
            undisturbed.flags,
            undisturbed.wordings,
            undisturbed.result,
        )
        assert verify_run(only_run(left), lambda _text, _run: task()).is_good
    assert with_thoughts


def test_a_step_is_told_with_its_thoughts_wordings_and_profiles() -> None:
    disk = MemoryDisk()
    start(disk, Thinkers(flaky=False).setup)
    flags: Counter[str] = Counter()
    for step in range(1, STEPS + 1):
        story = explain_step(only_run(disk), load_thinking(), step)
        assert isinstance(story, StepStory)
        assert (story.profile, story.form_profile) == ("strong", "small")
        assert [one.name for one in story.wordings] == ["prompt", "way 1", "way 2"]
        for sample in story.samples:
            assert sample.wording == story.wordings[(sample.slot + sample.resample) % 3].name
            assert sample.thought is not None
            assert sample.is_formed == (sample.text is not None)
            if sample.is_formed:
                assert sample.text in (copied(sample.thought.text), "?")
                assert sample.temperature == 0.0
            if sample.flag is not None:
                flags[sample.flag.stage] += 1
    assert {"finish", "form", "flag", "parse"} <= set(flags)
