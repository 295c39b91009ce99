"""Which states a calibration asks: random steps of the way that a task's references take, or of a past run.

Pure but for reading the journal; randomness comes in as an argument. A way is followed once, however long, and a sample
of its steps kept, each equally likely (reservoir sampling).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from maker_dsl.engine.fold import Fold
from maker_dsl.engine.inspection import read_events
from maker_dsl.engine.records import DecisionRecord, RunRecord
from maker_dsl.engine.run_state import FoldError, begin
from maker_dsl.engine.start import LoadTask
from maker_dsl.expressions.errors import EvaluationError
from maker_dsl.journal.run_directory import RunDirectory
from maker_dsl.task import Locals, RawReply, RunStep, State, Step, SubTask, Task, Value
from maker_dsl.types.errors import ValueRefused

MOST_STEPS = 3_000_000
"""How many steps of a way are followed."""

MOST_DEPTH = 64
"""How deep tasks that run tasks are followed."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A state to ask, with the step that asks, and where it is from."""

    task: Task
    step: Step
    state: State
    origin: str


@dataclass(frozen=True, slots=True)
class Sample:
    """The states chosen from a way.

    `steps` are all of its steps that ask a model; None if it was not followed to its end, and `why` says what ended it.
    """

    chosen: tuple[Chosen, ...]
    steps: int | None
    why: str | None = None


class _Stopped(Exception):
    """The way can't be followed any further; the message says why."""


class _Reservoir:
    def __init__(self, wanted: int, random: Random) -> None:
        self.kept: list[Chosen] = []
        self.seen = 0
        self._wanted = wanted
        self._random = random

    def place(self) -> int | None:
        """Where the next step goes; None: it is left out."""
        self.seen += 1
        if len(self.kept) < self._wanted:
            return len(self.kept)
        place = self._random.randrange(self.seen)
        return place if place < self._wanted else None

    def put(self, place: int, chosen: Chosen) -> None:
        if place == len(self.kept):
            self.kept.append(chosen)
        else:
            self.kept[place] = chosen

    def shuffled(self) -> tuple[Chosen, ...]:
        """In random order: each beginning is a random sample too."""
        kept = list(self.kept)
        self._random.shuffle(kept)
        return tuple(kept)


def choose_from_reference(task: Task, wanted: int, random: Random) -> Sample:
    """Random steps of the way from the initial state, by the references. Raises TaskError."""
    walk = _Walk(wanted, random)
    why = None
    try:
        walk.follow(task, "step", 0)
    except (_Stopped, EvaluationError, ValueRefused) as error:
        why = str(error)
    return Sample(walk.reservoir.shuffled(), None if why else walk.reservoir.seen, why)


class _Walk:
    def __init__(self, wanted: int, random: Random) -> None:
        self.reservoir = _Reservoir(wanted, random)

    def follow(self, task: Task, where: str, depth: int) -> State:
        state, number = task.initial_state, 0
        while not task.is_done(state):
            number += 1
            step = task.next_step(state)
            local = step.state_locals(state)
            if isinstance(step, RunStep):
                results = {run.name: self._run(run, state, local, f"{where} {number}", depth) for run in step.runs}
                state = step.update(state, local, results)
            else:
                state = self._answer(task, step, state, local, f"{where} {number}")
        return state

    def _answer(self, task: Task, step: Step, state: State, local: Locals, where: str) -> State:
        if step.reference is None:
            raise _Stopped(f"the step `{step.name}` of `{task.name}` has no `reference`")
        if self.reservoir.seen >= MOST_STEPS:
            raise _Stopped(f"it has more than {MOST_STEPS:,} steps; the states are from these")
        place = self.reservoir.place()
        if place is not None:
            self.reservoir.put(place, Chosen(task, step, state, f"{where} of the reference's way"))
        value = step.reference(state)
        raw = RawReply(step.reply.render(value), 1, "stop")
        if step.reply_locals is not None:
            local = step.reply_locals(state, local, value, raw)
        after: State = task.state_codec.validate(step.update(state, local, value, raw))
        if after == state:
            raise _Stopped(f"{where} leaves the state as it is")
        return after

    def _run(self, run: SubTask, state: State, local: Locals, where: str, depth: int) -> Value:
        if depth >= MOST_DEPTH:
            raise _Stopped(f"tasks run tasks more than {MOST_DEPTH} deep")
        results: list[Value] = []
        for inputs in run.inputs(state, local):
            task = run.bind(inputs)
            last = self.follow(task, f"{where}, {run.name}, step", depth + 1)
            results.append(task.result_codec.validate(task.result(last)))
        return results if run.is_many else results[0]


@dataclass(frozen=True, slots=True)
class PastState:
    """A state of a past run, as canonical JSON, and the number of its step."""

    number: int
    state: bytes


def choose_from_run(directory: RunDirectory, load_task: LoadTask, wanted: int, random: Random) -> tuple[PastState, ...]:
    """Random decided steps of a run, those of its sub-runs left out. Raises JournalError, FoldError, TaskError."""
    kept: list[PastState] = []
    for seen, (number, task, state) in enumerate(_decided(directory, load_task), 1):
        place = len(kept) if len(kept) < wanted else random.randrange(seen)
        if place >= wanted:
            continue
        past = PastState(number, task.state_codec.dump(state))
        if place == len(kept):
            kept.append(past)
        else:
            kept[place] = past
    random.shuffle(kept)
    return tuple(kept)


def _decided(directory: RunDirectory, load_task: LoadTask) -> Iterator[tuple[int, Task, State]]:
    fold: Fold | None = None
    for event in read_events(directory):
        if fold is None:
            if not isinstance(event, RunRecord):
                raise FoldError("the first record", "a run", type(event).__name__)
            fold = Fold(begin(event, load_task(directory.task_text(), event)))
            continue
        root = fold.run.root
        if isinstance(event, DecisionRecord) and event.sub == 0 and root.task is not None and root.state is not None:
            yield root.index + 1, root.task, root.state
        fold.apply(event)
