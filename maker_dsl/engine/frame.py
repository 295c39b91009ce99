"""Frames: where each task of a run stands: the run itself, and the sub-runs that are live.

Part of a run's state; made and changed by `fold` and `composition`, read by the run loop. What a frame is called for
people: step 3 of the run is `3`; step 2 of the sub-run that this step calls `left` is `3/left/2`, and of the fourth
item of its `rows`, `3/rows.4/2`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b

from maker_dsl.engine.open_step import OpenStep
from maker_dsl.engine.records import PolicyRecord
from maker_dsl.task import Locals, RunStep, State, SubTask, Task, Value

MOST_WORDS = 8
"""How many levels a place in words goes through in full."""

Unit = tuple[str, int | None]
"""One sub-run of a step: the name of its `run`, and the item (from 0) where that is many."""


@dataclass(frozen=True, slots=True)
class Returned:
    """A sub-run that is done. `value` is the typed result; None where no task is at hand."""

    number: int
    result: str
    """As canonical JSON."""
    value: Value
    steps: int


@dataclass(slots=True)
class OpenRuns:
    """The sub-runs of the step that a frame stands at: those done, those live; with a task, what they are to be."""

    results: dict[Unit, Returned] = field(default_factory=dict)
    live: dict[Unit, Frame] = field(default_factory=dict)
    step: RunStep | None = None
    locals: Locals = field(default_factory=dict)
    inputs: tuple[tuple[Mapping[str, Value], ...], ...] = ()
    """The inputs of the sub-runs of each of the step's `run`s."""

    @classmethod
    def of(cls, step: RunStep, state: State) -> OpenRuns:
        """What a step is to run in a state. Raises TaskError."""
        locals = step.state_locals(state)
        return cls(step=step, locals=locals, inputs=tuple(run.inputs(state, locals) for run in step.runs))

    def units(self) -> Iterator[Unit]:
        """All sub-runs of the step, in the order of the file and of the items."""
        assert self.step is not None
        for run, inputs in zip(self.step.runs, self.inputs, strict=True):
            if run.is_many:
                yield from ((run.name, item) for item in range(len(inputs)))
            else:
                yield run.name, None

    def place_of(self, unit: Unit) -> int | None:
        """Which of the step's `run`s it is; None if the step has no such sub-run."""
        assert self.step is not None
        name, item = unit
        for number, run in enumerate(self.step.runs):
            if (
                run.name == name
                and run.is_many == (item is not None)
                and (item or 0) in range(len(self.inputs[number]))
            ):
                return number
        return None

    def sub_task(self, unit: Unit) -> tuple[SubTask, Mapping[str, Value]]:
        """The `run` of a sub-run of the step, and its inputs."""
        number = self.place_of(unit)
        assert self.step is not None
        assert number is not None
        return self.step.runs[number], self.inputs[number][unit[1] or 0]

    def values(self) -> dict[str, Value]:
        """The results by name, as `update` takes them; all must be there."""
        assert self.step is not None
        return {
            run.name: [self.results[run.name, item].value for item in range(len(inputs))]
            if run.is_many
            else self.results[run.name, None].value
            for run, inputs in zip(self.step.runs, self.inputs, strict=True)
        }


@dataclass(slots=True, eq=False)
class Frame:
    """Where one task of a run stands. `task` and `state` are None where no task is at hand."""

    task_name: str
    task: Task | None
    state: State | None
    state_hash: str
    policies: dict[str, PolicyRecord]
    expected_steps: int | None
    number: int = 0
    """0 is the run itself."""
    parent: Frame | None = None
    parent_step: int = 0
    """The index of the parent's step that began it."""
    unit: Unit = ("", None)
    inputs: str = ""
    """Of a sub-run, as canonical JSON."""
    depth: int = 0
    """How many tasks stand above it."""
    path: str = ""
    """What stands before the number of its step in an address."""
    order: tuple[int, ...] = ()
    """Where it stands among all frames: earlier items and their sub-runs first."""
    seed: bytes = b""
    """What sets its draws of the simulated model apart: it depends on where the sub-run stands alone."""
    index: int = 0
    """The number of steps taken: the index of the step to come."""
    sub_steps: int = 0
    """Steps of its sub-runs that have returned, those of their own included."""
    open: OpenStep | None = None
    """The vote on the step to come."""
    runs: OpenRuns | None = None
    """The sub-runs of the step to come."""

    def child(
        self,
        number: int,
        unit: Unit,
        task_name: str,
        task: Task | None,
        inputs: str,
        initial_hash: str,
        policies: dict[str, PolicyRecord],
        expected_steps: int | None,
    ) -> Frame:
        """A sub-run of the step to come that stands at its beginning."""
        name, item = unit
        here = f"{self.path}{self.index + 1}/{name}"
        place = None if self.runs is None or self.runs.step is None else self.runs.place_of(unit)
        return Frame(
            task_name,
            task,
            None if task is None else task.initial_state,
            initial_hash,
            policies,
            expected_steps,
            number,
            self,
            self.index,
            unit,
            inputs,
            self.depth + 1,
            f"{here}/" if item is None else f"{here}.{item + 1}/",
            (*self.order, self.index, place or 0, item or 0),
            blake2b(self.seed + f"{self.index}/{name}/{item}".encode(), digest_size=16).digest(),
        )

    @property
    def steps(self) -> int:
        """Steps taken, those of its sub-runs that have returned included."""
        return self.index + self.sub_steps

    def live(self) -> Iterator[Frame]:
        """It and the live sub-runs below it, each before its own."""
        waiting = [self]
        while waiting:
            frame = waiting.pop()
            yield frame
            if frame.runs is not None:
                waiting.extend(reversed(frame.runs.live.values()))

    def line(self) -> tuple[Frame, ...]:
        """The frames from the run itself down to this one."""
        line = [self]
        while (parent := line[-1].parent) is not None:
            line.append(parent)
        return tuple(reversed(line))

    def address(self, index: int | None = None) -> str:
        """What people call a step of it; the step to come by default."""
        return f"{self.path}{(self.index if index is None else index) + 1}"

    def draw_key(self, index: int) -> int:
        """What the simulated model's draws of a step depend on: the step's place in the tree, in 64 bits."""
        if self.parent is None:
            return index
        return int.from_bytes(blake2b(self.seed + index.to_bytes(8, "little"), digest_size=8).digest(), "little")

    def place(self) -> str:
        """In words, as far as the run that it is: `step 3, left, step 2, rows 4, `; nothing for the run itself."""
        words = []
        for frame in self.line()[1:]:
            name, item = frame.unit
            number = "" if item is None else f" {item + 1:,}"
            words.append(f"step {frame.parent_step + 1:,}, {name}{number}, ")
        if len(words) > MOST_WORDS:
            left_out = len(words) - MOST_WORDS
            words[MOST_WORDS // 2 : -MOST_WORDS // 2] = [f"… ({left_out:,} sub-runs further down) …, "]
        return "".join(words)
