"""Tries a compiled task out before a token is bought: what static checks can't see, on its default inputs and tests.

Bounds, defaults, the initial state, invariants and vote settings are computed; the first prompt and those of the
tests' states are written; the reference's reply to the initial state goes through the whole judgement, and so do those
to the states that follow. Pure, and bounded by the language's limits.
"""

from __future__ import annotations

from maker_dsl.checker.checked import CheckedStep, CheckedTask
from maker_dsl.checker.places import head
from maker_dsl.compiler.following import follow_references
from maker_dsl.compiler.program import Program
from maker_dsl.diagnostics import Problems, Severity
from maker_dsl.expressions.fuel import shared_fuel
from maker_dsl.expressions.limits import MAX_TRIAL_FUEL
from maker_dsl.judging import Flag, judge
from maker_dsl.task import RawReply, Step, Task, TaskError, TaskTest
from maker_dsl.types.errors import ValueRefused


def try_out(program: Program, checked: CheckedTask, problems: Problems) -> None:
    """Report what goes wrong when the task is bound to its default inputs (if it has them all) and to its tests'."""
    found = Problems()
    with shared_fuel(MAX_TRIAL_FUEL):
        _try_all(program, checked, found)
    problems.extend(found)


def _try_all(program: Program, checked: CheckedTask, found: Problems) -> None:
    task = None if any(one.is_required for one in program.inputs) else program.try_bind({}, found)
    tests = () if found.has_errors else program.bind_tests(found)
    if task is None and tests:
        task = tests[0].task
    if task is not None:
        _try_first_step(task, checked, found)
    for test in tests:
        _try_prompt(test, found)
    if task is not None and not found.has_errors:
        follow_references(task, checked, found)


def _try_prompt(test: TaskTest, problems: Problems) -> None:
    """Write the prompt of the step that a test is about, in the state that it gives."""
    task, state = test.task, test.state
    try:
        step = task.next_step(state) if test.step is None else task.step(test.step)
        applies = step.applies(state)
    except TaskError:
        return  # the test fails with it
    try:
        if applies:
            step.render(state, step.state_locals(state))
    except TaskError as error:
        _add(error, problems)


def _add(error: TaskError, problems: Problems) -> None:
    """Report what failed, once for each place: several tests may meet the same."""
    found = error.diagnostic
    problems.add(
        found.code,
        found.title,
        found.primary.span,
        found.primary.text,
        also=found.secondary,
        help=found.help,
        severity=found.severity,
    )


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
        _add(error, problems)


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
