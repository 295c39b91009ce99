"""Verifying finds whatever does not follow; explaining tells a step as it was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from engine_lab import RUNS, countdown, forged, load_countdown, memory_world, new_run, only_run, right

from maker_dsl.engine.encoding import RecordUnreadable, decode, encode
from maker_dsl.engine.inspection import read_events
from maker_dsl.engine.records import (
    CallRecord,
    DecisionRecord,
    EndRecord,
    Event,
    FlagRecord,
)
from maker_dsl.engine.report import RunReport
from maker_dsl.engine.run_state import FoldError
from maker_dsl.engine.settings import Keep
from maker_dsl.engine.start import ProviderSetup, reopen_run
from maker_dsl.engine.story import StepMissing, StepStory, explain_step
from maker_dsl.engine.verification import Verification, verify_run
from maker_dsl.journal import MemoryDisk, RunDirectory, RunUnreadable
from maker_dsl.providers.clock import run_virtually
from maker_dsl.providers.port import Request
from maker_dsl.providers.scripted import ScriptedProvider

STEPS = 4


def sometimes_wrong(request: Request) -> str:
    """Step 1 is contested, step 2 has a flagged reply, the others are clean."""
    (draw,) = request.draws
    match (request.question.index, draw.slot, draw.resample):
        case (1, 1, 0):
            return "well: next = 99"
        case (2, 0, 0):
            return "let me think"
        case _:
            return right(request)


def run(keep: Keep = "all", script: Callable[[Request], Any] = sometimes_wrong) -> RunDirectory:
    world = memory_world()

    async def main() -> RunReport:
        return await new_run(countdown(STEPS), ProviderSetup(ScriptedProvider(script)), world, keep=keep).go()

    assert run_virtually(main()).status == "done"
    assert isinstance(world.disk, MemoryDisk)
    return only_run(world.disk)


def verified(directory: RunDirectory, **facts: Any) -> Verification:
    return verify_run(directory, load_countdown(**facts))


def test_a_good_run_is_good_whatever_it_keeps() -> None:
    found = {keep: verified(run(keep)) for keep in ("all", "contested", "none")}
    assert all(each.is_good and each.status == "done" and each.steps == STEPS for each in found.values())
    assert (found["all"].replies, found["all"].unkept, found["all"].wrong_steps) == (6, 0, 0)
    assert (found["none"].replies, found["none"].unkept) == (0, 6)
    assert 0 < found["contested"].replies < 6
    assert found["all"].receipt != found["none"].receipt


def texts_of(directory: RunDirectory) -> list[tuple[int, list[str | None]]]:
    return [
        (event.step, [reply.text for reply in event.new] + [text for _, text in event.texts])
        for event in read_events(directory)
        if isinstance(event, CallRecord) and (event.new or event.texts)
    ]


def test_only_contested_steps_keep_their_replies_if_so_asked() -> None:
    texts = texts_of(run("contested"))
    assert [text for step, kept in texts for text in kept if step in (0, 3)] == [None, None]
    assert sorted(text for step, kept in texts for text in kept if step == 1 and text) == [
        "next = 2",
        "well: next = 99",
    ]
    assert sorted(text for step, kept in texts for text in kept if step == 2 and text) == ["let me think", "next = 1"]


def test_no_reply_is_kept_if_so_asked() -> None:
    assert [text for _, kept in texts_of(run("none")) for text in kept if text is not None] == []


def on(record: type[Any], at: int, **changes: Any) -> Callable[[Event], Event | None]:
    """Change the first record of a kind at a step."""
    done: list[Event] = []

    def change(event: Event) -> Event | None:
        if isinstance(event, record) and event.step == at and not done:
            done.append(event)
            changed: Event = replace(event, **changes)
            return changed
        return event

    return change


def left_out(kind: type[Any], step: int) -> Callable[[Event], Event | None]:
    """Leave out the first record of a kind at a step."""
    done: list[Event] = []

    def change(event: Event) -> Event | None:
        if isinstance(event, kind) and event.step == step and not done:
            done.append(event)
            return None
        return event

    return change


def with_text(step: int, text: str) -> Callable[[Event], Event | None]:
    def change(event: Event) -> Event | None:
        if isinstance(event, CallRecord) and event.step == step and event.new:
            return replace(event, new=(replace(event.new[0], text=text), *event.new[1:]))
        return event

    return change


def flagged_after_all(event: Event) -> Event | None:
    if isinstance(event, CallRecord) and event.step == 0 and event.new:
        flag = FlagRecord("parse", "malformed", "no")
        return replace(event, new=(replace(event.new[0], key=None, flag=flag),))
    return event


def never_ended(event: Event) -> Event | None:
    return replace(event, result='{"n":7}') if isinstance(event, EndRecord) else event


@pytest.mark.parametrize(
    ("change", "what", "step"),
    [
        (with_text(1, "next = 77"), "the verdict on a reply", 1),
        (with_text(3, "gibberish"), "the verdict on a reply", 3),
        (flagged_after_all, "the verdict on a reply", 0),
        (on(DecisionRecord, 1, value="99"), "the value of step 2", 1),
        (on(DecisionRecord, 1, reply=1), "the value of step 2", 1),
        (on(DecisionRecord, 1, votes=((0, 5),)), "the votes", 1),
        (on(DecisionRecord, 1, samples=3), "the number of samples", 1),
        (on(DecisionRecord, 1, kind="other"), "the kind of the step", 1),
        (on(DecisionRecord, 2, state_hash="0" * 32), "the state after step 3", 2),
        (on(DecisionRecord, 2, step=3), "the step of a decision", 2),
        (left_out(DecisionRecord, 2), "the step of a call", 2),
        (left_out(CallRecord, 3), None, 3),
        (on(CallRecord, 1, draws=((0, 1),)), "the resample at slot 0", 1),
        (on(CallRecord, 1, draws=((0, 0), (0, 0)), replies=(0, 0)), "the resample at slot 0", 1),
        (never_ended, "the result", STEPS),
    ],
)
def test_a_forged_record_is_named_with_its_place(change: Any, what: str | None, step: int) -> None:
    found = verified(forged(run(), change))
    assert found.mismatch is not None
    assert found.mismatch.step == str(step + 1)
    assert what is None or found.mismatch.what == what
    assert str(found.mismatch).startswith(f"record {found.mismatch.record}, step {step + 1}: ")


def test_an_unchanged_copy_is_good() -> None:
    assert verified(forged(run(), lambda event: event)).is_good


def test_with_replies_not_kept_a_false_state_is_still_found() -> None:
    def change(event: Event) -> Event | None:
        if isinstance(event, CallRecord) and event.step == 2 and event.new:
            return replace(event, new=tuple(replace(reply, state='{"n":0}') for reply in event.new))
        return event

    found = verified(forged(run("none"), change))
    assert found.mismatch is not None
    assert found.mismatch.what == "the state after step 3"


def test_decisions_that_differ_from_the_reference_are_counted_not_refused() -> None:
    def script(request: Request) -> str:
        return "next = 50" if request.question.index == 2 else right(request)

    found = verified(run(script=script))
    assert found.is_good
    assert (found.wrong_steps, found.first_wrong_step) == (1, 2)


def test_another_task_is_not_taken_for_the_one_of_the_run() -> None:
    found = verify_run(run(), lambda _text, _record: countdown(STEPS + 1))
    assert found.mismatch is not None
    assert found.mismatch.what == "the initial state"


def test_what_is_changed_beside_the_journal_is_found() -> None:
    directory = run()
    facts = directory.facts().configuration
    what = "what run.json says"
    for changes in ({"task_sha256": "0" * 64}, {"inputs": '{"start":9}'}, {"seed": 77}, {"keep": "contested"}):
        disk = MemoryDisk([RUNS])
        configuration = {"record": {**facts["record"], **changes}}
        changed = RunDirectory.create(RUNS, directory.run_id, directory.task_text(), configuration, disk)
        journal = changed.create_journal()
        for event in read_events(directory):
            journal.append(*encode(event))
        journal.close()
        found = verified(changed)
        assert (None if found.mismatch is None else found.mismatch.what) == what
        with pytest.raises((RunUnreadable, FoldError), match=r"run\.json or task\.maker was changed|the initial state"):
            reopen_run(changed, load_countdown(), lambda _t, _r: ProviderSetup(ScriptedProvider(right)))
    edited = RunDirectory.create(
        RUNS, directory.run_id, "task countdown { other }", facts, another := MemoryDisk([RUNS])
    )
    journal = edited.create_journal()
    for event in read_events(directory):
        journal.append(*encode(event))
    journal.close()
    found = verified(edited)
    assert found.mismatch is not None
    assert found.mismatch.what == "the hash of task.maker"
    with pytest.raises(RunUnreadable, match=r"task\.maker was changed"):
        reopen_run(edited, load_countdown(), lambda _t, _r: ProviderSetup(ScriptedProvider(right)))
    assert another.locks == set()


def test_a_step_is_told_with_its_prompt_its_samples_and_its_votes() -> None:
    story = explain_step(run(), load_countdown(), 2)
    assert isinstance(story, StepStory)
    assert (story.kind, story.ahead_by, story.value, story.prompt.user) == ("step", 3, "2", "The number is 3.")
    assert (story.state_json, story.next_state_json) == ('{"n":3}', '{"n":2}')
    assert story.votes == (("2", 4), ("99", 1))
    assert [(each.slot, each.resample, each.key, each.temperature) for each in story.samples] == [
        (0, 0, "2", 0.0),
        (1, 0, "99", 0.1),
        (2, 0, "2", 0.1),
        (3, 0, "2", 0.1),
        (4, 0, "2", 0.1),
    ]
    third = explain_step(run(), load_countdown(), "3")
    assert isinstance(third, StepStory)
    flagged = third.samples[0]
    assert flagged.flag is not None
    assert (flagged.flag.name, flagged.text, flagged.counted) == ("malformed", "let me think", False)


def test_a_step_that_is_not_there_is_said_so() -> None:
    with pytest.raises(StepMissing, match="has not come to step 5: 4 steps are taken"):
        explain_step(run(), load_countdown(), STEPS + 1)


def test_every_event_is_read_back_as_it_was_written() -> None:
    for keep in ("all", "contested", "none"):
        for event in read_events(run(keep)):
            assert decode(*encode(event)) == event


@pytest.mark.parametrize("payload", [b"", b"{}", b'{"step":1}', b"[]", b'{"step":0,"draws":[],"surprise":1}'])
def test_law_8_a_record_that_this_version_does_not_know_is_refused(payload: bytes) -> None:
    with pytest.raises(RecordUnreadable):
        decode(2, payload)
    with pytest.raises(RecordUnreadable, match="unknown type 99"):
        decode(99, payload)
