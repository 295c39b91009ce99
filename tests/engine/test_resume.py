"""A run killed anywhere and resumed ends with the same decisions as one left alone."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from random import Random
from typing import Any

import orjson
import pytest
from engine_lab import (
    BUSY,
    COUNTDOWN_TEXT,
    RUNS,
    DyingDisk,
    countdown,
    fate,
    load_countdown,
    memory_world,
    new_run,
    only_run,
    right,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from maker_dsl.engine.checkpoint import checkpoint, restore
from maker_dsl.engine.fold import Fold
from maker_dsl.engine.inspection import read_events, read_status
from maker_dsl.engine.records import CallRecord, DecisionRecord, EndRecord, FlagRecord, ReplyRecord, RunRecord
from maker_dsl.engine.report import RunReport
from maker_dsl.engine.run_state import RunState, begin
from maker_dsl.engine.settings import RunOptions, SettingsRefused
from maker_dsl.engine.start import ProviderSetup, resume_run
from maker_dsl.engine.verification import verify_run
from maker_dsl.journal import JournalError, MemoryDisk, RunBusy, list_runs
from maker_dsl.journal.memory_disk import Stopped
from maker_dsl.providers.clock import FakeClock, run_virtually
from maker_dsl.providers.port import Request, TransientError
from maker_dsl.providers.scripted import Answer, ScriptedProvider

STEPS = 6


def unreliable(request: Request) -> Answer | TransientError:
    """Wrong, malformed and late replies; what a sample says depends on the seed, its step and its draw alone."""
    index = request.question.index
    if fate("down", index, request.draws, len(tries := _TRIES.setdefault((index, request.draws), []))) < 0.1:
        tries.append(1)
        return TransientError("busy", kind="rate_limit", status=429)
    texts = []
    for draw in request.draws:
        luck = fate("luck", index, draw)
        texts.append("no idea" if luck < 0.15 else f"next = {int(luck * 1000)}" if luck < 0.4 else right(request))
    return Answer(tuple(texts), delay_s=fate("late", index, request.draws))


_TRIES: dict[object, list[int]] = {}


def provider(*, at_once: bool, samples_per_call: int = 1) -> ScriptedProvider:
    _TRIES.clear()
    clock = None if at_once else FakeClock()
    return ScriptedProvider(unreliable, clock=clock, samples_per_call=samples_per_call, answers_at_once=at_once)


def start(disk: MemoryDisk, made: ScriptedProvider, **asked: Any) -> RunReport:
    async def main() -> RunReport:
        return await new_run(countdown(STEPS), ProviderSetup(made), memory_world(disk, pace=BUSY), **asked).go()

    return run_virtually(main())


def resume(disk: MemoryDisk, made: ScriptedProvider, asked: RunOptions | None = None, **more: Any) -> RunReport:
    async def main() -> RunReport:
        setup = ProviderSetup(made)
        world = memory_world(disk, pace=BUSY)
        return await resume_run(only_run(disk), load_countdown(), lambda _t, _r: setup, asked, world=world, **more)

    return run_virtually(main())


@dataclass(frozen=True)
class Outcome:
    """What must not depend on kills."""

    decisions: list[tuple[int, str, str, list[int], int, str]]
    samples: int
    votes: int
    flags: dict[str, int]
    status: str


def outcome(disk: MemoryDisk, report: RunReport) -> Outcome:
    decisions = [
        (
            event.step,
            event.kind,
            event.value,
            sorted(count for _, count in event.votes),
            event.samples,
            event.state_hash,
        )
        for event in read_events(only_run(disk))
        if isinstance(event, DecisionRecord)
    ]
    return Outcome(decisions, report.samples, report.votes, dict(report.flags), report.status)


@pytest.mark.parametrize(("at_once", "samples_per_call"), [(True, 4), (False, 1), (False, 2)])
@pytest.mark.parametrize("power", [True, False])
def test_law_4_killed_at_every_operation_of_the_disk_and_resumed(
    at_once: bool, samples_per_call: int, power: bool
) -> None:
    disk = DyingDisk()
    undisturbed = outcome(disk, start(disk, provider(at_once=at_once, samples_per_call=samples_per_call)))
    assert len(undisturbed.decisions) == STEPS
    assert undisturbed.samples > 3 * STEPS
    assert undisturbed.flags
    operations = disk.operations
    resumed = 0
    for stop_at in range(1, operations + 1):
        dying = DyingDisk()
        dying.stop_at = stop_at
        with pytest.raises(BaseException) as stopped:
            start(dying, provider(at_once=at_once, samples_per_call=samples_per_call))
        assert isinstance(stopped.value, Stopped | BaseExceptionGroup)
        left = dying.power_cut(Random(stop_at)) if power else dying.kill()
        if not list_runs(RUNS, left):
            continue
        report = resume(left, provider(at_once=at_once, samples_per_call=samples_per_call))
        assert outcome(left, report) == undisturbed, stop_at
        verification = verify_run(only_run(left), load_countdown())
        assert verification.is_good, verification.mismatch
        resumed += 1
    assert resumed > operations // 2


def test_killed_again_and_again() -> None:
    disk = DyingDisk()
    undisturbed = outcome(disk, start(disk, provider(at_once=False)))
    random = Random(5)
    dying = DyingDisk()
    dying.stop_at = 20
    with pytest.raises(BaseException):  # noqa: B017
        start(dying, provider(at_once=False))
    disk_left = dying.kill()
    for _ in range(200):
        dying = DyingDisk.after(disk_left)
        dying.stop_at = random.randrange(5, 40)
        try:
            report = resume(dying, provider(at_once=False))
        except (Stopped, BaseExceptionGroup):
            disk_left = dying.kill()
            continue
        assert outcome(dying, report) == undisturbed
        return
    pytest.fail("never came to the end")


def test_a_run_stopped_by_a_limit_goes_on_with_a_higher_one() -> None:
    disk = DyingDisk()
    undisturbed = outcome(disk, start(disk, provider(at_once=False)))
    disk = MemoryDisk()
    assert start(disk, provider(at_once=False), max_steps=2).status == "limit"
    assert resume(disk, provider(at_once=False)).status == "limit"
    report = resume(disk, provider(at_once=False), RunOptions(max_steps=100))
    assert outcome(disk, report) == undisturbed


def test_an_undecided_run_goes_on_with_more_samples() -> None:
    def script(request: Request) -> str:
        (draw,) = request.draws
        return ("next = 4", "next = 5")[draw.slot % 2] if draw.slot < 20 else "next = 5"

    disk = MemoryDisk()
    report = start(disk, ScriptedProvider(script), max_samples=10)
    assert (report.status, report.samples) == ("undecided", 10)
    assert resume(disk, ScriptedProvider(script)).samples == 10
    report = resume(disk, ScriptedProvider(script), RunOptions(max_samples=60, max_steps=1))
    assert (report.status, report.steps, report.samples) == ("limit", 1, 23)


def test_law_8_only_limits_can_be_set_anew() -> None:
    disk = MemoryDisk()
    start(disk, provider(at_once=False), max_steps=2)
    with pytest.raises(SettingsRefused) as refused:
        resume(disk, provider(at_once=False), RunOptions(ahead_by=5))
    assert refused.value.diagnostics[0].code == "MK554"
    assert resume(disk, provider(at_once=False), RunOptions(max_steps=3)).steps == 3


def test_a_changed_task_is_refused_and_the_run_stays_as_it_is() -> None:
    disk = MemoryDisk()
    start(disk, provider(at_once=False), max_steps=2)
    with pytest.raises(SettingsRefused) as refused:
        resume(disk, provider(at_once=False), task_text="task countdown { other }")
    assert refused.value.diagnostics[0].code == "MK553"
    assert resume(disk, provider(at_once=False), RunOptions(max_steps=9), task_text=COUNTDOWN_TEXT).status == "done"


def test_a_second_process_is_refused() -> None:
    disk = MemoryDisk()
    start(disk, provider(at_once=False), max_steps=2)
    lock = only_run(disk).lock()
    with pytest.raises(RunBusy):
        resume(disk, provider(at_once=False))
    lock.release()
    assert resume(disk, provider(at_once=False), RunOptions(max_steps=9)).status == "done"


def test_a_finished_run_stays_finished() -> None:
    disk = MemoryDisk()
    start(disk, provider(at_once=False))
    asked = provider(at_once=False)
    report = resume(disk, asked)
    assert (report.status, report.result, asked.calls) == ("done", {"n": 0}, [])


def known(run: RunState) -> tuple[Any, ...]:
    """All that a run's state says, in a form to be compared."""
    opened = None
    root = run.root
    if root.open is not None:
        opened = (dict(root.open.ballot.votes), root.open.flagged_by_slot, root.open.votes_by_slot, root.open.samples)
    return (root.index, root.state, root.state_hash, run.totals, run.caps, run.spent, run.granted, run.epochs, opened)


def test_law_4_for_every_prefix_of_a_journal_resume_is_the_fold() -> None:
    disk = MemoryDisk()
    start(disk, provider(at_once=False), max_steps=3)
    resume(disk, provider(at_once=False), RunOptions(max_steps=9))
    first, *events = read_events(only_run(disk))
    assert isinstance(first, RunRecord)
    task = countdown(STEPS)
    whole = Fold(begin(first, task))
    snapshots: list[bytes] = []
    tails: list[list[Any]] = []
    for event in events:
        whole.apply(event)
        for tail in tails:
            tail.append(event)
        if isinstance(event, DecisionRecord | EndRecord):
            snapshots.append(checkpoint(whole.run))
            tails.append([])
        for taken, tail in zip(snapshots, tails, strict=True):
            resumed = Fold(restore(taken, task))
            for each in tail:
                resumed.apply(each)
            assert known(resumed.run) == known(whole.run)
    without_task = Fold(begin(first, None))
    for event in events:
        without_task.apply(event)
    assert without_task.run.totals == whole.run.totals
    assert (without_task.run.root.index, without_task.run.root.state_hash) == (
        whole.run.root.index,
        whole.run.root.state_hash,
    )


def test_status_needs_no_lock_and_no_task() -> None:
    disk = MemoryDisk()
    start(disk, provider(at_once=False), max_steps=2)
    lock = only_run(disk).lock()
    status = read_status(only_run(disk))
    lock.release()
    assert (status.status, status.progress.steps, status.progress.expected_steps) == ("limit", 2, STEPS)
    assert status.reason == "the limit --max-steps 2 is reached"


@settings(deadline=None)
@given(st.lists(st.sampled_from("aab?"), min_size=3, max_size=12), st.randoms(use_true_random=False))
def test_the_order_of_independent_calls_does_not_matter(said: list[str], random: Random) -> None:
    """Calls of one step, each for a slot of its own, folded in two orders."""
    task = countdown(STEPS)
    disk = MemoryDisk()
    start(disk, provider(at_once=True), max_steps=0)
    first = next(iter(read_events(only_run(disk))))
    assert isinstance(first, RunRecord)
    outcomes = []
    for calls in (list(enumerate(said)), random.sample(list(enumerate(said)), len(said))):
        fold = Fold(begin(first, task))
        seen: list[str] = []
        for slot, text in calls:
            new = ()
            if text not in seen:
                seen.append(text)
                flag = FlagRecord("parse", "malformed", "no") if text == "?" else None
                new = (ReplyRecord("stop", 1, text, None if flag else text, flag),)
            fold.apply(CallRecord(0, ((slot, 0),), None, "ok", new, (seen.index(text),), (1, 1, 0), 0.5))
        opened = fold.open_step(fold.run.root)
        votes = {slot: opened.entries[number].key for slot, number in opened.votes_by_slot.items()}
        outcomes.append(
            (opened.ballot.decision, dict(opened.ballot.votes), votes, opened.flagged_by_slot, fold.run.totals)
        )
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("kind", ["write", "sync", "sync_directory", "allocate", "rename"])
def test_whatever_operation_of_the_disk_fails_the_run_says_so_and_can_be_resumed(kind: str) -> None:
    disk = DyingDisk()
    undisturbed = outcome(disk, start(disk, provider(at_once=False)))
    for number in range(1, disk.counts[kind] + 1):
        failing = MemoryDisk()
        failing.fail_at[kind, number] = errno.EIO
        try:
            report = start(failing, provider(at_once=False))
        except JournalError:
            report = None
        if report is not None and report.status == "done":
            assert outcome(failing, report) == undisturbed
            continue
        assert report is None or (report.reason is not None and "failed" in report.reason)
        left = failing.kill()
        if list_runs(RUNS, left):
            assert outcome(left, resume(left, provider(at_once=False))) == undisturbed


def test_a_snapshot_from_before_there_were_sub_runs_is_read() -> None:
    disk = MemoryDisk()
    start(disk, provider(at_once=False), max_steps=4)
    first, *events = read_events(only_run(disk))
    assert isinstance(first, RunRecord)
    whole = Fold(begin(first, countdown(STEPS)))
    for event in events:
        whole.apply(event)
    kept = orjson.loads(checkpoint(whole.run))
    assert kept.keys().isdisjoint(("defaults", "frames", "results", "sub_steps"))
    for name in ("steps", "sub_runs", "wordings"):
        del kept["totals"][name]
    del kept["caps"]["max_depth"]
    assert known(restore(orjson.dumps(kept), countdown(STEPS))) == known(whole.run)
