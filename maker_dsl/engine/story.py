"""One step of a run told in full: the votes on it, or the sub-runs that it had.

Used by `maker explain RUN STEP` and the Python API.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from maker_dsl.engine.address import Address, parse_address
from maker_dsl.engine.checkpoint import restore
from maker_dsl.engine.fold import Fold
from maker_dsl.engine.frame import Frame
from maker_dsl.engine.inspection import begin_with, read_events
from maker_dsl.engine.open_step import OpenStep
from maker_dsl.engine.records import (
    CallRecord,
    ComposedRecord,
    DecisionRecord,
    Event,
    PolicyRecord,
    ReturnRecord,
    SubRunRecord,
)
from maker_dsl.engine.sample_story import SampleStory, sample_stories
from maker_dsl.engine.start import LoadTask, read_run_record
from maker_dsl.journal.format import Position
from maker_dsl.journal.run_directory import RunDirectory
from maker_dsl.task import Prompt, Step, Task


class StepMissing(Exception):
    """The run has not come to that step: `steps` are taken there, or None: there is no such sub-run."""

    def __init__(self, run: str, step: Address, steps: int | None) -> None:
        told = "there is no such sub-run" if steps is None else f"{steps:,} steps are taken"
        super().__init__(f"the run {run} has not come to step {step}: {told}")
        self.run = run
        self.step = step
        self.steps = steps


@dataclass(frozen=True, slots=True)
class FailureStory:
    """A call of a step that brought no reply."""

    outcome: str
    message: str | None


@dataclass(frozen=True, slots=True)
class WordingStory:
    """One way in which a step was asked."""

    name: str
    prompt: Prompt


@dataclass(frozen=True, slots=True)
class StepStory:
    """Everything that happened at one step, counted from 1. `value` is None while the step is not decided."""

    run: str
    step: int
    address: str
    kind: str
    prompt: Prompt
    state_json: str
    samples: tuple[SampleStory, ...]
    failures: tuple[FailureStory, ...]
    votes: tuple[tuple[str, int], ...]
    value: str | None
    next_state_json: str | None
    ahead_by: int
    wordings: tuple[WordingStory, ...] = ()
    """Those that were asked, where the step has several; `prompt` is the first."""
    profile: str | None = None
    """The name of the profile that the samples came from, where it isn't the run's own."""
    form_profile: str | None = None
    """The same of what put thoughts into form."""


@dataclass(frozen=True, slots=True)
class SubRunStory:
    """A sub-run of a step. `result_json` is None while it is live; `steps` are those it has taken so far."""

    address: str
    """What stands before the number of its steps, without the last stroke: `3/left`."""
    task: str
    inputs_json: str
    steps: int
    result_json: str | None


@dataclass(frozen=True, slots=True)
class RunsStory:
    """A step that runs tasks. `next_state_json` is None while it is not done."""

    run: str
    step: int
    address: str
    kind: str
    state_json: str
    sub_runs: tuple[SubRunStory, ...]
    """Those that have begun, in that order."""
    waiting: int
    """How many have not begun."""
    next_state_json: str | None


def explain_step(directory: RunDirectory, load_task: LoadTask, step: int | str | Address) -> StepStory | RunsStory:
    """One step of a run: its number from 1, or its address such as `3/left/2`. The prompt is rendered again.

    Reads the journal up to that step, from a snapshot if one helps. Raises StepMissing, ValueError for a text that is
    no address, JournalError and RecordUnreadable.
    """
    address = step if isinstance(step, Address) else parse_address(str(step))
    record = read_run_record(directory)
    task = load_task(directory.task_text(), record)
    start, fold = _nearest(directory, task, address)
    search = _Search(record.run, address, str(record.profile.get("asked", record.provider)))
    for event in read_events(directory, start):
        if fold is None:
            fold = Fold(begin_with(event, task))
            continue
        story = search.look(fold, event)
        if story is not None:
            return story
    unfinished = None if fold is None else search.unfinished(fold)
    if unfinished is None:
        raise StepMissing(record.run, address, search.steps_taken(fold))
    return unfinished


class _Search:
    """Folds events and gathers what they say of one step."""

    def __init__(self, run: str, address: Address, own_model: str) -> None:
        self._run = run
        self._own_model = own_model
        self._address = address
        self._calls: list[CallRecord] = []
        self._begun: dict[int, SubRunRecord] = {}
        self._returned: dict[int, ReturnRecord] = {}
        self._past: int | None = None
        """The steps of the frame in question, once it has returned."""

    def look(self, fold: Fold, event: Event) -> StepStory | RunsStory | None:
        """Fold an event; returns the story if the step ended with it."""
        match event:
            case CallRecord() if event.draws and self._is_there(fold, event.sub, event.step):
                self._calls.append(event)
            case SubRunRecord() if self._is_there(fold, event.parent, event.step):
                self._begun[event.number] = event
            case ReturnRecord() if event.number in self._begun:
                self._returned[event.number] = event
            case ReturnRecord() if self._is_frame(fold, event.number):
                self._past = fold.run.frames[event.number].index
            case DecisionRecord() if self._is_there(fold, event.sub, event.step):
                frame = fold.run.frames[event.sub]
                opened, before, asked = fold.open_step(frame), _state_json(frame), _asked(frame, self._calls)
                fold.apply(event)
                return self._vote(frame, asked, before, opened, event)
            case ComposedRecord() if self._is_there(fold, event.sub, event.step):
                frame = fold.run.frames[event.sub]
                before, frames = _state_json(frame), dict(fold.run.frames)
                fold.apply(event)
                return self._runs(frames, frame, event.kind, before, 0, _state_json(frame))
        fold.apply(event)
        return None

    def unfinished(self, fold: Fold) -> StepStory | RunsStory | None:
        """The story of the step if a frame stands at it and something has happened there."""
        for frame in fold.run.frames.values():
            if (frame.path, frame.index) == (self._address.path, self._address.index):
                if frame.runs is not None:
                    step = frame.runs.step
                    assert step is not None
                    waiting = sum(1 for _ in frame.runs.units()) - len(self._begun)
                    return self._runs(fold.run.frames, frame, step.name, _state_json(frame), waiting, None)
                if self._calls:
                    return self._vote(
                        frame, _asked(frame, self._calls), _state_json(frame), fold.open_step(frame), None
                    )
        return None

    def steps_taken(self, fold: Fold | None) -> int | None:
        """How many steps the frame in question has taken; None if it never began."""
        if fold is None:
            return None if self._address.path else 0
        for frame in fold.run.frames.values():
            if frame.path == self._address.path:
                return frame.index
        return self._past

    def _is_frame(self, fold: Fold, number: int) -> bool:
        frame = fold.run.frames.get(number)
        return frame is not None and frame.path == self._address.path

    def _is_there(self, fold: Fold, number: int, step: int) -> bool:
        return step == self._address.index and self._is_frame(fold, number)

    def _runs(
        self, frames: dict[int, Frame], frame: Frame, kind: str, before: str, waiting: int, after: str | None
    ) -> RunsStory:
        told = []
        for number, begun in self._begun.items():
            returned = self._returned.get(number)
            steps = returned.steps if returned is not None else frames[number].steps
            item = "" if begun.item is None else f".{begun.item + 1}"
            address = f"{self._address}/{begun.name}{item}"
            result = None if returned is None else returned.result
            told.append(SubRunStory(address, begun.task, begun.inputs, steps, result))
        number = self._address.index + 1
        return RunsStory(self._run, number, str(self._address), kind, before, tuple(told), waiting, after)

    def _vote(
        self,
        frame: Frame,
        asked: _Asked,
        before: str,
        opened: OpenStep,
        decision: DecisionRecord | None,
    ) -> StepStory:
        failures = tuple(FailureStory(call.outcome, call.message) for call in self._calls if call.outcome != "ok")
        samples = sample_stories(self._calls, opened, asked.policy, self._own_model)
        return StepStory(
            self._run,
            self._address.index + 1,
            str(self._address),
            asked.kind,
            asked.prompt,
            before,
            tuple(sorted(samples, key=lambda sample: (sample.slot, sample.resample))),
            failures,
            tuple(opened.ballot.votes.items()),
            None if decision is None else decision.value,
            None if decision is None else _state_json(frame),
            int(asked.policy.ahead_by.value or 1),
            asked.wordings,
            asked.policy.profile,
            None if asked.policy.form is None else asked.policy.form.profile,
        )


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a frame's step to come asks."""

    prompt: Prompt
    kind: str
    policy: PolicyRecord
    wordings: tuple[WordingStory, ...]


def _asked(frame: Frame, calls: Iterable[CallRecord]) -> _Asked:
    task, state = frame.task, frame.state
    assert task is not None
    assert state is not None
    step = task.next_step(state)
    assert isinstance(step, Step)
    local = step.state_locals(state)
    numbers = {0, *(call.wording for call in calls)}
    wordings = step.wordings
    told = tuple(
        WordingStory(wordings[number].name, wordings[number].render(state, local)) for number in sorted(numbers)
    )
    return _Asked(told[0].prompt, step.name, frame.policies[step.name], told if len(wordings) > 1 else ())


def _nearest(directory: RunDirectory, task: Task, address: Address) -> tuple[Position | None, Fold | None]:
    """The newest snapshot from before the run's step that the address is below, or is; else the beginning."""
    for snapshot in directory.snapshots.load().good:
        root = (run := restore(snapshot.payload, task)).root
        if root.index < address.root_index or (root.index == address.root_index and root.runs is None):
            return snapshot.position, Fold(run)
    return None, None


def _state_json(frame: Frame) -> str:
    assert frame.task is not None
    assert frame.state is not None
    return frame.task.state_codec.dump(frame.state).decode()
