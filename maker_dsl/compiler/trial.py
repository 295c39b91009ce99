"""Tries a compiled task out before a token is bought: what static checks can't see, on its default inputs and tests.

Bounds, defaults, the initial state, invariants and vote settings are computed; the first prompt and those of the
tests' states are written; the reference's reply to the initial state goes through the whole judgement, and so do those
to the states that follow. Pure, and bounded by the language's limits.
"""

from __future__ import annotations

from itertools import islice

from maker_dsl.checker.checked import CheckedStep, CheckedTask
from maker_dsl.checker.places import head
from maker_dsl.compiler.checkers import UNALLOWED
from maker_dsl.compiler.following import follow_references
from maker_dsl.compiler.program import Program
from maker_dsl.compiler.prompts import write_prompts
from maker_dsl.diagnostics import Diagnostic, Problems, Severity
from maker_dsl.expressions.fuel import is_out_of_fuel, shared_fuel
from maker_dsl.expressions.limits import MAX_TRIAL_FUEL
from maker_dsl.judging import Flag, judge
from maker_dsl.task import RawReply, RunStep, Step, Task, TaskError, TaskTest
from maker_dsl.types.errors import ValueRefused

MAX_TESTS_IN_FULL = 20
"""For how many tests all wordings are written; one for each of the others."""

MAX_TRIED_RUNS = 10
"""How many of the tasks that the first step runs are bound."""

MAX_RUNS_FUEL = 1_000_000
"""Elementary operations of binding them."""


def try_out(program: Program, problems: Problems) -> None:
    """Report what goes wrong when the task is bound to its default inputs (if it has them all) and to its tests'."""
    found = Problems()
    with shared_fuel(MAX_TRIAL_FUEL):
        _try_all(program, found)
    for one in found:
        # A task that several run is tried out with each of them. What calls for a plug-in can't be tried without it.
        if one.code != UNALLOWED:
            add_finding(one, problems)


def _try_all(program: Program, found: Problems) -> None:
    checked = program.checked
    task = None if any(one.is_required for one in program.inputs) else program.try_bind({}, found)
    tests = () if found.has_errors else program.bind_tests(found)
    if task is None and tests:
        task = tests[0].task
    if task is not None:
        _try_first_step(task, checked, found)
    for number, test in enumerate(tests):
        _try_prompt(test, found, None if number < MAX_TESTS_IN_FULL else number)
    if task is not None and not found.has_errors:
        _try_first_runs(task, found)
    if task is not None and not found.has_errors:
        follow_references(task, program, found)


def _try_prompt(test: TaskTest, problems: Problems, turn: int | None) -> None:
    """Write the prompts of the step that a test is about, in the state that it gives; with a `turn`, one of them."""
    task, state = test.task, test.state
    try:
        step = task.next_step(state) if test.step is None else task.step(test.step)
        applies = step.applies(state)
    except TaskError:
        return  # the test fails with it
    except KeyError:
        return  # a step that runs tasks: reported by the checker
    try:
        if applies and isinstance(step, Step):
            write_prompts(step, state, step.state_locals(state), turn)
    except TaskError as error:
        add_finding(error.diagnostic, problems)


def add_finding(found: Diagnostic, problems: Problems) -> None:
    """Report what failed, once for each place: several tests may meet the same."""
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
        if isinstance(step, RunStep):
            return
        write_prompts(step, state, local)
        declared = next(one for one in checked.asking_steps if one.name == step.name)
        _try_reference(task, step, declared, problems)
        for mistake in step.mistakes:
            mistake(state)
    except TaskError as error:
        add_finding(error.diagnostic, problems)


def _try_first_runs(task: Task, problems: Problems) -> None:
    """Where the first step runs tasks, bind some of them: can they be started at all?"""
    state, found = task.initial_state, Problems()
    with shared_fuel(MAX_RUNS_FUEL):
        try:
            step = None if task.is_done(state) else task.next_step(state)
            if isinstance(step, RunStep):
                local = step.state_locals(state)
                starts = ((run, inputs) for run in step.runs for inputs in run.inputs(state, local))
                for run, inputs in islice(starts, MAX_TRIED_RUNS):
                    run.bind(inputs)
        except TaskError as error:
            add_finding(error.diagnostic, found)
        if not is_out_of_fuel():
            problems.extend(found)


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
