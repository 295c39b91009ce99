"""Follows the references from the initial state for a few steps: do they lead on, and do the task's rules let them?

Used by `compiler.trial`. Pure, and bounded by a number of steps, by the sizes of the states and by fuel, not by time,
so that the same file is always told the same. What goes wrong is a warning: other inputs may fare better.
"""

from __future__ import annotations

from maker_dsl.checker.checked import CheckedTask
from maker_dsl.checker.places import head
from maker_dsl.diagnostics import Problems, Severity
from maker_dsl.expressions.fuel import FUEL, shared_fuel
from maker_dsl.judging import Flag, judge
from maker_dsl.task import RawReply, Task, TaskError, Value
from maker_dsl.types.errors import ValueRefused

MAX_STEPS = 20
MAX_VALUES = 20_000
"""How many values all the states and replies that are looked at may have together."""

MAX_CHARACTERS = 200_000
"""How long all the prompts that are written may be together."""

MAX_FUEL = 500_000
"""Elementary operations of all the steps together."""


def follow_references(task: Task, checked: CheckedTask, problems: Problems) -> None:
    """Report what goes wrong behind the first step (which `compiler.trial` looks at itself) and stop there."""
    with shared_fuel(MAX_FUEL):
        _follow(task, checked, problems)


def _follow(task: Task, checked: CheckedTask, problems: Problems) -> None:
    state, values, characters = task.initial_state, MAX_VALUES, MAX_CHARACTERS
    found = Problems()
    for number in range(1, MAX_STEPS + 1):
        where = f"in step {number} from the initial state, if the replies are the reference's"
        try:
            if task.is_done(state):
                return
            step = task.next_step(state)
            declared = next(one for one in checked.steps if one.name == step.name)
            values -= _count(state, values)
            if step.reference is None or declared.reference is None or values <= 0:
                return
            place = head(declared.reference.span)
            local = step.state_locals(state)
            if number > 1 and characters > 0:
                prompt = step.render(state, local)
                characters -= len(prompt.user) + len(prompt.system or "")
            value = step.reference(state)
            values -= _count(value, values)
            if values <= 0:
                return
            verdict = judge(task, step, state, local, RawReply(step.reply.render(value), 1, "stop"))
        except TaskError as error:
            one = error.diagnostic
            label = f"{one.primary.text}, {where}" if one.primary.text else where
            found.add(one.code, one.title, one.primary.span, label, help=one.help, severity=Severity.WARNING)
            break
        except ValueRefused as error:
            title = "a reply of the reference doesn't fit its type"
            found.add("MK457", title, place, f"{error}, {where}", severity=Severity.WARNING)
            break
        if isinstance(verdict, Flag):
            title = "a reply of the reference would be refused"
            help = "mend the reference, or what refuses it"
            found.add("MK457", title, place, f"{verdict.detail}, {where}", help=help, severity=Severity.WARNING)
            break
        state = verdict.state
    if number > 1 and FUEL.left >= 0:
        problems.extend(found)


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
