"""Looking at a run from its directory, without a lock and without a model: where it stands, and one step told in full.

Used by `maker status`, `maker runs` and `maker explain RUN STEP`. A process may be at work on the run all the while.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from maker_dsl.engine.checkpoint import restore
from maker_dsl.engine.fold import Fold, FoldError, RunState, begin
from maker_dsl.engine.open_step import OpenStep
from maker_dsl.engine.records import CallRecord, DecisionRecord, Event, FlagRecord, RunRecord, decode
from maker_dsl.engine.report import Status, progress_of
from maker_dsl.engine.start import LoadTask, decode_inputs, read_run_record
from maker_dsl.journal.errors import JournalMissing
from maker_dsl.journal.format import Position
from maker_dsl.journal.run_directory import RunDirectory
from maker_dsl.task import Finish, Prompt, Task


class StepMissing(Exception):
    """The run has not come to that step (counted from 1): `steps` are decided."""

    def __init__(self, run: str, step: int, steps: int) -> None:
        super().__init__(f"the run {run} has not come to step {step:,}: {steps:,} steps are decided")
        self.run = run
        self.step = step
        self.steps = steps


@dataclass(frozen=True, slots=True)
class SampleStory:
    """One sample of a step: where it stood, what came, and its verdict. `text` is None where the run didn't keep it."""

    slot: int
    resample: int
    temperature: float | None
    text: str | None
    finish: Finish
    tokens: int
    key: str | None
    flag: FlagRecord | None
    counted: bool
    """Whether the sample is one of the votes that were counted."""


@dataclass(frozen=True, slots=True)
class FailureStory:
    """A call of a step that brought no reply."""

    outcome: str
    message: str | None


@dataclass(frozen=True, slots=True)
class StepStory:
    """Everything that happened at one step, counted from 1. `value` is None while the step is not decided."""

    run: str
    step: int
    kind: str
    prompt: Prompt
    state_json: str
    samples: tuple[SampleStory, ...]
    failures: tuple[FailureStory, ...]
    votes: tuple[tuple[str, int], ...]
    value: str | None
    next_state_json: str | None
    ahead_by: int


def read_status(directory: RunDirectory) -> Status:
    """Where a run stands, from its newest snapshot and what came after. Raises JournalError, RecordUnreadable."""
    run = _read_run(directory)
    end = run.end
    votes = {} if run.open is None else dict(run.open.ballot.votes)
    return Status(
        progress_of(run, run.totals.seconds),
        None if end is None else end.status,
        None if end is None else end.reason,
        run.record.started,
        run.epochs,
        None if end is None else end.result,
        votes,
    )


def explain_step(directory: RunDirectory, load_task: LoadTask, step: int) -> StepStory:
    """One step of a run, counted from 1, the prompt rendered again.

    Reads the journal up to that step, from a snapshot if one helps. Raises StepMissing, and as `read_status`.
    """
    record = read_run_record(directory)
    task = load_task(directory.task_text(), record.source, decode_inputs(record.inputs))
    calls: list[CallRecord] = []
    index = step - 1
    start, fold = _nearest(directory, task, index)
    for event in read_events(directory, start):
        if fold is None:
            fold = Fold(_begin(event, task), task)
            continue
        if isinstance(event, CallRecord) and event.step == index:
            calls.append(event)
        if isinstance(event, DecisionRecord) and event.step == index:
            opened = fold.open_step()
            before = _state_json(fold.run, task)
            prompt, kind, margin = _prompt(fold, task)
            fold.apply(event)
            after = _state_json(fold.run, task)
            return _story(fold.run, step, kind, prompt, before, opened, calls, event, after, margin)
        fold.apply(event)
    if fold is None or index != fold.run.index or not calls:
        raise StepMissing(record.run, step, 0 if fold is None else fold.run.index)
    prompt, kind, margin = _prompt(fold, task)
    return _story(
        fold.run, step, kind, prompt, _state_json(fold.run, task), fold.open_step(), calls, None, None, margin
    )


def read_events(directory: RunDirectory, start: Position | None = None) -> Iterator[Event]:
    """The events of a run from a place on, oldest first. Raises JournalError, RecordUnreadable."""
    with directory.reader(start) as reader:
        for record in reader.tail():
            yield decode(record.type, record.payload)


def _read_run(directory: RunDirectory) -> RunState:
    snapshots = directory.snapshots.load().good
    newest = snapshots[0] if snapshots else None
    try:
        with directory.reader(None if newest is None else newest.position) as reader:
            fold = None if newest is None else Fold(restore(newest.payload, None), None)
            for record in reader.tail():
                event = decode(record.type, record.payload)
                if fold is None:
                    fold = Fold(_begin(event, None), None)
                else:
                    fold.apply(event)
    except JournalMissing:
        fold = None
    # A run whose process died before it had written a record has its directory alone.
    return begin(read_run_record(directory), None) if fold is None else fold.run


def _nearest(directory: RunDirectory, task: Task, step: int) -> tuple[Position | None, Fold | None]:
    """The newest snapshot that is not past the step; else the beginning."""
    for snapshot in directory.snapshots.load().good:
        run = restore(snapshot.payload, task)
        if run.index <= step:
            return snapshot.position, Fold(run, task)
    return None, None


def _begin(event: Event, task: Task | None) -> RunState:
    if not isinstance(event, RunRecord):
        raise FoldError("the first record", "a run", type(event).__name__)
    return begin(event, task)


def _prompt(fold: Fold, task: Task) -> tuple[Prompt, str, int]:
    state = fold.run.state
    assert state is not None
    step = task.next_step(state)
    margin = int(fold.run.policies[step.name].ahead_by.value or 1)
    return step.render(state, step.state_locals(state)), step.name, margin


def _state_json(run: RunState, task: Task) -> str:
    assert run.state is not None
    return task.state_codec.dump(run.state).decode()


def _story(
    run: RunState,
    step: int,
    kind: str,
    prompt: Prompt,
    state_json: str,
    opened: OpenStep,
    calls: list[CallRecord],
    decision: DecisionRecord | None,
    next_state_json: str | None,
    margin: int,
) -> StepStory:
    samples = []
    for call in calls:
        for (slot, resample), number in zip(call.draws, call.replies, strict=False):
            entry = opened.entries[number]
            record = entry.record
            counted = record.key is not None and slot < opened.ballot.counted
            samples.append(
                SampleStory(
                    slot,
                    resample,
                    call.temperature,
                    record.text,
                    record.finish,
                    record.tokens,
                    record.key,
                    record.flag,
                    counted,
                )
            )
    failures = tuple(FailureStory(call.outcome, call.message) for call in calls if call.outcome != "ok")
    return StepStory(
        run.record.run,
        step,
        kind,
        prompt,
        state_json,
        tuple(sorted(samples, key=lambda sample: (sample.slot, sample.resample))),
        failures,
        tuple(opened.ballot.votes.items()),
        None if decision is None else decision.value,
        next_state_json,
        margin,
    )
