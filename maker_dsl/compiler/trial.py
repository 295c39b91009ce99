"""Tries a compiled task out before a token is bought: what static checks can't see, on its default inputs and tests.

Bounds, defaults, the initial state, invariants and vote settings are computed; the first prompts are written; the
reference's reply to the initial state goes through the whole judgement. Pure, and bounded by the language's limits.
"""

from __future__ import annotations

from maker_dsl.checker.checked import CheckedStep, CheckedTask
from maker_dsl.checker.places import head
from maker_dsl.compiler.program import Program
from maker_dsl.diagnostics import Problems, Severity
from maker_dsl.judging import Flag, judge
from maker_dsl.task import RawReply, Step, Task, TaskError
from maker_dsl.types.errors import ValueRefused


def try_out(program: Program, checked: CheckedTask, problems: Problems) -> None:
    """Report what goes wrong when the task is bound to its default inputs (if it has them all) and to its tests'."""
    found = Problems()
    if not any(one.is_required for one in program.inputs):
        task = program.try_bind({}, found)
        if task is not None:
            _try_first_step(task, checked, found)
    if not found.has_errors:
        program.bind_tests(found)
    problems.extend(found)


def _try_first_step(task: Task, checked: CheckedTask, problems: Problems) -> None:
    state = task.initial_state
    try:
        if task.is_done(state):
            return
        step = task.next_step(state)
        local = step.state_locals(state)
        step.render(state, local)
        declared = next(one for one in checked.steps if one.name == step.name)
        _try_reference(task, step, declared, problems)
        for mistake in step.mistakes:
            mistake(state)
    except TaskError as error:
        problems.extend([error.diagnostic])


def _try_reference(task: Task, step: Step, declared: CheckedStep, problems: Problems) -> None:
    if step.reference is None or declared.reference is None:
        return
    state = task.initial_state
    place = head(declared.reference.span)
    value = step.reference(state)
    try:
        text = step.reply.render(value)
    except ValueRefused as error:
        title = "the reference's first reply doesn't fit its type"
        problems.add("MK457", title, place, str(error), severity=Severity.WARNING)
        return
    verdict = judge(task, step, state, step.state_locals(state), RawReply(text, 1, "stop"))
    if isinstance(verdict, Flag):
        title = "the reference's first reply would be refused"
        help = "mend the reference, or what refuses it"
        problems.add("MK457", title, place, verdict.detail, help=help, severity=Severity.WARNING)
