"""A task whose steps have several wordings, a profile of their own, and thoughts that are put into form."""

from __future__ import annotations

import re
from dataclasses import replace
from hashlib import blake2b
from typing import Any

from engine_lab import countdown

from maker_dsl.diagnostics import Source, Span
from maker_dsl.engine.start import LoadTask, ProviderSetup, decode_inputs
from maker_dsl.expressions.errors import EvaluationError
from maker_dsl.providers.clock import FakeClock
from maker_dsl.providers.port import Price, Request, TransientError
from maker_dsl.providers.scripted import Answer, ScriptedProvider
from maker_dsl.task import Check, Formatting, ProfileName, Prompt, StepOutline, Task, TaskOutline, Wording

PLACE = Span(Source("countdown.maker", "strong small"), 0, 6)
STRONG, SMALL = ProfileName("strong", PLACE), ProfileName("small", PLACE)
UNSPEAKABLE = "unspeakable"
"""A thought that can't be shown in the prompt for the form."""


def thinking_countdown(
    start: int, *, variants: int = 2, thinks: bool = True, profile: ProfileName | None = STRONG
) -> Task:
    """`countdown`, asked in one wording more than `variants`; the reply is thought first if it `thinks`."""
    task = countdown(start)
    (step,) = task.steps

    def wording(number: int) -> Wording:
        return Wording(f"way {number}", lambda state, _local: Prompt(None, f"({number}) One less than {state['n']}?"))

    def form(_state: dict[str, Any], _local: dict[str, Any], thought: str) -> Prompt:
        if UNSPEAKABLE in thought:
            raise EvaluationError("it has no words")
        return Prompt(None, f"Put into form: {thought}")

    step = replace(
        step,
        variants=tuple(wording(number) for number in range(1, variants + 1)),
        profile=profile,
        formatting=Formatting(SMALL, form, 20) if thinks else None,
        checks=(*step.checks, Check("flag", "rambling", lambda _s, _l, _reply, raw: len(raw.text) < 100)),
    )
    outline = TaskOutline(task.name, (StepOutline(step.name, True, step.profiles),))
    return replace(task, steps=(step,), next_step=lambda _state: step, outlines=(outline,))


def load_thinking(**facts: Any) -> LoadTask:
    """A loader as the command line would give one."""
    return lambda _text, record: thinking_countdown(decode_inputs(record.inputs)["start"], **facts)


def fate(*key: object) -> float:
    """A number from 0 to 1 that depends on the key alone."""
    return int.from_bytes(blake2b(repr(key).encode(), digest_size=7).digest()) / 2**56


def copied(thought: str | None) -> str:
    """What a thought comes to, in form."""
    found = re.search(r"so it is (-?\d+)", thought or "")
    return "none" if found is None else f"next = {found[1]}"


def think(request: Request, draw: object) -> str:
    """A thought that may be wrong, too long or unspeakable: it depends on the step and the draw alone."""
    luck = fate("think", request.question.index, draw)
    truth = request.question.state["n"] - 1
    if luck < 0.1:
        return f"so it is {int(luck * 1000)}"
    if luck < 0.2:
        return "well, " * 30 + f"so it is {truth}"
    return UNSPEAKABLE if luck < 0.25 else f"I take one away from {truth + 1}, so it is {truth}"


def put_into_form(request: Request, draw: object) -> str:
    """The form of a thought, or now and then something unreadable."""
    return "?" if fate("form", request.question.index, draw) < 0.1 else copied(request.thought)


def answer(request: Request, _draw: object) -> str:
    """The right reply of a step without thoughts."""
    return f"next = {request.question.state['n'] - 1}"


class Thinkers:
    """Three scripted providers: the run's own, `strong` and `small`; each says what phase it was asked for."""

    def __init__(self, *, at_once: bool = False, samples_per_call: int = 1, flaky: bool = True) -> None:
        clock = None if at_once else FakeClock()
        self._tries: dict[object, int] = {}
        self._is_flaky = flaky

        def made(name: str, price: Price) -> ScriptedProvider:
            return ScriptedProvider(
                self._answer,
                clock=clock,
                samples_per_call=samples_per_call,
                answers_at_once=at_once,
                name=name,
                price=price,
            )

        self.main = made("own", Price(1.0, 1.0))
        self.strong = made("strong model", Price(10.0, 100.0))
        self.small = made("small model", Price(2.0, 20.0))

    @property
    def setup(self) -> ProviderSetup:
        """All three, as profiles."""
        named = {
            "strong": ProviderSetup(self.strong, profile={"asked": "strong"}),
            "small": ProviderSetup(self.small, profile={"asked": "small"}),
        }
        return ProviderSetup(self.main, named=named)

    def _answer(self, request: Request) -> Answer | TransientError:
        key = (request.phase, request.question.index, request.draws)
        tried = self._tries.get(key, 0)
        if self._is_flaky and fate("down", key, tried) < 0.1:
            self._tries[key] = tried + 1
            return TransientError("busy", kind="rate_limit", status=429)
        say = {"thought": think, "form": put_into_form, "answer": answer}[request.phase]
        texts = tuple(say(request, draw) for draw in request.draws)
        cut = request.phase == "thought" and fate("cut", key) < 0.05
        return Answer(texts, delay_s=fate("late", key, request.question.key), finish="length" if cut else "stop")
