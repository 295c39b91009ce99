"""A run of sub-runs, killed anywhere and resumed, ends with the same decisions as one left alone."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest
from engine_lab import (
    BUSY,
    RUNS,
    DyingDisk,
    fate,
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

from maker_dsl.engine.checkpoint import checkpoint, restore
from maker_dsl.engine.encoding import encode
from maker_dsl.engine.fold import Fold
from maker_dsl.engine.frame import Frame
from maker_dsl.engine.inspection import read_events, read_status
from maker_dsl.engine.records import DecisionRecord, Event, RunRecord, SubRunRecord
from maker_dsl.engine.report import RunReport
from maker_dsl.engine.run_state import RunState, begin
from maker_dsl.engine.settings import RunOptions
from maker_dsl.engine.start import LoadTask, ProviderSetup, resume_run
from maker_dsl.engine.verification import verify_run
from maker_dsl.journal import JournalError, MemoryDisk, RunDirectory, list_runs
from maker_dsl.journal.memory_disk import Stopped
from maker_dsl.providers.clock import FakeClock, run_virtually
from maker_dsl.providers.port import Request, TransientError
from maker_dsl.providers.scripted import Answer, ScriptedProvider
from maker_dsl.task import Task


@dataclass(frozen=True)
class Case:
    """A task whose steps run others, and how it is loaded and answered."""

    task: Task
    load: LoadTask
    right: Any


SUMS = Case(sums((1, 2), 1), load_sums(), right)
HALVES = Case(halves((3, 1, 4)), load_halves, right_leaf)


def provider(case: Case, *, at_once: bool) -> ScriptedProvider:
    """Wrong, malformed and late replies; what a sample says depends on its place in the tree and its draw alone."""
    tries: dict[object, int] = {}

    def unreliable(request: Request) -> Answer | TransientError:
        place = (request.question.key, request.question.order, request.draws)
        tries[place] = tries.get(place, 0) + 1
        if fate("down", *place, tries[place]) < 0.1:
            return TransientError("busy", kind="rate_limit", status=429)
        texts = []
        for draw in request.draws:
            luck = fate("luck", *place[:2], draw)
            wrong = f"next = {int(luck * 1000)}"
            texts.append("no idea" if luck < 0.15 else wrong if luck < 0.4 else case.right(request))
        return Answer(tuple(texts), delay_s=fate("late", *place))

    clock = None if at_once else FakeClock()
    return ScriptedProvider(unreliable, clock=clock, samples_per_call=2, answers_at_once=at_once)


def start(case: Case, disk: MemoryDisk, *, at_once: bool, **asked: Any) -> RunReport:
    async def main() -> RunReport:
        setup = ProviderSetup(provider(case, at_once=at_once))
        return await new_run(case.task, setup, memory_world(disk, pace=BUSY), **asked).go()

    return run_virtually(main())


def resume(case: Case, disk: MemoryDisk, *, at_once: bool, **asked: Any) -> RunReport:
    async def main() -> RunReport:
        setup = ProviderSetup(provider(case, at_once=at_once))
        world = memory_world(disk, pace=BUSY)
        return await resume_run(only_run(disk), case.load, lambda _t, _r: setup, RunOptions(**asked), world=world)

    return run_virtually(main())


@dataclass(frozen=True)
class Outcome:
    """What must not depend on kills: the decisions by place, and the counts."""

    decisions: list[tuple[Any, ...]]
    steps: int
    samples: int
    votes: int
    flags: dict[str, int]
    result: Any


def outcome(disk: MemoryDisk, report: RunReport) -> Outcome:
    places: dict[int, tuple[Any, ...]] = {0: ()}
    decisions = []
    for event in read_events(only_run(disk)):
        if isinstance(event, SubRunRecord):
            places[event.number] = (*places[event.parent], event.step, event.name, event.item or 0)
        if isinstance(event, DecisionRecord):
            votes = sorted(count for _, count in event.votes)
            decisions.append((places[event.sub], event.step, event.value, votes, event.samples, event.state_hash))
    report_says = (report.steps, report.samples, report.votes, dict(report.flags), report.result)
    return Outcome(sorted(decisions, key=lambda one: str(one[:2])), *report_says)


@pytest.mark.long
@pytest.mark.parametrize("case", [SUMS, HALVES], ids=["sums", "halves"])
@pytest.mark.parametrize("at_once", [True, False])
def test_law_4_killed_at_operations_of_the_disk_and_resumed(case: Case, at_once: bool) -> None:
    """At every third: the sums are killed at others than the halves."""
    disk = DyingDisk()
    undisturbed = outcome(disk, start(case, disk, at_once=at_once))
    assert undisturbed.flags
    assert undisturbed.samples > 3 * len(undisturbed.decisions)
    operations = disk.operations
    resumed = 0
    for stop_at in range(1 if case is SUMS else 2, operations + 1, 3):
        dying = DyingDisk()
        dying.stop_at = stop_at
        with pytest.raises(BaseException) as stopped:
            start(case, dying, at_once=at_once)
        assert isinstance(stopped.value, Stopped | BaseExceptionGroup)
        left = dying.power_cut(Random(stop_at)) if stop_at % 2 else dying.kill()
        if not list_runs(RUNS, left):
            continue
        report = resume(case, left, at_once=at_once)
        assert outcome(left, report) == undisturbed, stop_at
        verification = verify_run(only_run(left), case.load)
        assert verification.is_good, verification.mismatch
        resumed += 1
    assert resumed > operations // 6


def undisturbed_run(case: Case) -> tuple[RunDirectory, list[Event], Outcome]:
    disk = MemoryDisk()
    ended = outcome(disk, start(case, disk, at_once=False))
    return only_run(disk), list(read_events(only_run(disk))), ended


@pytest.mark.parametrize("case", [SUMS, HALVES], ids=["sums", "halves"])
def test_law_4_resumed_from_every_prefix_of_the_journal(case: Case) -> None:
    directory, events, ended = undisturbed_run(case)
    for length in range(1, len(events)):
        disk = MemoryDisk([RUNS])
        cut = RunDirectory.create(RUNS, directory.run_id, directory.task_text(), directory.facts().configuration, disk)
        journal = cut.create_journal()
        for event in events[:length]:
            journal.append(*encode(event))
        journal.close()
        assert outcome(disk, resume(case, disk, at_once=length % 2 == 0)) == ended, length


def known(run: RunState) -> Any:
    """All that a run's state says, in a form to be compared."""
    return (
        [known_frame(frame) for _, frame in sorted(run.frames.items())],
        (run.totals, run.caps, run.spent, run.granted, run.epochs, run.defaults),
    )


def known_frame(frame: Frame) -> Any:
    opened, vote, runs = frame.open, None, None
    if opened is not None:
        ballot = opened.ballot
        vote = (
            ballot.decision,
            dict(ballot.votes),
            ballot.counted,
            opened.flagged_by_slot,
            opened.votes_by_slot,
            list(opened.first_of_key.items()),
            [entry.record for entry in opened.entries],
            opened.samples,
        )
    if frame.runs is not None:
        runs = (frame.runs.results, {unit: child.number for unit, child in frame.runs.live.items()}, frame.runs.inputs)
    parent = None if frame.parent is None else frame.parent.number
    place = (frame.number, parent, frame.parent_step, frame.unit, frame.path, frame.order, frame.seed, frame.depth)
    state = (frame.task_name, frame.inputs, frame.index, frame.sub_steps, frame.state, frame.state_hash)
    return (place, state, frame.policies, frame.expected_steps, vote, runs)


@pytest.mark.parametrize("case", [SUMS, HALVES], ids=["sums", "halves"])
def test_law_4_for_every_prefix_of_a_journal_a_snapshot_and_the_rest_are_the_fold(case: Case) -> None:
    _, events, _ = undisturbed_run(case)
    first, *events = events
    assert isinstance(first, RunRecord)
    whole = Fold(begin(first, case.task))
    resumed: list[Fold] = []
    live = 0
    for event in events:
        for fold in (whole, *resumed):
            fold.apply(event)
        if whole.run.root.open is not None:
            continue
        live = max(live, sum(frame.open is not None for frame in whole.run.frames.values()))
        payload = checkpoint(whole.run)
        again = Fold(restore(payload, case.task))
        assert known(again.run) == known(whole.run)
        assert checkpoint(again.run) == payload
        resumed.append(again)
    assert live > 1
    assert all(known(fold.run) == known(whole.run) for fold in resumed)


def test_status_without_a_task_knows_the_same_frames_from_a_snapshot_as_from_the_whole_journal() -> None:
    _, events, _ = undisturbed_run(HALVES)
    first, *events = events
    assert isinstance(first, RunRecord)
    whole, blind = Fold(begin(first, HALVES.task)), Fold(begin(first, None))
    for event in events:
        whole.apply(event)
        blind.apply(event)
        seen = [(frame.path, frame.index, frame.task_name) for frame in blind.run.root.live()]
        assert sorted(seen) == sorted((each.path, each.index, each.task_name) for each in whole.run.root.live())
        assert blind.run.totals == whole.run.totals
        if whole.run.root.open is None:
            restored = restore(checkpoint(whole.run), None)
            assert [(frame.path, frame.index, frame.task_name) for frame in restored.root.live()] == seen


def test_killed_again_and_again_with_a_limit_on_the_way() -> None:
    disk = DyingDisk()
    undisturbed = outcome(disk, start(SUMS, disk, at_once=False))
    random = Random(5)
    disk_left: MemoryDisk = MemoryDisk()
    assert start(SUMS, disk_left, at_once=False, max_steps=2).status == "limit"
    for kill in range(200):
        dying = DyingDisk.after(disk_left)
        dying.stop_at = random.randrange(5, 60)
        try:
            report = resume(SUMS, dying, at_once=False, max_steps=3 + kill)
        except (Stopped, BaseExceptionGroup):
            disk_left = dying.kill()
            continue
        if report.status == "limit":
            disk_left = dying.kill()
            continue
        assert outcome(dying, report) == undisturbed
        return
    pytest.fail("never came to the end")


def test_status_shows_the_tree_of_what_is_live() -> None:
    disk = MemoryDisk()
    report = start(HALVES, disk, at_once=False, max_steps=1)
    status = read_status(only_run(disk))
    assert (report.steps, status.progress.steps) == (1, 1)
    told = [(each.address, each.task, each.sub_runs_done, each.live_sub_runs) for each in status.live]
    assert told == [("1", "halves", 1, 1), ("1/right/1", "halves", None, 0)]
    report = resume(HALVES, disk, at_once=False, max_steps=2)
    told = [
        (each.address, each.task, each.sub_runs_done, each.live_sub_runs) for each in read_status(only_run(disk)).live
    ]
    assert told == [("1", "halves", 1, 1), ("1/right/1", "halves", 1, 1), ("1/right/1/right/1", "halves", None, 0)]


@pytest.mark.parametrize("kind", ["write", "sync", "allocate", "rename"])
def test_whatever_operation_of_the_disk_fails_the_run_says_so_and_can_be_resumed(kind: str) -> None:
    """One failure in five of a kind, sub-runs side by side."""
    disk = DyingDisk()
    undisturbed = outcome(disk, start(SUMS, disk, at_once=False))
    for number in range(1, disk.counts[kind] + 1, 5):
        failing = MemoryDisk()
        failing.fail_at[kind, number] = errno.EIO
        try:
            report = start(SUMS, failing, at_once=False)
        except JournalError:
            report = None
        if report is not None and report.status == "done":
            assert outcome(failing, report) == undisturbed
            continue
        assert report is None or (report.reason is not None and "failed" in report.reason)
        left = failing.kill()
        if list_runs(RUNS, left):
            assert outcome(left, resume(SUMS, left, at_once=False)) == undisturbed
