"""Follows the references from the initial state, and the tests, and counts which step came after which.

Bounded by a number of steps and by fuel, not by time, so that the same file always gives the same picture.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from contextlib import suppress

from maker_dsl.expressions.errors import EvaluationError
from maker_dsl.expressions.fuel import shared_fuel
from maker_dsl.graph.model import DONE, START
from maker_dsl.judging import Flag, judge
from maker_dsl.task import Locals, RawReply, RunStep, State, Step, SubTask, Task, TaskError, TaskTest, Value
from maker_dsl.tokens import estimate_tokens
from maker_dsl.types.errors import ValueRefused

MAX_STEPS = 500
"""How many steps are followed in all."""

MAX_DEPTH = 8
"""How deep tasks that run tasks are followed."""

MAX_FUEL = 5_000_000
"""Elementary operations of all the steps together."""

Seen = Counter[tuple[str, str, str]]
"""How often, in a task, one step came after another: task, source, target."""


def rehearse(task: Task | None, tests: Iterable[TaskTest]) -> Seen:
    """What was seen on the way; a reference that is missing or fails ends it there."""
    walk = _Walk()
    with shared_fuel(MAX_FUEL):
        with suppress(_Stopped, TaskError, EvaluationError, ValueRefused):
            if task is not None:
                walk.follow(task, 0)
        for test in tests:
            with suppress(_Stopped, TaskError, EvaluationError, ValueRefused, KeyError):
                walk.test(test)
    return walk.seen


class _Stopped(Exception):
    """Far enough."""


class _Walk:
    def __init__(self) -> None:
        self.seen: Seen = Counter()
        self._left = MAX_STEPS

    def follow(self, task: Task, depth: int) -> State:
        """The last state of the task."""
        state, source = task.initial_state, START
        while True:
            step = None if task.is_done(state) else task.next_step(state)
            target = DONE if step is None else step.name
            self.seen[task.name, source, target] += 1
            if step is None:
                return state
            if self._left <= 0:
                raise _Stopped
            self._left -= 1
            local = step.state_locals(state)
            if isinstance(step, RunStep):
                state = step.update(state, local, {run.name: self._run(run, state, local, depth) for run in step.runs})
            else:
                state = self._answer(task, step, state, local)
            source = target

    def test(self, test: TaskTest) -> None:
        """What comes after a reply that a test expects to pass."""
        step = test.task.next_step(test.state) if test.step is None else test.task.step(test.step)
        if test.verdict != "accept" or isinstance(step, RunStep):
            return
        raw = RawReply(test.reply, estimate_tokens(test.reply), "stop")
        verdict = judge(test.task, step, test.state, step.state_locals(test.state), raw)
        if not isinstance(verdict, Flag):
            is_done = test.task.is_done(verdict.state)
            target = DONE if is_done else test.task.next_step(verdict.state).name
            self.seen[test.task.name, step.name, target] += 1

    def _answer(self, task: Task, step: Step, state: State, local: Locals) -> State:
        if step.reference is None:
            raise _Stopped
        verdict = judge(task, step, state, local, RawReply(step.reply.render(step.reference(state)), 1, "stop"))
        if isinstance(verdict, Flag):
            raise _Stopped
        return verdict.state

    def _run(self, run: SubTask, state: State, local: Locals, depth: int) -> Value:
        if depth >= MAX_DEPTH:
            raise _Stopped
        results: list[Value] = []
        for inputs in run.inputs(state, local):
            task = run.bind(inputs)
            results.append(task.result_codec.validate(task.result(self.follow(task, depth + 1))))
        return results if run.is_many else results[0]
