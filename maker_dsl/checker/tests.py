"""Checks tests: their inputs, the given state, the step, and that a reason to reject is one that there is."""

from __future__ import annotations

from collections.abc import Sequence

from maker_dsl.checker.assignments import check_assignments
from maker_dsl.checker.expressions import check_condition
from maker_dsl.checker.scope import Scope
from maker_dsl.checker.steps import step_name
from maker_dsl.checker.task_context import STANDARD_FLAGS, TaskContext
from maker_dsl.diagnostics import Label, Problems, Span, did_you_mean
from maker_dsl.syntax import tree
from maker_dsl.types.type import OptionalType


def check_tests(
    tests: Sequence[tree.Test], steps: Sequence[tree.Step], inputs: Sequence[tree.Input], context: TaskContext
) -> None:
    """Check all tests of a task."""
    first: dict[str, Span] = {}
    for test in tests:
        if test.name.value in first:
            also = [Label(first[test.name.value], "first here")]
            context.problems.add("MK263", "two tests have the same name", test.name.span, "a second time", also=also)
        first.setdefault(test.name.value, test.name.span)
        _check_test(test, steps, inputs, context)


def _check_test(
    test: tree.Test, steps: Sequence[tree.Step], inputs: Sequence[tree.Input], context: TaskContext
) -> None:
    problems = context.problems
    # A test's `with` sees the defs but no inputs: it is what gives them.
    check_assignments(test.inputs, context.input_types, Scope(context.defs), context, "input", "the task", "MK650")
    for one in test.inputs:
        # Only through a def; plain names are unknown here.
        for name in sorted(context.dependencies.names(one.value) & set(context.input_types)):
            title = f"`with` gives the inputs, and this looks at the input `{name}`"
            problems.add("MK276", title, one.value.span, help="write the value itself")
    given = {one.name.name for one in test.inputs}
    for declared in inputs:
        if declared.default is None and declared.name.name not in given:
            title = f"the test doesn't give the input `{declared.name.name}`, which has no default"
            help = f"add `with {{ {declared.name.name} = … }}`"
            problems.add("MK651", title, test.name.span, help=help)
    check_assignments(test.given, context.state_types, context.inputs, context, "field", "the state")
    names = [step_name(step) for step in steps]
    if test.step is not None and test.step.name not in names:
        listed = "the steps are " + ", ".join(f"`{name}`" for name in names)
        nearest = did_you_mean(test.step.name, names, listed)
        problems.add("MK272", f"there is no step `{test.step.name}`", test.step.span, help=nearest)
    _refuse_runs(test, steps, context)
    if test.reason is not None:
        _check_reason(test.reason, test.step, steps, context)
    for condition in test.then:
        _check_then(condition, context)


def _refuse_runs(test: tree.Test, steps: Sequence[tree.Step], context: TaskContext) -> None:
    """Report a test that can only be about a step that runs tasks."""
    meant = [step for step in steps if test.step is None or step_name(step) == test.step.name]
    runs = [part for step in meant for part in step.parts if isinstance(part, tree.Run)]
    asks = any(not any(isinstance(part, tree.Run) for part in step.parts) for step in meant)
    if runs and not asks:
        place = test.name.span if test.step is None else test.step.span
        title = f"step `{test.step.name}` runs tasks" if test.step is not None else "all steps of this task run tasks"
        also = [Label(runs[0].task.span, "the model is asked by this task")]
        help = "test the steps that ask a model, in the tasks that are run"
        context.problems.add("MK224", f"{title}: there is no reply to judge", place, also=also, help=help)


def _check_then(condition: tree.Expression, context: TaskContext) -> None:
    """Check a condition over the new state; here it may look into an optional field, and null fails the test."""
    found = Problems()
    check_condition(condition, context.state, found, context.typing)
    if found.has_errors:
        there = [(name,) for name, type_ in context.state_types.items() if isinstance(type_, OptionalType)]
        again = Problems()
        check_condition(condition, context.state.child(there), again, context.typing)
        found = found if again.has_errors else again
    context.problems.extend(found)


def _check_reason(
    reason: tree.Text, step: tree.Identifier | None, steps: Sequence[tree.Step], context: TaskContext
) -> None:
    known = [invariant.why.value for invariant in context.invariants]
    for one in steps:
        if step is None or step_name(one) == step.name:
            known.extend(part.why.value for part in one.parts if isinstance(part, tree.Check))
    if reason.value in known or reason.value in STANDARD_FLAGS:
        return
    standard = ", ".join(f'"{name}"' for name in STANDARD_FLAGS)
    otherwise = f"name a rule, flag or invariant by its words, or one of {standard}"
    help = did_you_mean(reason.value, [*known, *STANDARD_FLAGS], otherwise)
    context.problems.add("MK271", f'no red flag is called "{reason.value}"', reason.span, help=help)
