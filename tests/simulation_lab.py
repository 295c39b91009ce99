"""Hand-built tasks for the simulation's tests: no parser, no compiler."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from maker_dsl.judging import Vote
from maker_dsl.providers.port import Question
from maker_dsl.task import Check, Parsed, Prompt, Refused, ReplyValue, State, Step, Task, VoteSettings
from maker_dsl.types.errors import ValueRefused
from maker_dsl.types.type import IntType, Member, RecordType

_TYPE = RecordType(members=(Member("value", IntType(minimum=0, maximum=10_000)),))
_AT_END = re.compile(r"next\s*=\s*(-?(?:0|[1-9][0-9]*))\s*\Z")


@dataclass(frozen=True)
class FakeFormat:
    """`next = {value: int in 0..10000}` at the end of the text."""

    type: RecordType = _TYPE
    instructions: str = "Reply with: next = N"
    example: str = "next = 1"
    grammar: str = ""

    @property
    def schema(self) -> dict[str, Any]:
        return {}

    def read(self, text: str) -> Parsed | Refused:
        match = _AT_END.search(text)
        if match is None:
            return Refused("locate", "no `next =`", None)
        value = int(match[1])
        if not 0 <= value <= 10_000:
            return Refused("type", "out of range", match.start(1))
        return Parsed({"value": value}, match.start(), match.end())

    def render(self, value: ReplyValue) -> str:
        return f"next = {value['value']}"


@dataclass(frozen=True)
class FakeCodec:
    type: Any = None

    @property
    def schema(self) -> dict[str, Any]:
        return {}

    def validate(self, value: object) -> Any:
        if not isinstance(value, dict) or not 0 <= value["n"] <= 10_000:
            raise ValueRefused("n", "expected an int in 0..10000")
        return value

    def load(self, text: str | bytes) -> Any:
        return json.loads(text)

    def dump(self, value: Any) -> bytes:
        return json.dumps(value, sort_keys=True).encode()


def countdown(
    start: int = 20,
    *,
    checks: tuple[Check, ...] = (),
    mistakes: tuple[Callable[[State], ReplyValue], ...] = (),
    with_reference: bool = True,
    system: str | None = "You count down.",
) -> Task:
    """Count down from `start`; unless `checks` say otherwise, any number passes."""
    step = Step(
        name="down",
        applies=lambda state: True,
        state_locals=lambda state: {},
        reply_locals=None,
        render=lambda state, local: Prompt(system, f"The number is {state['n']}. Subtract one."),
        reply=FakeFormat(),
        checks=checks,
        update=lambda state, local, reply, raw: {"n": reply["value"]},
        vote_key=lambda value: str(value["value"]),
        vote=VoteSettings(),
        reference=(lambda state: {"value": max(0, state["n"] - 1)}) if with_reference else None,
        mistakes=mistakes,
    )
    codec = FakeCodec()
    return Task(
        name="countdown",
        about=None,
        source_name="countdown.maker",
        source_text="",
        inputs={"start": start},
        inputs_codec=codec,
        state_codec=codec,
        initial_state={"n": start},
        steps=(step,),
        invariants=(),
        is_done=lambda state: bool(state["n"] == 0),
        result=lambda state: state,
        result_codec=codec,
        expected_steps=start,
        next_step=lambda state: step,
    )


def with_checks(task: Task, *checks: Check) -> Task:
    """The task with other checks in its only step."""
    step = replace(task.steps[0], checks=checks)
    return replace(task, steps=(step,), next_step=lambda state: step)


DOWN_BY_ONE = Check("rule", "goes down by one", lambda state, local, reply, raw: reply["value"] == state["n"] - 1)
NOT_TOO_LONG = Check("flag", "too long", lambda state, local, reply, raw: raw.tokens <= 750)


def question(task: Task, index: int = 0, **state: int) -> Question:
    """Question number `index` of the task's only step, in its initial state or another."""
    return Question(index, task.steps[0], {**task.initial_state, **state})


__all__ = ["DOWN_BY_ONE", "NOT_TOO_LONG", "FakeCodec", "FakeFormat", "Vote", "countdown", "question", "with_checks"]
