"""Checks steps that run tasks: which tasks, with which inputs, and what becomes of their results.

Such a step asks no model. Its `run`s go side by side, so that their arguments see inputs, state and `let`s, and only
`update` and further `let`s see the results.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from maker_dsl.checker.assignments import check_assignments
from maker_dsl.checker.builtins import BUILTIN_NAMES
from maker_dsl.checker.checked import CheckedRun, CheckedRunStep
from maker_dsl.checker.comprehensions import open_clauses
from maker_dsl.checker.expressions import check, check_condition, inference_of, not_null_paths
from maker_dsl.checker.lets import check_lets
from maker_dsl.checker.names import Names, refuse_doubled, warn_unused
from maker_dsl.checker.places import head
from maker_dsl.checker.scope import Binding, Path, Scope
from maker_dsl.checker.signatures import InputSignature, TaskSignature, VisibleTasks
from maker_dsl.checker.static import Typing
from maker_dsl.checker.steps import only, step_name
from maker_dsl.checker.task_context import TaskContext
from maker_dsl.checker.traversal import descendants
from maker_dsl.diagnostics import Diagnostic, Label, Problems, Span, did_you_mean
from maker_dsl.syntax import tree
from maker_dsl.types.display import display
from maker_dsl.types.type import ListType, Member, NeverType, RecordType, Type


def runs_tasks(part: tree.TaskPart) -> bool:
    """Whether a part of a task is a step that runs tasks instead of asking a model."""
    return isinstance(part, tree.Step) and any(isinstance(one, tree.Run) for one in part.parts)


def check_run_step(
    step: tree.Step, reference: tree.Reference | None, context: TaskContext, visible: VisibleTasks
) -> CheckedRunStep | None:
    """Check one step that runs tasks; None where it can't be compiled."""
    before = len(context.problems)
    _refuse_asking(step, reference, context)
    runs = [part for part in step.parts if isinstance(part, tree.Run)]
    update = only([part for part in step.parts if isinstance(part, tree.Update)], "update", context)
    if update is None:
        place = step.name.span if step.name is not None else head(step.span)
        help = f"say what becomes of the result: `update {{ field = {runs[0].name.name}.… }}`"
        context.problems.add("MK260", "the step has no `update`", place, help=help)
    facts: frozenset[Path] = frozenset()
    if step.when is not None:
        check_condition(step.when, context.state, context.problems, context.typing)
        facts = not_null_paths(step.when, context.typing)
    scope = context.state.child(facts)
    if any(isinstance(part, tree.Reply) for part in step.parts):
        scope.declare(Binding("reply", NeverType(), "reply"))  # reported above
    names = Names(context.problems, context.names)
    lets = [part for part in step.parts if isinstance(part, tree.Let)]
    early, late = _split(lets, {run.name.name for run in runs})
    early_lets = check_lets(early, scope, names, context)
    outer = scope.child()
    results = {run.name.name: run.name for run in reversed(runs)} | {let.name.name: let.name for let in reversed(late)}
    for name in results:
        outer.declare(Binding(name, NeverType(), "let", results[name].span))
    checked = [_check_run(run, outer, results, context, visible) for run in runs]
    for run in runs:
        is_new = names.declare(run.name, "a result")
        type_ = _result_type(run, visible) if is_new else NeverType()
        scope.declare(Binding(run.name.name, type_, "let", run.name.span))
    found = Problems()
    inner = replace(context, problems=found)
    late_lets = check_lets(late, scope, names, inner)
    if update is not None:
        check_assignments(update.assignments, context.state_types, scope, inner, "field", "the state")
    parts: list[tree.Node] = [*late, *([] if update is None else [update])]
    context.problems.extend(_with_results(found, parts, runs, visible))
    for let in lets:
        if not scope.is_used(let.name.name):
            warn_unused(context.unused, "the `let`", let.name)
    for run in runs:
        if not scope.is_used(run.name.name):
            warn_unused(context.unused, "the result", run.name, "take it over in `update`, or delete the `run`")
    made = tuple(one for one in checked if one is not None)
    if update is None or len(made) < len(runs) or len(context.problems) > before:
        return None
    return CheckedRunStep(
        name=step_name(step),
        declaration=step,
        when=step.when,
        lets=early_lets,
        runs=made,
        result_lets=late_lets,
        update=update,
    )


_ASKING = {
    tree.Reply: "reply",
    tree.VoteBlock: "vote",
    tree.WithProfile: "with profile",
}


def _refuse_asking(step: tree.Step, reference: tree.Reference | None, context: TaskContext) -> None:
    """Report the parts that only a step has that asks a model."""
    wrong = [(part, word) for part in step.parts if (word := _asking_word(part)) is not None]
    first = next(part for part in step.parts if isinstance(part, tree.Run))
    runs = Label(head(first.span), "this step runs a task")
    if wrong:
        words = dict.fromkeys(word for _, word in wrong)
        listed = " and ".join(f"no `{word}`" for word in words)
        title = f"a step that runs tasks asks no model: it has {listed}"
        help = "put what asks a model into a step of its own, before or after this one, with a `when`"
        context.problems.add("MK224", title, head(wrong[0][0].span), also=[runs], help=help)
    if reference is not None:
        place = head(reference.span) if reference.step is None else reference.step.span
        title = f"step `{step_name(step)}` runs tasks: there is no reply that a reference could give"
        help = "the tasks that it runs have references of their own: delete this one"
        context.problems.add("MK224", title, place, also=[runs], help=help)


def _asking_word(part: tree.StepPart) -> str | None:
    match part:
        case tree.Prompt(kind=kind):
            return kind
        case tree.Check(kind=kind):
            return kind
        case tree.Reply() | tree.VoteBlock() | tree.WithProfile():
            return _ASKING[type(part)]
        case _:
            return None


def _split(lets: Iterable[tree.Let], results: set[str]) -> tuple[list[tree.Let], list[tree.Let]]:
    """The `let`s that look at no result, and those that do, directly or through other `let`s."""
    early: list[tree.Let] = []
    late: list[tree.Let] = []
    behind = set(results)
    for let in lets:
        if _names(let.value) & behind:
            late.append(let)
            behind.add(let.name.name)
        else:
            early.append(let)
    return early, late


def _names(expression: tree.Node) -> set[str]:
    return {node.name for node in descendants(expression) if isinstance(node, tree.Name)}


def _check_run(
    run: tree.Run,
    scope: Scope,
    results: Mapping[str, tree.Identifier],
    context: TaskContext,
    visible: VisibleTasks,
) -> CheckedRun | None:
    before = len(context.problems)
    task = _find_task(run, context, visible)
    refuse_doubled((one.name for one in run.arguments), "MK265", "the input", context.problems, verb="is given")
    parts: list[tree.Expression] = [one.value for one in run.arguments]
    if run.each is not None:
        parts.append(run.each.iterable)
        clause = tree.ForClause(run.each.span, run.each.names, run.each.iterable, ())
        inner = open_clauses(inference_of(context.problems, context.typing), (clause,), scope)
    else:
        clause, inner = None, scope
    _refuse_results(run, parts, results, context)
    given = [_check_argument(one, task, inner, context) for one in run.arguments]
    if task is None:
        return None
    _refuse_missing(run, task, context)
    if len(context.problems) > before:
        return None
    members = tuple(Member(one.name.name, type_) for one, type_ in zip(run.arguments, given, strict=True))
    inputs = _inputs(run, clause, RecordType(members), context.typing)
    return CheckedRun(run.name.name, task.name, run, inputs)


def _result_type(run: tree.Run, visible: VisibleTasks) -> Type:
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


def _with_results(
    found: Problems, parts: Iterable[tree.Node], runs: Sequence[tree.Run], visible: VisibleTasks
) -> Iterable[Diagnostic]:
    """The findings, those about fields of a result with the place where its task says what the result is."""
    tasks = {run.name.name: visible.tasks.get(run.task.name) for run in runs}
    fields: dict[tuple[int, int], TaskSignature] = {}
    for part in parts if len(found) else ():
        for node in descendants(part):
            if isinstance(node, tree.FieldAccess):
                root: tree.Expression = node.object
                while isinstance(root, tree.FieldAccess | tree.Index):
                    root = root.object
                task = tasks.get(root.name) if isinstance(root, tree.Name) else None
                if task is not None:
                    fields[node.name.span.start, node.name.span.end] = task
    for one in found:
        about = fields.get((one.primary.span.start, one.primary.span.end))
        if about is None:
            yield one
        else:
            label = Label(about.result_span, f"the result of `{about.name}`")
            yield replace(one, secondary=(*one.secondary, label))
