"""Checks one `run`: which task, with which inputs, once or for each item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from maker_dsl.checker.builtins import BUILTIN_NAMES
from maker_dsl.checker.checked import CheckedRun
from maker_dsl.checker.comprehensions import open_clauses
from maker_dsl.checker.expressions import check, inference_of
from maker_dsl.checker.names import refuse_doubled
from maker_dsl.checker.scope import Scope
from maker_dsl.checker.signatures import InputSignature, TaskSignature, VisibleTasks
from maker_dsl.checker.static import Typing
from maker_dsl.checker.task_context import TaskContext
from maker_dsl.checker.traversal import descendants
from maker_dsl.diagnostics import Label, Problems, Span, did_you_mean
from maker_dsl.syntax import tree
from maker_dsl.types.display import display
from maker_dsl.types.type import ListType, Member, NeverType, RecordType, Type


def check_run(
    run: tree.Run,
    scope: Scope,
    results: Mapping[str, tree.Identifier],
    context: TaskContext,
    visible: VisibleTasks,
) -> CheckedRun | None:
    """Check one `run`, whose arguments see `scope`; `results` are names that are only there later. None if wrong."""
    found = Problems()
    inner = replace(context, problems=found)
    checked = _check(run, scope, results, inner, visible)
    context.problems.extend(found)
    return None if found.has_errors else checked


def _check(
    run: tree.Run,
    scope: Scope,
    results: Mapping[str, tree.Identifier],
    context: TaskContext,
    visible: VisibleTasks,
) -> CheckedRun | None:
    task = _find_task(run, context, visible)
    refuse_doubled((one.name for one in run.arguments), "MK265", "the input", context.problems, verb="is given")
    looked_at: list[tree.Expression] = [one.value for one in run.arguments]
    clause: tree.ForClause | None = None
    if run.each is not None:
        looked_at.append(run.each.iterable)
        clause = tree.ForClause(run.each.span, run.each.names, run.each.iterable, ())
        scope = open_clauses(inference_of(context.problems, context.typing), (clause,), scope)
    _refuse_results(run, looked_at, results, context)
    types = [_check_argument(one, task, scope, context) for one in run.arguments]
    if task is None:
        return None
    _refuse_missing(run, task, context)
    members = tuple(Member(one.name.name, type_) for one, type_ in zip(run.arguments, types, strict=True))
    return CheckedRun(run.name.name, task.name, run, _inputs(run, clause, RecordType(members), context.typing))


def result_type(run: tree.Run, visible: VisibleTasks) -> Type:
    """What a `run` gives, whatever is wrong with its arguments."""
    task = visible.tasks.get(run.task.name)
    result = NeverType() if task is None else task.result
    return result if run.each is None else ListType(result)


def _find_task(run: tree.Run, context: TaskContext, visible: VisibleTasks) -> TaskSignature | None:
    name = run.task.name
    visible.needed.add(name)
    if name in visible.tasks:
        return visible.tasks[name]
    also: list[Label] = []
    listed = "known here are " + ", ".join(f"`{one}`" for one in visible.tasks)
    otherwise = f'{listed}; `use "file.maker"` brings in the tasks of another file'
    if visible.missing:
        files = " or ".join(f"`{one}`" for one in visible.missing)
        otherwise = f"it may stand in {files}, which can't be used; {listed}"
    help = did_you_mean(name, visible.tasks, otherwise)
    if help == otherwise and not visible.is_complete:
        return None
    title, label = f"there is no task `{name}`", ""
    what = _what_else(name, context)
    if name in visible.elsewhere:
        place = visible.elsewhere[name]
        also = [Label(place, "it stands here")]
        file = place.source.name.replace("\\", "/").rsplit("/", 1)[-1]
        label = "this file doesn't use the file that it stands in"
        help = f'write `use "{file}"` at the top of this file'
        if name in visible.above:
            help = f"`{file}` uses this file, so this one can't use it: move the task to a file that both use"
    elif what is not None:
        title, label = f"`{name}` is no task", f"it is {what}"
        help = f"only tasks are run; {listed}"
    context.problems.add("MK223", title, run.task.span, label, also=also, help=help)
    return None


def _what_else(name: str, context: TaskContext) -> str | None:
    """What a name is that is taken for a task."""
    if name in context.input_types:
        return "an input of this task"
    if name in context.state_types:
        return "a field of the state"
    if name in context.defs.function_names():
        return "a def: call it in an expression"
    if name in BUILTIN_NAMES:
        return "a builtin function: call it in an expression"
    return None


def _refuse_results(
    run: tree.Run,
    parts: Sequence[tree.Expression],
    results: Mapping[str, tree.Identifier],
    context: TaskContext,
) -> None:
    """Report arguments that look at what is only there once the `run`s of the step are done."""
    own = {name.name for name in run.each.names} if run.each is not None else set()
    for part in parts:
        for node in descendants(part):
            if isinstance(node, tree.Name) and node.name in results and node.name not in own:
                title = f"`{node.name}` is not there yet: the `run`s of a step go side by side"
                if node.name == run.name.name:
                    title = f"`{node.name}` is the result of this very `run`"
                also = [Label(results[node.name].span, "there once this step is done")]
                help = "keep the result in the state, and run this task in a later step"
                context.problems.add("MK225", title, node.span, also=also, help=help)


_MISFITS = ("MK301", "MK304", "MK316")


def _check_argument(
    argument: tree.KeywordArgument, task: TaskSignature | None, scope: Scope, context: TaskContext
) -> Type:
    """Check one argument against the input that it is for; what doesn't fit shows both places."""
    name = argument.name.name
    declared = None if task is None else task.input(name)
    if declared is None:
        if task is not None:
            known = [one.name for one in task.inputs]
            listed = "its inputs are " + ", ".join(f"`{one}`" for one in known) if known else "it has no inputs"
            also = [Label(task.span, "the task")]
            title = f"`{task.name}` has no input `{name}`"
            help = did_you_mean(name, known, listed)
            context.problems.add("MK650", title, argument.name.span, also=also, help=help)
        return check(argument.value, scope, context.problems, context.typing)
    found = Problems()
    type_ = check(argument.value, scope, found, context.typing, declared.type)
    if len(found) and task is not None:
        alone = Problems()
        check(argument.value, scope, alone, Typing())
        own = {(one.code, one.primary.span) for one in alone}
        found = _pointing_at(found, own, declared, task)
    context.problems.extend(found)
    return type_


def _pointing_at(
    found: Problems, own: set[tuple[str, Span]], declared: InputSignature, task: TaskSignature
) -> Problems:
    """The findings, those with the input that come from what the input wants."""
    moved = Problems()
    for one in found:
        if one.code in _MISFITS and (one.code, one.primary.span) not in own:
            label = Label(declared.span, f"the input `{declared.name}` of `{task.name}` is {display(declared.type)}")
            one = replace(one, secondary=(*one.secondary, label))
        moved.extend([one])
    return moved


def _refuse_missing(run: tree.Run, task: TaskSignature, context: TaskContext) -> None:
    given = {one.name.name for one in run.arguments}
    needed = [one for one in task.inputs if one.is_required and one.name not in given]
    misspelt = [name for name in given if task.input(name) is None]
    missing = [one for one in needed if not any(did_you_mean(name, [one.name]) for name in misspelt)]
    if missing:
        listed = " and ".join(f"`{one.name}`" for one in missing)
        title = f"`{task.name}` needs the input{'s' if len(missing) > 1 else ''} {listed}"
        also = [Label(one.span, f"{display(one.type)}, without a default") for one in missing]
        form = ", ".join(f"{one.name} = …" for one in missing)
        help = f"add `{form}` to what stands between ( and )"
        context.problems.add("MK651", title, run.task.span, "not given here", also=also, help=help)


def _inputs(run: tree.Run, clause: tree.ForClause | None, record: RecordType, typing: Typing) -> tree.Expression:
    """The inputs of all sub-runs as one expression: a list of records."""
    members = tuple(tree.RecordMember(one.span, one.name, one.value) for one in run.arguments)
    item = tree.RecordLiteral(run.span, members)
    typing.set_type(item, record)
    made: tree.ListLiteral | tree.ListComprehension = (
        tree.ListLiteral(run.span, (item,)) if clause is None else tree.ListComprehension(run.span, item, (clause,))
    )
    typing.set_type(made, ListType(record))
    return made
