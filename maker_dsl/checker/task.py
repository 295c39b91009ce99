"""Checks a whole task, part by part, and reports all that it can in one go.

Order matters only for what may see what: types, defs and inputs first, then the state and the result; after that, all
tasks that may run one another being declared, steps with their references, then tests, then what nothing has used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from maker_dsl.checker.checked import (
    CheckedChecker,
    CheckedInput,
    CheckedResult,
    CheckedRunStep,
    CheckedStep,
    CheckedTask,
    CheckedVote,
)
from maker_dsl.checker.checkers import check_checkers, warn_unused_checkers
from maker_dsl.checker.expressions import check, check_condition
from maker_dsl.checker.ladders import check_ladder
from maker_dsl.checker.names import Names, refuse_doubled, warn_unused
from maker_dsl.checker.parts import Parts
from maker_dsl.checker.places import head
from maker_dsl.checker.references import assign_references
from maker_dsl.checker.replies import GrammarReader
from maker_dsl.checker.run_steps import check_run_step, runs_tasks
from maker_dsl.checker.scope import Binding, FunctionBinding, Scope
from maker_dsl.checker.signatures import InputSignature, TaskSignature, VisibleTasks
from maker_dsl.checker.static import Typing
from maker_dsl.checker.steps import check_step, report_words, step_name
from maker_dsl.checker.task_context import TaskContext
from maker_dsl.checker.tests import check_tests
from maker_dsl.checker.traversal import Dependencies, find_cycles
from maker_dsl.checker.types import TypeResolver, check_bounds, contains_never
from maker_dsl.checker.votes import check_vote_settings
from maker_dsl.diagnostics import Label, Problems, Severity, Source, Span
from maker_dsl.syntax import tree
from maker_dsl.types.type import IntType, Member, NeverType, NullType, RecordType, Type


@dataclass(frozen=True, slots=True)
class DeclaredTask:
    """A task whose declarations are checked, while its steps and tests are not: half way through the checker."""

    declaration: tree.TaskDeclaration
    parts: Parts
    context: TaskContext
    inputs: tuple[CheckedInput, ...]
    result: CheckedResult | None
    checkers: tuple[CheckedChecker, ...]
    signature: TaskSignature
    is_wrong: bool


def declare_task(task: tree.TaskDeclaration, source: Source, problems: Problems) -> DeclaredTask:
    """Check what a task declares: all that others who run it need to know, and all that its steps stand on."""
    before = _errors(problems)
    parts = Parts(task, problems)
    definitions = {one.name.name: one for one in parts.definitions}
    declarations = {one.name.name: one for one in reversed(parts.types)}
    context = TaskContext(
        source=source,
        problems=problems,
        unused=Problems(),
        typing=Typing(),
        types=TypeResolver(declarations, problems),
        dependencies=Dependencies(definitions, declarations),
        names=Names(problems),
        defs=(defs := Scope()),
        inputs=(inputs := Scope(defs)),
        state=Scope(inputs),
        input_types={},
        state_types={},
        invariants=parts.invariants,
    )
    for declaration in parts.types:
        context.names.declare(declaration.name, "a type")
        context.types.declared(declaration.name.name)
    functions = _declare_definitions(parts.definitions, context)
    checked_inputs = _check_inputs(parts.inputs, context)
    for declaration in parts.types:
        check_bounds(declaration.type, context.inputs, problems, context.typing)
    checkers = check_checkers(parts.checkers, context)
    _check_definitions(parts.definitions, functions, context)
    _check_state(parts.state, context)
    _check_invariants(context)
    _check_done(parts.done, context)
    result = None if parts.result is None else _check_result(parts.result, context)
    signature = _signature(task, parts, checked_inputs, result, context)
    return DeclaredTask(task, parts, context, checked_inputs, result, checkers, signature, _errors(problems) > before)


def finish_task(declared: DeclaredTask, read_grammar: GrammarReader, visible: VisibleTasks) -> CheckedTask | None:
    """Check the steps and tests of a task; None where an error keeps it from being compiled."""
    parts, context = declared.parts, declared.context
    problems = context.problems
    before = _errors(problems)
    if parts.expect is not None:
        check(parts.expect.count, context.inputs, problems, context.typing, IntType())
    votes = CheckedVote(check_vote_settings(parts.votes, context), check_ladder(parts.votes, context))
    if parts.votes and parts.steps and all(map(runs_tasks, parts.steps)):
        title = "all steps of this task run tasks: there is nothing to vote on"
        help = "the tasks that it runs have votes of their own: delete this one"
        problems.add("MK224", title, head(parts.votes[0].span), help=help)
    if parts.state is None:
        return None
    steps = _check_steps(parts, votes, context, read_grammar, visible)
    _warn_unused(parts, context)
    check_tests(parts.tests, parts.steps, parts.inputs, context)
    _warn_unused_defs(parts, context)
    warn_unused_checkers(declared.checkers, context)
    is_whole = len(steps) == len(parts.steps)
    if _errors(problems) > before or declared.is_wrong or parts.done is None or not is_whole:
        return None
    problems.extend(context.unused)
    return CheckedTask(
        source=context.source,
        declaration=declared.declaration,
        about=None if parts.about is None else parts.about.text.value,
        inputs=declared.inputs,
        types={one.name.name: one for one in reversed(parts.types)},
        definitions=parts.definitions,
        state=parts.state,
        invariants=parts.invariants,
        done=parts.done,
        result=declared.result,
        expect=parts.expect,
        steps=steps,
        vote=votes.settings,
        tests=parts.tests,
        typing=context.typing,
        checkers=declared.checkers,
    )


def _signature(
    task: tree.TaskDeclaration,
    parts: Parts,
    inputs: Sequence[CheckedInput],
    result: CheckedResult | None,
    context: TaskContext,
) -> TaskSignature:
    type_: Type = NeverType()
    place = task.name.span
    if parts.result is not None and result is not None:
        type_, place = result.type, head(parts.result.span)
    elif parts.state is not None:
        type_ = RecordType(tuple(Member(name, type_) for name, type_ in context.state_types.items()))
        place = head(parts.state.span)
    if contains_never(type_):
        type_ = NeverType()
    known = tuple(
        InputSignature(one.name, one.type, one.declaration.default is None, one.declaration.name.span) for one in inputs
    )
    return TaskSignature(task.name.name, task.name.span, known, type_, place)


def _errors(problems: Problems) -> int:
    return sum(one.severity is Severity.ERROR for one in problems)


def _declare_definitions(definitions: Sequence[tree.Definition], context: TaskContext) -> Mapping[str, FunctionBinding]:
    functions: dict[str, FunctionBinding] = {}
    for definition in definitions:
        refuse_doubled((one.name for one in definition.parameters), "MK251", "the parameter", context.problems)
        parameters = tuple(Member(one.name.name, context.types.erase(one.type)) for one in definition.parameters)
        result = context.types.erase(definition.result)
        if context.names.declare(definition.name, "a def"):
            function = FunctionBinding(definition.name.name, parameters, result, definition.name.span)
            functions[function.name] = function
            context.defs.define(function)
    return functions


def _check_definitions(
    definitions: Sequence[tree.Definition], functions: Mapping[str, FunctionBinding], context: TaskContext
) -> None:
    for definition in definitions:
        function = functions.get(definition.name.name)
        for one in (*(parameter.type for parameter in definition.parameters), definition.result):
            check_bounds(one, context.inputs, context.problems, context.typing)
        if function is None or function.span is not definition.name.span:
            continue
        scope = Scope(context.inputs)
        for parameter, member in zip(definition.parameters, function.parameters, strict=True):
            scope.declare(Binding(member.name, member.type, "local", parameter.name.span))
        check(definition.body, scope, context.problems, context.typing, function.result)
    named = {definition.name.name: definition for definition in definitions}
    reported: set[str] = set()
    for circle in find_cycles(definitions, context.dependencies):
        if not reported & set(circle):
            reported |= set(circle)
            shown = " → ".join(f"`{name}`" for name in circle)
            title = f"the def `{circle[0]}` calls itself"
            help = "defs can't be recursive: use a comprehension, or let the steps do the repeating"
            context.problems.add("MK257", title, named[circle[0]].name.span, shown, help=help)


def _check_inputs(inputs: Sequence[tree.Input], context: TaskContext) -> tuple[CheckedInput, ...]:
    checked: list[CheckedInput] = []
    later = {one.name.name: one.name.span for one in inputs}
    looked_at_early: set[str] = set()
    for declared in inputs:
        type_ = context.types.erase(declared.type)
        looked_at = context.dependencies.names(declared.type, *([declared.default] if declared.default else []))
        for name in sorted(looked_at & set(later)):
            title = f"`{declared.name.name}` depends on the input `{name}`, which comes later"
            if name == declared.name.name:
                title = f"the input `{name}` depends on itself"
            place = (declared.default or declared.type).span
            help = f"move `input {name}` up" if name != declared.name.name else None
            context.problems.add("MK276", title, place, also=[Label(later[name], "declared here")], help=help)
        looked_at_early |= looked_at & set(later)
        if not looked_at & set(later):
            check_bounds(declared.type, context.inputs, context.problems, context.typing)
            if declared.default is not None:
                check(declared.default, context.inputs, context.problems, context.typing, type_)
        if context.names.declare(declared.name, "an input"):
            context.inputs.declare(Binding(declared.name.name, type_, "input", declared.name.span))
            context.input_types[declared.name.name] = type_
            checked.append(CheckedInput(declared, type_))
        later.pop(declared.name.name, None)
    for name in looked_at_early:
        context.inputs.lookup(name)
    return tuple(checked)


def _check_state(state: tree.StateBlock | None, context: TaskContext) -> None:
    if state is None:
        return
    if not state.fields:
        title = "the state has no fields"
        context.problems.add("MK259", title, head(state.span), help="add what passes from step to step: `n: int = 0`")
    for declared in state.fields:
        type_ = context.types.erase(declared.type)
        check_bounds(declared.type, context.inputs, context.problems, context.typing)
        check(declared.initial, context.inputs, context.problems, context.typing, type_)
        if context.names.declare(declared.name, "a state field"):
            context.state.declare(Binding(declared.name.name, type_, "state", declared.name.span))
        context.state_types.setdefault(declared.name.name, type_)


def _check_invariants(context: TaskContext) -> None:
    words: dict[str, Span] = {}
    for invariant in context.invariants:
        report_words("invariant", invariant.why, words, context)
        check_condition(invariant.condition, context.state, context.problems, context.typing)


def _check_done(done: tree.DoneWhen | None, context: TaskContext) -> None:
    if done is None:
        return
    before = len(context.problems)
    check_condition(done.condition, context.state, context.problems, context.typing)
    if (
        len(context.problems) == before
        and context.state_types
        and not context.dependencies.names(done.condition) & set(context.state_types)
    ):
        title = "`done when` doesn't look at the state"
        label = "this never changes while the task runs"
        listed = ", ".join(f"`{name}`" for name in context.state_types)
        context.problems.add("MK278", title, done.condition.span, label, help=f"the state has {listed}")


def _check_result(result: tree.Result, context: TaskContext) -> CheckedResult:
    refuse_doubled((one.name for one in result.assignments), "MK265", "the field", context.problems, verb="is set")
    members: dict[str, Member] = {}
    for one in result.assignments:
        before = len(context.problems)
        type_ = check(one.value, context.state, context.problems, context.typing)
        if len(context.problems) == before and (contains_never(type_) or isinstance(type_, NullType)):
            title = f"nothing tells what `{one.name.name}` holds"
            context.problems.add("MK363", title, one.value.span, help="give a state field of a declared type")
        members.setdefault(one.name.name, Member(one.name.name, type_))
    return CheckedResult(result.assignments, RecordType(tuple(members.values())))


def _check_steps(
    parts: Parts,
    votes: CheckedVote,
    context: TaskContext,
    read_grammar: GrammarReader,
    visible: VisibleTasks,
) -> tuple[CheckedStep | CheckedRunStep, ...]:
    names: dict[str, Span] = {}
    always: tree.Step | None = None
    for step in parts.steps:
        name, place = step_name(step), head(step.span) if step.name is None else step.name.span
        if name in names:
            also = [Label(names[name], "first here")]
            help = "give each step a name: `step first { … }`" if step.name is None else None
            title = f"there are two steps `{name}`"
            context.problems.add("MK261", title, place, "a second one", also=also, help=help)
        names.setdefault(name, place)
        if always is not None:
            also = [Label(names[step_name(always)], "this step has no `when`: it is always taken")]
            title = f"step `{name}` can never be reached"
            help = f"give step `{step_name(always)}` a `when`, or move it to the end"
            context.problems.add("MK269", title, place, also=also, help=help)
        elif step.when is None:
            always = step
    references = assign_references(parts.references, list(names), context)
    made: list[CheckedStep | CheckedRunStep] = []
    seen: set[str] = set()
    for step in parts.steps:
        name = step_name(step)
        reference = None if name in seen else references.get(name)
        checked: CheckedStep | CheckedRunStep | None
        if runs_tasks(step):
            checked = check_run_step(step, reference, context, visible)
        else:
            checked = check_step(step, reference, votes, context, read_grammar)
        seen.add(name)
        if checked is not None:
            made.append(checked)
    return tuple(made)


def _warn_unused_defs(parts: Parts, context: TaskContext) -> None:
    for definition in parts.definitions:
        if not context.defs.is_function_used(definition.name.name):
            warn_unused(context.unused, "the def", definition.name)


def _warn_unused(parts: Parts, context: TaskContext) -> None:
    for declared in parts.inputs:
        if not context.inputs.is_used(declared.name.name):
            warn_unused(context.unused, "the input", declared.name)
    for declaration in parts.types:
        if declaration.name.name not in context.types.used:
            warn_unused(context.unused, "the type", declaration.name)
    if parts.result is None or parts.state is None:
        return
    for field in parts.state.fields:
        if not context.state.is_used(field.name.name):
            help = "read it somewhere, put it into `result`, or delete it"
            warn_unused(context.unused, "the state field", field.name, help)
