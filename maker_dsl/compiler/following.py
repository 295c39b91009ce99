"""Follows the references from the initial state for a few steps: do they lead on, and do the task's rules let them?
Where a step runs tasks, theirs are followed in the same way.

Used by `compiler.trial`. Pure, and bounded by a number of steps, by the sizes of the states and by fuel, not by time,
so that the same file is always told the same. What goes wrong is a warning: other inputs may fare better.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from itertools import count

from maker_dsl.checker.checked import CheckedTask
from maker_dsl.checker.places import head
from maker_dsl.compiler.program import Program
from maker_dsl.compiler.prompts import write_prompts
from maker_dsl.diagnostics import Label, Problems, Severity, Span
from maker_dsl.expressions.fuel import FUEL, shared_fuel
from maker_dsl.judging import Flag, judge
from maker_dsl.task import Locals, RawReply, RunStep, State, Step, SubTask, Task, TaskError, Value
from maker_dsl.types.errors import ValueRefused

MAX_STEPS = 20
"""How many steps of one task are followed."""

MAX_ALL_STEPS = 200
"""How many of all the tasks that are run; starting one counts as a step."""

MAX_DEPTH = 4
"""How deep tasks that run tasks are followed."""

MAX_VALUES = 20_000
"""How many values all the states and replies that are looked at may have together."""

MAX_CHARACTERS = 200_000
"""How long all the prompts that are written may be together."""

MAX_FUEL = 500_000
"""Elementary operations of all the steps together."""


def follow_references(task: Task, program: Program, problems: Problems) -> None:
    """Report what goes wrong behind the first step (which `compiler.trial` looks at itself) and stop there."""
    with shared_fuel(MAX_FUEL):
        found = Problems()
        walk = _Walk(program.programs, found)
        with suppress(_Stopped):
            walk.follow(task, program.checked)
        if FUEL.left >= 0:
            problems.extend(found)


class _Stopped(Exception):
    """Far enough, or something went wrong and was reported."""


class _Walk:
    """One walk along the references, into the tasks that are run as well."""

    def __init__(self, programs: Mapping[str, Program], found: Problems) -> None:
        self._programs = programs
        self._found = found
        self._values = MAX_VALUES
        self._characters = MAX_CHARACTERS
        self._steps = 0

    def follow(self, task: Task, checked: CheckedTask, depth: int = 0) -> State:
        """The last state of the task. Raises _Stopped."""
        state = task.initial_state
        whose = f"of `{task.name}`" if depth else ""
        steps: list[str] = []
        seen: dict[bytes, int] = {}
        for number in count(1):
            where = (
                f"in step {number} from the initial state{whose and ' ' + whose}, if the replies are the reference's"
            )
            try:
                if task.is_done(state):
                    return state
                if number > MAX_STEPS or self._steps >= MAX_ALL_STEPS:
                    break
                self._steps += 1
                step = task.next_step(state)
                self._spend(state)
                before = seen.setdefault(task.state_codec.dump(state), number)
                if before < number:
                    self._circle(checked, steps[-1], before, where)
                steps.append(step.name)
                local = step.state_locals(state)
                if isinstance(step, RunStep):
                    results = {run.name: self._run(run, state, local, depth) for run in step.runs}
                    state = step.update(state, local, results)
                else:
                    is_first = number == 1 and depth == 0
                    state = self._answer(task, step, checked, state, local, where, is_first=is_first)
            except TaskError as error:
                one = error.diagnostic
                label = f"{one.primary.text}, {where}" if one.primary.text else where
                self._report(one.code, one.title, one.primary.span, label, one.secondary, one.help)
        raise _Stopped

    def _answer(
        self,
        task: Task,
        step: Step,
        checked: CheckedTask,
        state: State,
        local: Locals,
        where: str,
        *,
        is_first: bool,
    ) -> State:
        """The state after the reference's reply. What is wrong with the very first one is reported elsewhere."""
        declared = next(one for one in checked.asking_steps if one.name == step.name)
        if step.reference is None or declared.reference is None:
            raise _Stopped
        place = head(declared.reference.span)
        if not is_first and self._characters > 0:
            self._characters -= write_prompts(step, state, local, self._steps)
        value = step.reference(state)
        self._spend(value)
        try:
            verdict = judge(task, step, state, local, RawReply(step.reply.render(value), 1, "stop"))
        except ValueRefused as error:
            if not is_first:
                title = "a reply of the reference doesn't fit its type"
                self._report("MK457", title, place, f"{error}, {where}")
            raise _Stopped from error
        if isinstance(verdict, Flag):
            if not is_first:
                title = "a reply of the reference would be refused"
                help = "mend the reference, or what refuses it"
                self._report("MK457", title, place, f"{verdict.detail}, {where}", help=help)
            raise _Stopped
        return verdict.state

    def _circle(self, checked: CheckedTask, last: str, before: int, where: str) -> None:
        """Report a state that was there before: what follows is the same for ever."""
        update = next(one.update for one in checked.steps if one.name == last)
        title = "a state comes back: with the reference's replies the task never ends"
        label = f"the state is the one of step {before} again, {where}"
        done = Label(checked.done.span, "this never holds")
        help = "let each step come nearer to `done when`, or mend the reference"
        self._report("MK395", title, head(update.span), label, (done,), help)

    def _run(self, run: SubTask, state: State, local: Locals, depth: int) -> Value:
        if depth >= MAX_DEPTH:
            raise _Stopped
        results: list[Value] = []
        for inputs in run.inputs(state, local):
            if self._steps >= MAX_ALL_STEPS:
                raise _Stopped
            self._steps += 1
            task = run.bind(inputs)
            end = self.follow(task, self._programs[run.task].checked, depth + 1)
            results.append(task.result_codec.validate(task.result(end)))
        return results if run.is_many else results[0]

    def _spend(self, value: Value) -> None:
        self._values -= _count(value, self._values)
        if self._values <= 0:
            raise _Stopped

    def _report(
        self,
        code: str,
        title: str,
        place: Span,
        label: str,
        also: tuple[Label, ...] = (),
        help: str | None = None,
    ) -> None:
        self._found.add(code, title, place, label, also=also, help=help, severity=Severity.WARNING)
        raise _Stopped


def _count(value: Value, limit: int) -> int:
    """How many values a value has in it; stops counting behind the limit."""
    waiting, count = [value], 0
    while waiting and count <= limit:
        one = waiting.pop()
        count += 1
        if isinstance(one, str):
            count += len(one) // 64
        elif isinstance(one, dict):
            count += len(one)
            if count <= limit:
                waiting.extend(one.values())
        elif isinstance(one, list | tuple):
            count += len(one)
            if count <= limit:
                waiting.extend(one)
    return count
