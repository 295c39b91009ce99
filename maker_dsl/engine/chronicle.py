"""A run's steps one after the other, as its journal has them, each with its calls and samples.

Used by exports and reports. Needs no lock, no model, and no task either: with one, states and prompts can be told too.
Invariant: memory holds the steps that are open at a record, never those before them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from maker_dsl.engine.ballot import Ballot
from maker_dsl.engine.encoding import RecordUnreadable, decode
from maker_dsl.engine.fold import Fold
from maker_dsl.engine.frame import Frame
from maker_dsl.engine.inspection import begin_with
from maker_dsl.engine.open_step import OpenStep
from maker_dsl.engine.records import (
    CallRecord,
    ComposedRecord,
    DecisionRecord,
    Event,
    PolicyRecord,
    ReturnRecord,
    RunRecord,
)
from maker_dsl.engine.run_state import FoldError, RunState, begin
from maker_dsl.engine.sample_story import SampleStory, sample_stories
from maker_dsl.engine.start import LoadTask, read_run_record
from maker_dsl.engine.stopping import StoppingTable
from maker_dsl.engine.turns import Turns, turns_of
from maker_dsl.engine.weighted_ballot import WHOLE_VOTE
from maker_dsl.journal.errors import JournalDamaged, JournalMissing
from maker_dsl.journal.run_directory import RunDirectory
from maker_dsl.task import State, Task, TaskError
from maker_dsl.types.errors import ValueRefused

Stage = Literal["decided", "composed", "open"]


@dataclass(frozen=True, slots=True)
class Share:
    """What one sample took of the calls that asked for it: each call's figures, by the number of its draws."""

    calls: int
    latency_s: float
    cost_usd: float | None


@dataclass(frozen=True, slots=True)
class StepEntry:
    """One step: decided by a vote, composed of the results of sub-runs, or open at the journal's end.

    `task` and `state` are None where the chronicle is read without the task.
    """

    address: str
    path: str
    """What stands before the number of the step in the address; empty for the run's own steps."""
    task_name: str
    kind: str | None
    """None for an open step whose kind can't be told without the task."""
    index: int
    stage: Stage
    policy: PolicyRecord | None
    state_before: str
    """The hash."""
    state_after: str | None
    decision: DecisionRecord | None
    opened: OpenStep | None
    calls: tuple[CallRecord, ...]
    sub_runs: int
    """Where the step runs tasks: how many have returned."""
    task: Task | None
    state: State | None
    following: State | None

    def samples(self) -> list[SampleStory]:
        """The samples that are complete, in the order of slots and of what filled them."""
        if self.opened is None or self.policy is None:
            return []
        told = sample_stories(self.calls, self.opened, self.policy)
        return sorted(told, key=lambda sample: (sample.slot, sample.resample))

    def shares(self) -> dict[tuple[int, int], Share]:
        """What each sample took, by slot and resample."""
        shares: dict[tuple[int, int], Share] = {}
        for call in self.calls:
            cost = cost_of_call(call)
            for draw in call.draws:
                before = shares.get(draw, Share(0, 0.0, None))
                part = None if cost is None else cost / len(call.draws)
                shares[draw] = Share(
                    before.calls + 1, before.latency_s + call.latency_s / len(call.draws), _sum(before.cost_usd, part)
                )
        return shares

    @property
    def cost_usd(self) -> float | None:
        """What its calls cost, at their worst where nobody knows; None where there is no price."""
        total: float | None = None
        for call in self.calls:
            total = _sum(total, cost_of_call(call))
        return total

    @property
    def votes(self) -> Mapping[str, int]:
        """The counted votes by key, in the order in which the keys came up."""
        return {} if self.opened is None else self.opened.ballot.votes


@dataclass(slots=True)
class Late:
    """Calls that ended after their step was decided: paid for, and of no step's entry."""

    calls: int = 0
    cost_usd: float = 0.0


def cost_of_call(call: CallRecord) -> float | None:
    """What a call counts as, as the fold has it: what was set aside where nobody knows what it used."""
    return call.cost_usd if call.reserved is None else call.reserved[0]


@dataclass(slots=True)
class Chronicle:
    """Reads a run's journal once. `notes` and `run` are complete when `entries` has ended.

    Without `load_task` states are known by their hashes alone. Whatever ends the reading early (damage, a record that
    doesn't follow from those before it) becomes a note, and `is_whole` false.
    """

    directory: RunDirectory
    load_task: LoadTask | None = None
    record: RunRecord = field(init=False)
    run: RunState = field(init=False)
    late: Late = field(default_factory=Late)
    notes: list[str] = field(default_factory=list)
    is_whole: bool = True
    receipt: str = ""
    """The hash over all records that were read."""
    _task: Task | None = None
    _calls: dict[int, list[CallRecord]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raises JournalError for a directory that is no run's, and what `load_task` raises."""
        self.record = read_run_record(self.directory)
        if self.load_task is not None:
            self._task = self.load_task(self.directory.task_text(), self.record)
        self.run = begin(self.record, None)

    def entries(self) -> Iterator[StepEntry]:
        """All steps, in the order in which they were decided; then those that are open. To be read once."""
        fold: Fold | None = None
        try:
            with self.directory.reader() as reader:
                for raw in reader.tail():
                    event = decode(raw.type, raw.payload)
                    if fold is None:
                        fold = Fold(begin_with(event, self._task))
                        self.run = fold.run
                        continue
                    entry = self._take(fold, event)
                    if entry is not None:
                        yield entry
                torn, self.receipt = reader.torn, reader.head
        except JournalMissing:
            self.notes.append("the run has no journal: its process ended before the first record")
            return
        except (JournalDamaged, FoldError, RecordUnreadable, TaskError, ValueRefused) as error:
            self.is_whole = False
            self.notes.append(f"the journal can't be read further, what follows is missing: {error}")
            torn = None
        if fold is None:
            self.notes.append("the journal has no record yet")
            return
        yield from self._open_entries(fold)
        self._note(torn)

    def _take(self, fold: Fold, event: Event) -> StepEntry | None:
        """Fold an event; returns the step that ended with it."""
        frames = fold.run.frames
        match event:
            case CallRecord():
                frame = frames.get(event.sub)
                if frame is None or frame.index != event.step:
                    self.late.calls += 1
                    self.late.cost_usd += cost_of_call(event) or 0.0
                else:
                    self._calls.setdefault(event.sub, []).append(event)
            case DecisionRecord() if event.sub in frames:
                frame = frames[event.sub]
                opened, before, state = frame.open, frame.state_hash, frame.state
                if opened is not None and event.kind in frame.policies:
                    opened.ballot = _counted(opened, turns_of(frame.policies[event.kind]), fold.run.table)
                fold.apply(event)
                calls = tuple(self._calls.pop(event.sub, ()))
                return _entry(frame, event.step, event.kind, "decided", before, state, opened, calls, event)
            case ComposedRecord() if event.sub in frames:
                frame = frames[event.sub]
                before, state = frame.state_hash, frame.state
                returned = 0 if frame.runs is None else len(frame.runs.results)
                fold.apply(event)
                return _entry(frame, event.step, event.kind, "composed", before, state, None, (), None, returned)
            case ReturnRecord():
                self._calls.pop(event.number, None)
        fold.apply(event)
        return None

    def _open_entries(self, fold: Fold) -> Iterator[StepEntry]:
        for number, frame in fold.run.frames.items():
            calls = tuple(self._calls.get(number, ()))
            if frame.runs is not None or (not calls and frame.open is None):
                continue
            kind = next(iter(frame.policies)) if len(frame.policies) == 1 else None
            if frame.task is not None and frame.state is not None and not frame.task.is_done(frame.state):
                kind = frame.task.next_step(frame.state).name
            yield _entry(frame, frame.index, kind, "open", frame.state_hash, frame.state, frame.open, calls, None)

    def _note(self, torn: str | None) -> None:
        end = self.run.end
        if torn:
            self.notes.append("the journal ends in a record that was being written; it is left out")
        if end is None:
            writer = self.directory.writer()
            told = "the run was killed" if writer is None else f"the run is at work (process {writer})"
            self.notes.append(f"{told}: what its journal has so far is here")
        elif end.status != "done":
            self.notes.append(f"the run is not done ({end.status}): what its journal has so far is here")
        if self.late.calls:
            calls = "1 call" if self.late.calls == 1 else f"{self.late.calls:,} calls"
            cost = f"${self.late.cost_usd:.6f}"
            told = f"{calls} ended after the step was decided; what they cost, {cost}, is in no step's figures"
            self.notes.append(told)


def _entry(
    frame: Frame,
    index: int,
    kind: str | None,
    stage: Stage,
    before: str,
    state: State | None,
    opened: OpenStep | None,
    calls: tuple[CallRecord, ...],
    decision: DecisionRecord | None,
    sub_runs: int = 0,
) -> StepEntry:
    is_over = stage != "open"
    return StepEntry(
        frame.address(index),
        frame.path,
        frame.task_name,
        kind,
        index,
        stage,
        None if kind is None else frame.policies.get(kind),
        before,
        frame.state_hash if is_over else None,
        decision,
        opened,
        calls,
        sub_runs,
        frame.task,
        state,
        frame.state if is_over else None,
    )


def _counted(opened: OpenStep, turns: Turns, table: StoppingTable | None) -> Ballot:
    """The ballot of a step as its kind has it: without a task the fold counts with the largest margin of all."""
    ballot = turns.new_ballot(table)
    for slot, number in sorted(opened.votes_by_slot.items()):
        voter, _ = opened.asked_at(slot, opened.flagged_by_slot.get(slot, 0))
        weight = turns.weights[voter] if voter < len(turns.weights) else WHOLE_VOTE
        ballot.fill(slot, opened.entries[number].key or "", weight)
    return ballot


def _sum(one: float | None, other: float | None) -> float | None:
    return other if one is None else one if other is None else one + other
