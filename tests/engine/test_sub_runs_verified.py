"""Verifying finds whatever does not follow in sub-runs; explaining tells their steps by address."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from engine_lab import (
    BUSY,
    RUNS,
    countdown,
    halves,
    load_halves,
    load_sums,
    memory_world,
    new_run,
    only_run,
    right,
    right_leaf,
    sums,
)

from maker_dsl.engine.address import Address, parse_address
from maker_dsl.engine.encoding import RecordUnreadable, decode, encode
from maker_dsl.engine.inspection import read_events
from maker_dsl.engine.recorder import Pace
from maker_dsl.engine.records import (
    CallRecord,
    ComposedRecord,
    DecisionRecord,
    EndRecord,
    Event,
    ReplyRecord,
    ReturnRecord,
    RunRecord,
    SettingRecord,
    SubRunRecord,
)
from maker_dsl.engine.settings import Keep
from maker_dsl.engine.start import ProviderSetup
from maker_dsl.engine.story import RunsStory, StepMissing, StepStory, explain_step
from maker_dsl.engine.verification import verify_run
from maker_dsl.journal import MemoryDisk, RunDirectory
from maker_dsl.providers.clock import run_virtually
from maker_dsl.providers.port import Request
from maker_dsl.providers.scripted import ScriptedProvider
from maker_dsl.task import Task


def run(
    task: Task | None = None,
    script: Callable[[Request], Any] = right,
    *,
    at_once: bool = True,
    pace: Pace | None = None,
    **asked: Any,
) -> RunDirectory:
    """`sums((1, 2), 1)`: sub-run 1 is `first` with 2 steps, 2 and 3 the items with 1 and 2; then 2 steps that ask."""
    world = memory_world(pace=pace)

    async def main() -> None:
        provider = ScriptedProvider(script, answers_at_once=at_once)
        await new_run(task or sums((1, 2), 1), ProviderSetup(provider), world, **asked).go()

    run_virtually(main())
    return only_run(world.disk)


def forged(directory: RunDirectory, change: Callable[[Event], list[Event]]) -> RunDirectory:
    """The same run with records changed, left out or added and the chain made anew, as only a forger would."""
    disk = MemoryDisk([RUNS])
    forgery = RunDirectory.create(RUNS, directory.run_id, directory.task_text(), directory.facts().configuration, disk)
    journal = forgery.create_journal()
    for event in read_events(directory):
        for changed in change(event):
            journal.append(*encode(changed))
    journal.close()
    return forgery


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("keep", ["all", "contested", "none"])
def test_a_good_run_is_good(keep: Keep, at_once: bool) -> None:
    found = verify_run(run(keep=keep, at_once=at_once), load_sums())
    assert (found.mismatch, found.status, found.steps, found.sub_runs) == (None, "done", 1 + 5 + 2, 3)
    assert (found.replies + found.unkept, found.wrong_steps) == (7, 0)
    deep = verify_run(run(halves(), right_leaf, keep=keep, at_once=at_once), load_halves)
    assert (deep.mismatch, deep.steps, deep.sub_runs, deep.wrong_steps) == (None, 9, 8, 0)


def test_wrong_decisions_of_sub_runs_are_counted_against_their_references() -> None:
    def wrong_once(request: Request) -> str:
        return "next = 77" if (request.question.order, request.question.index) == ((0, 1, 1), 1) else right(request)

    found = verify_run(run(script=wrong_once), load_sums())
    assert (found.mismatch, found.wrong_steps, found.first_wrong_step) == (None, 1, 0)
    assert found.first_wrong_address == "1/each.2/2"
    without = countdown(1)
    without = replace(without, steps=(replace(without.steps[0], reference=None),))
    bare = sums((1, 2), 1, sub=lambda _start: without)
    assert verify_run(run(bare), lambda _text, _record: bare).wrong_steps is None


def on(record: type[Any], at: int, **changes: Any) -> Callable[[Event], list[Event]]:
    """Change the record of a kind with a number, of a sub-run's records its number."""
    done: list[Event] = []

    def change(event: Event) -> list[Event]:
        number = getattr(event, "number", getattr(event, "sub", None))
        if isinstance(event, record) and number == at and not done:
            done.append(event)
            changed: Event = replace(event, **changes)
            return [changed]
        return [event]

    return change


def without(record: type[Any], at: int) -> Callable[[Event], list[Event]]:
    """Leave out the records of a kind with a number."""

    def change(event: Event) -> list[Event]:
        number = getattr(event, "number", getattr(event, "sub", None))
        return [] if isinstance(event, record) and number == at else [event]

    return change


def other_policy(event: Event) -> list[Event]:
    if isinstance(event, SubRunRecord) and event.number == 2:
        policy = replace(event.policies["step"], ahead_by=SettingRecord(1, "default"))
        return [replace(event, policies={"step": policy})]
    return [event]


def begun_twice(event: Event) -> list[Event]:
    if isinstance(event, SubRunRecord) and event.number == 2:
        return [event, replace(event, number=3)]
    return [event]


def asked_at_a_step_that_runs_tasks(event: Event) -> list[Event]:
    if isinstance(event, SubRunRecord) and event.number == 1:
        reply = ReplyRecord("stop", 1, "next = 1", "1")
        return [CallRecord(0, ((0, 0),), 0.0, new=(reply,), replies=(0,)), event]
    return [event]


def ended_early(event: Event) -> list[Event]:
    if isinstance(event, SubRunRecord) and event.number == 3:
        return [event, ReturnRecord(3, '{"n":0}', 0)]
    return [event]


@pytest.mark.parametrize(
    ("change", "what", "address"),
    [
        (on(SubRunRecord, 2, inputs='{"start":2}'), "what sub-run each.1 of step 1 runs", "1"),
        (on(SubRunRecord, 2, task="other"), "what sub-run each.1 of step 1 runs", "1"),
        (on(SubRunRecord, 2, initial_hash="0" * 32), "the initial state of sub-run each.1", "1"),
        (on(SubRunRecord, 2, item=7), "a sub-run of step 1", "1"),
        (on(SubRunRecord, 2, item=None), "a sub-run of step 1", "1"),
        (on(SubRunRecord, 2, name="other"), "a sub-run of step 1", "1"),
        (on(SubRunRecord, 2, number=5), "a sub-run", "1"),
        (on(SubRunRecord, 2, step=1), "a sub-run", "1"),
        (on(SubRunRecord, 2, parent=1), "the run that begins a sub-run", "1"),
        (on(SubRunRecord, 2, expected_steps=9), "the steps expected of the sub-run", "1"),
        (other_policy, "how the steps of the sub-run are decided", "1"),
        (begun_twice, "a sub-run of step 1", "1"),
        (without(SubRunRecord, 2), "the step of a call", "1"),
        (on(ReturnRecord, 2, result='{"n":1}'), "the result of the sub-run 1/each.1", "1/each.1/2"),
        (on(ReturnRecord, 2, steps=2), "the steps of the sub-run 1/each.1", "1/each.1/2"),
        (on(ReturnRecord, 2, number=9), "a sub-run that ends", "1"),
        (on(ReturnRecord, 2, number=0), "a sub-run that ends", "1"),
        (without(ReturnRecord, 2), "the sub-runs of step 1", "1"),
        (ended_early, "the sub-run 1/each.2", "1/each.2/1"),
        (on(ComposedRecord, 0, state_hash="0" * 32), "the state after step 1", "1"),
        (on(ComposedRecord, 0, kind="other"), "the kind of step 1", "1"),
        (on(ComposedRecord, 0, step=1), "the step that takes results over", "1"),
        (on(ComposedRecord, 0, sub=7), "the sub-run of a step", "1"),
        (without(ComposedRecord, 0), "the step of a call", "1"),
        (on(DecisionRecord, 2, value="9"), "the value of step 1/each.1/1", "1/each.1/1"),
        (on(DecisionRecord, 2, state_hash="0" * 32), "the state after step 1/each.1/1", "1/each.1/1"),
        (on(DecisionRecord, 2, sub=8), "the sub-run of a decision", "1"),
        (without(DecisionRecord, 2), "the sub-run 1/each.1", "1/each.1/1"),
        (on(CallRecord, 2, sub=8), "the step of a call", "1"),
        (asked_at_a_step_that_runs_tasks, "the step", "1"),
    ],
)
def test_a_forged_record_is_named_with_its_place(change: Any, what: str, address: str) -> None:
    found = verify_run(forged(run(), change), load_sums())
    assert found.mismatch is not None
    assert (found.mismatch.what, found.mismatch.step) == (what, address)


def test_every_event_is_read_back_as_it_was_written() -> None:
    events = [*read_events(run(keep="contested")), *read_events(run(halves(), right_leaf))]
    assert {type(event) for event in events} == {
        RunRecord,
        CallRecord,
        DecisionRecord,
        SubRunRecord,
        ReturnRecord,
        ComposedRecord,
        EndRecord,
    }
    for event in events:
        assert decode(*encode(event)) == event


@pytest.mark.parametrize("type", [7, 8, 9])
@pytest.mark.parametrize("payload", [b"", b"{}", b"[]", b'{"number":1,"surprise":1}'])
def test_law_8_a_record_that_this_version_does_not_know_is_refused(type: int, payload: bytes) -> None:
    with pytest.raises(RecordUnreadable):
        decode(type, payload)


def test_a_step_that_runs_tasks_is_told_with_its_sub_runs() -> None:
    directory = run()
    story = explain_step(directory, load_sums(), 1)
    assert isinstance(story, RunsStory)
    assert (story.kind, story.address, story.waiting) == ("whole", "1", 0)
    assert (story.state_json, story.next_state_json) == ('{"left":1,"n":0}', '{"left":0,"n":2}')
    told = [(each.address, each.task, each.inputs_json, each.steps, each.result_json) for each in story.sub_runs]
    assert told == [
        ("1/first", "countdown", '{"start":2}', 2, '{"n":0}'),
        ("1/each.1", "countdown", '{"start":1}', 1, '{"n":0}'),
        ("1/each.2", "countdown", '{"start":2}', 2, '{"n":0}'),
    ]


def test_a_step_of_a_sub_run_is_told_by_its_address() -> None:
    story = explain_step(run(), load_sums(), "1/each.2/2")
    assert isinstance(story, StepStory)
    assert (story.step, story.address, story.prompt.user, story.value) == (2, "1/each.2/2", "The number is 1.", "0")
    assert [(each.slot, each.text) for each in story.samples] == [(slot, "next = 0") for slot in range(3)]
    nested = explain_step(run(halves(), right_leaf), load_halves, "1/right/1/right/1/left/1")
    assert isinstance(nested, StepStory)
    assert nested.prompt.user == "Say 1."


def test_what_is_not_done_is_told_as_far_as_it_is() -> None:
    directory = run(max_steps=2)
    story = explain_step(directory, load_sums(), 1)
    assert isinstance(story, RunsStory)
    assert (story.next_state_json, story.waiting) == (None, 1)
    assert [(each.steps, each.result_json) for each in story.sub_runs] == [(2, '{"n":0}'), (0, None)]
    undecided = run(script=lambda request: f"next = {request.draws[0].slot % 2}", max_samples=4)
    open_step = explain_step(undecided, load_sums(), "1/first/1")
    assert isinstance(open_step, StepStory)
    assert (open_step.value, dict(open_step.votes)) == (None, {"0": 2, "1": 2})


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("4", "3 steps are taken"),
        ("1/first/3", "2 steps are taken"),
        ("1/each.9/1", "there is no such sub-run"),
        ("1/first/1/left/1", "there is no such sub-run"),
        ("2/first/1", "there is no such sub-run"),
    ],
)
def test_a_step_that_is_not_there_is_said_so(address: str, told: str) -> None:
    with pytest.raises(StepMissing, match=told):
        explain_step(run(), load_sums(), address)


@pytest.mark.parametrize("text", ["3", "3/left/2", "3/rows.4/2", "12/a_b.10/3/c/4"])
def test_an_address_reads_as_it_is_written(text: str) -> None:
    assert str(parse_address(text)) == text


def test_an_address_knows_the_step_of_the_run_that_it_is_below() -> None:
    assert parse_address("12/a.3/4") == Address("12/a.3/", 3)
    assert (parse_address("12/a.3/4").root_index, parse_address("7").root_index) == (11, 6)


@pytest.mark.parametrize(
    "text", ["", "0", "-1", "x", "3/", "3/left", "3/left/0", "3/rows.0/1", "3//2", "3/left/2/", "٣"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no step"):
        parse_address(text)


def test_a_step_is_told_the_same_from_a_snapshot_as_from_the_whole_journal() -> None:
    directory = run(sums((1, 2), 3), pace=BUSY)
    assert len(directory.snapshots.load().good) == 2
    whole = forged(directory, lambda event: [event])
    assert whole.snapshots.load().good == ()
    addresses = [*map(str, range(1, 10)), "1/first/2", "4/each.2/1", "6/first/1", "7/each.1/1", "7/each.2/2"]
    told = 0
    for address in addresses:
        try:
            story = explain_step(whole, load_sums(), address)
        except StepMissing:
            with pytest.raises(StepMissing):
                explain_step(directory, load_sums(), address)
            continue
        assert explain_step(directory, load_sums(), address) == story
        told += 1
    assert told > 10
