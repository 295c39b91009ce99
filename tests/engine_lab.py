"""Tasks made by hand, so that the engine is tested without the language; and a world that fits in memory."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from random import Random
from typing import Any, ClassVar

from maker_dsl.engine.encoding import encode
from maker_dsl.engine.inspection import read_events
from maker_dsl.engine.recorder import Pace
from maker_dsl.engine.records import Event, RunRecord
from maker_dsl.engine.run import Run
from maker_dsl.engine.settings import RunOptions
from maker_dsl.engine.start import LoadTask, ProviderSetup, World, begin_run, decode_inputs
from maker_dsl.expressions.errors import EvaluationError
from maker_dsl.journal import MemoryDisk, RunDirectory, list_runs
from maker_dsl.journal.memory_disk import Stopped
from maker_dsl.providers.clock import FakeClock
from maker_dsl.providers.port import Request
from maker_dsl.task import (
    Check,
    Invariant,
    Parsed,
    Prompt,
    RawReply,
    Refused,
    RunStep,
    Step,
    SubTask,
    Task,
    VoteSettings,
)
from maker_dsl.types.codec import codec
from maker_dsl.types.type import IntType, ListType, Member, RecordType

RUNS = Path("/runs")
BUSY = Pace(sync_decisions=1, snapshot_decisions=2, in_thread=False)
"""Syncs and snapshots all the time."""
COUNTDOWN_TEXT = "task countdown { … }"
_REPLY = re.compile(r"next = (-?\d+)\Z")


class CountdownReply:
    """`next = 7`."""

    type = RecordType((Member("value", IntType()),))
    instructions = "next = <a number>"
    example = "next = 1"
    grammar = ""
    schema: ClassVar[dict[str, Any]] = {}

    def read(self, text: str) -> Parsed | Refused:
        found = _REPLY.search(text)
        if found is None:
            return Refused("parse", "expected `next = ` and a number", 0)
        return Parsed({"value": int(found[1])}, found.start(), found.end())

    def render(self, value: dict[str, Any]) -> str:
        return f"next = {value['value']}"


@dataclass
class Counts:
    """How often the task's functions were called."""

    rendered: int = 0
    judged: int = 0


def countdown(
    start: int = 5,
    *,
    vote: VoteSettings | None = None,
    believing: bool = False,
    kinds: int = 1,
    counts: Counts | None = None,
    largest: int = 1000,
) -> Task:
    """Count down to zero. Replies above `largest` break a rule, below -1000 an invariant.

    The next state is what the reply says, or, if not `believing`, one less whatever it says, so that wrong decisions
    don't derail a run that measures them. With two `kinds`, odd numbers have a step of their own with a margin of 2.
    """
    counts = counts or Counts()

    def render(state: dict[str, Any], _locals: dict[str, Any]) -> Prompt:
        counts.rendered += 1
        return Prompt("Count down.", f"The number is {state['n']}.")

    def update(state: dict[str, Any], _l: dict[str, Any], reply: dict[str, Any], _raw: RawReply) -> dict[str, Any]:
        counts.judged += 1
        if reply["value"] == -7:
            raise EvaluationError("-7 has no successor")
        return {"n": reply["value"] if believing or reply["value"] < -1000 else state["n"] - 1}

    step = Step(
        "step",
        lambda _state: True,
        lambda _state: {},
        None,
        render,
        CountdownReply(),
        (Check("rule", "is small", lambda _s, _l, reply, _raw: reply["value"] <= largest),),
        update,
        lambda reply: str(reply["value"]),
        vote or VoteSettings(),
        lambda state: {"value": state["n"] - 1},
        (),
    )
    odd = replace(step, name="odd", applies=lambda state: state["n"] % 2 == 1, vote=VoteSettings(ahead_by=2))
    steps = (step,) if kinds == 1 else (odd, step)
    state_codec = codec(RecordType((Member("n", IntType()),)))
    return Task(
        "countdown",
        None,
        "countdown.maker",
        COUNTDOWN_TEXT,
        {"start": start},
        codec(RecordType((Member("start", IntType()),))),
        state_codec,
        {"n": start},
        steps,
        (Invariant("not too low", lambda state: state["n"] >= -1000),),
        lambda state: state["n"] <= 0,
        lambda state: state,
        state_codec,
        start,
        lambda state: next(each for each in steps if each.applies(state)),
    )


def load_countdown(**facts: Any) -> LoadTask:
    """A loader as the command line would give one."""
    return lambda _text, record: countdown(decode_inputs(record.inputs)["start"], **facts)


def right(request: Request) -> str:
    """The right reply to a countdown."""
    return f"next = {request.question.state['n'] - 1}"


def memory_world(disk: MemoryDisk | None = None, *, pace: Pace | None = None) -> World:
    """Virtual time, a disk in memory, a fixed date and chance."""
    return World(
        disk or MemoryDisk(),
        FakeClock(),
        lambda: datetime(2026, 11, 23, 5, 0, tzinfo=UTC),
        Random(1),
        pace or Pace(in_thread=False),
    )


def only_run(disk: MemoryDisk) -> RunDirectory:
    """The one run on a disk."""
    (run,) = list_runs(RUNS, disk)
    return run


def new_run(task: Task, setup: ProviderSetup, world: World, **asked: Any) -> Run:
    """A run about to go."""
    return begin_run(task, setup, RunOptions(**asked), RUNS, world=world)


def fate(*key: object) -> float:
    """A number from 0 to 1 that depends on the key alone."""
    return int.from_bytes(blake2b(repr(key).encode(), digest_size=7).digest()) / 2**56


def forged(directory: RunDirectory, change: Callable[[Event], Event | None]) -> RunDirectory:
    """The same run with records changed or left out and the chain made anew, as only a forger would."""
    disk = MemoryDisk([RUNS])
    forgery = RunDirectory.create(RUNS, directory.run_id, directory.task_text(), directory.facts().configuration, disk)
    journal = forgery.create_journal()
    for event in read_events(directory):
        changed = change(event)
        if changed is not None:
            journal.append(*encode(changed))
    journal.close()
    return forgery


class DyingDisk(MemoryDisk):
    """After the operation at which it stops, the process is dead: nothing more happens."""

    def begin(self, kind: str, size: int = 0) -> int:
        if self.stop_at is not None and self.operations >= self.stop_at:
            raise Stopped(0)
        return super().begin(kind, size)

    @classmethod
    def after(cls, left: MemoryDisk) -> DyingDisk:
        """A disk as a kill or a power cut left it, for the next process to die on."""
        disk = cls()
        disk.__dict__.update(left.__dict__)
        disk.operations = 0
        disk.stop_at = None
        return disk


# Tasks that run tasks ---------------------------------------------------------------------------------------------


def sums(
    numbers: tuple[int, ...] = (3, 1, 2), rounds: int = 2, *, sub: Callable[..., Task] = countdown, **facts: Any
) -> Task:
    """Rounds of two kinds of steps: one runs a countdown from each number, side by side, and one from about the first.

    That makes as many as there are numbers, and steps that ask, as in `countdown`, count down from there.
    """

    def run_update(state: dict[str, Any], _locals: dict[str, Any], results: Any) -> dict[str, Any]:
        return {"n": sum(1 + each["n"] for each in results["each"]) + results["first"]["n"], "left": state["left"] - 1}

    def bind(inputs: Any) -> Task:
        return sub(int(inputs["start"]), **facts)

    runs = (
        SubTask("first", "countdown", False, lambda state, _l: ({"start": numbers[0] + state["left"]},), bind),
        SubTask("each", "countdown", True, lambda _s, _l: tuple({"start": number} for number in numbers), bind),
    )
    whole = RunStep("whole", lambda state: state["n"] == 0, lambda _state: {}, runs, run_update)
    asking = countdown(0).steps[0]
    asking = replace(
        asking,
        applies=lambda state: state["n"] > 0,
        update=lambda state, _l, reply, _raw: {"n": state["n"] - 1, "left": state["left"]},
    )
    state_codec = codec(RecordType((Member("n", IntType()), Member("left", IntType()))))
    return Task(
        "sums",
        None,
        "sums.maker",
        "task sums { … }",
        {"numbers": list(numbers), "rounds": rounds},
        codec(RecordType((Member("numbers", ListType(IntType())), Member("rounds", IntType())))),
        state_codec,
        {"n": 0, "left": rounds},
        (asking,),
        (),
        lambda state: state["left"] == 0 and state["n"] == 0,
        lambda state: state,
        state_codec,
        None,
        lambda state: whole if state["n"] == 0 else asking,
        (whole,),
    )


def load_sums(**facts: Any) -> LoadTask:
    """A loader as the command line would give one."""
    return lambda _text, record: sums(**_given(record), **facts)


def _given(record: RunRecord) -> dict[str, Any]:
    inputs = decode_inputs(record.inputs)
    return {"numbers": tuple(inputs["numbers"]), "rounds": inputs["rounds"]}


def halves(numbers: tuple[int, ...] = (3, 1, 4, 1, 5)) -> Task:
    """The sum of the numbers: of more than one, by running itself for each half; a single one is asked for."""
    middle = len(numbers) // 2
    asking = replace(
        countdown(0).steps[0],
        name="leaf",
        applies=lambda _state: len(numbers) == 1,
        render=lambda _state, _locals: Prompt(None, f"Say {numbers[0]}."),
        checks=(),
        update=lambda _state, _l, reply, _raw: {"total": reply["value"]},
        reference=lambda _state: {"value": numbers[0]},
    )

    def run(name: str, part: tuple[int, ...]) -> SubTask:
        inputs = ({"numbers": list(part)},)
        return SubTask(name, "halves", False, lambda _s, _l: inputs, lambda given: halves(_ints(given)))

    split = RunStep(
        "split",
        lambda _state: len(numbers) > 1,
        lambda _state: {},
        (run("left", numbers[:middle]), run("right", numbers[middle:])) if len(numbers) > 1 else (),
        lambda _state, _l, results: {"total": results["left"]["total"] + results["right"]["total"]},
    )
    state_codec = codec(RecordType((Member("total", IntType()),)))
    return Task(
        "halves",
        None,
        "halves.maker",
        "task halves { … }",
        {"numbers": list(numbers)},
        codec(RecordType((Member("numbers", ListType(IntType())),))),
        state_codec,
        {"total": 0},
        (asking,),
        (),
        lambda state: state["total"] != 0,
        lambda state: state,
        state_codec,
        None,
        lambda _state: split if len(numbers) > 1 else asking,
        (split,),
    )


def load_halves(_text: str, record: RunRecord) -> Task:
    """A loader as the command line would give one."""
    return halves(_ints(decode_inputs(record.inputs)))


def right_leaf(request: Request) -> str:
    """The right reply to a leaf of `halves`."""
    found = re.search(r"Say (-?\d+)", request.prompt.user)
    assert found is not None
    return f"next = {found[1]}"


def _ints(inputs: Mapping[str, Any]) -> tuple[int, ...]:
    return tuple(inputs["numbers"])
