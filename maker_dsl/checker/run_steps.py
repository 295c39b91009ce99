"""Checks steps that run tasks: what may stand in them, and what becomes of the results.

Such a step asks no model. Its `run`s go side by side, so that their arguments see inputs, state and `let`s, and only
`update` and further `let`s see the results.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from maker_dsl.checker.assignments import check_assignments
from maker_dsl.checker.checked import CheckedRunStep
from maker_dsl.checker.expressions import check_condition, not_null_paths
from maker_dsl.checker.lets import check_lets
from maker_dsl.checker.names import Names, warn_unused
from maker_dsl.checker.places import head
from maker_dsl.checker.runs import check_run, result_type
from maker_dsl.checker.scope import Binding, Path, Scope
from maker_dsl.checker.signatures import TaskSignature, VisibleTasks
from maker_dsl.checker.steps import only, step_name
from maker_dsl.checker.task_context import TaskContext
from maker_dsl.checker.traversal import descendants
from maker_dsl.diagnostics import Diagnostic, Label, Problems
from maker_dsl.syntax import tree
from maker_dsl.types.type import NeverType


def runs_tasks(part: tree.TaskPart) -> bool:
    """Whether a part of a task is a step that runs tasks instead of asking a model."""
    return isinstance(part, tree.Step) and any(isinstance(one, tree.Run) for one in part.parts)


@dataclass(frozen=True, slots=True)
class _Lets:
    """The `let`s that look at no result, and those that do, directly or through other `let`s."""

    early: tuple[tree.Let, ...]
    late: tuple[tree.Let, ...]


def check_run_step(
    step: tree.Step, reference: tree.Reference | None, context: TaskContext, visible: VisibleTasks
) -> CheckedRunStep | None:
    """Check one step that runs tasks; None where it can't be compiled."""
    _refuse_asking(step, reference, context)
    runs = tuple(part for part in step.parts if isinstance(part, tree.Run))
    update = only([part for part in step.parts if isinstance(part, tree.Update)], "update", context)
    if update is None:
        place = step.name.span if step.name is not None else head(step.span)
        help = f"say what becomes of the result: `update {{ field = {runs[0].name.name}.… }}`"
        context.problems.add("MK260", "the step has no `update`", place, help=help)
    scope = context.state.child(_check_when(step, context))
    if any(isinstance(part, tree.Reply) for part in step.parts):
        scope.declare(Binding("reply", NeverType(), "reply"))  # reported above
    names = Names(context.problems, context.names)
    lets = _split([part for part in step.parts if isinstance(part, tree.Let)], {run.name.name for run in runs})
    early_lets = check_lets(lets.early, scope, names, context)
    named = [*(run.name for run in runs), *(let.name for let in lets.late)]
    later = {name.name: name for name in reversed(named)}
    outer = scope.child()
    for name, declared in later.items():
        outer.declare(Binding(name, NeverType(), "let", declared.span))
    checked = [check_run(run, outer, later, context, visible) for run in runs]
    for run in runs:
        is_new = names.declare(run.name, "a result")
        type_ = result_type(run, visible) if is_new else NeverType()
        scope.declare(Binding(run.name.name, type_, "let", run.name.span))
    found = Problems()
    inner = replace(context, problems=found)
    late_lets = check_lets(lets.late, scope, names, inner)
    if update is not None:
        check_assignments(update.assignments, context.state_types, scope, inner, "field", "the state")
    context.problems.extend(_with_results(found, [*lets.late, *([update] if update else [])], runs, visible))
    _warn_unused([*lets.early, *lets.late], runs, scope, context)
    made = tuple(one for one in checked if one is not None)
    if update is None or len(made) < len(runs):
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


def _check_when(step: tree.Step, context: TaskContext) -> frozenset[Path]:
    """What the step's `when` makes sure of."""
    if step.when is None:
        return frozenset()
    check_condition(step.when, context.state, context.problems, context.typing)
    return not_null_paths(step.when, context.typing)


def _warn_unused(lets: Iterable[tree.Let], runs: Iterable[tree.Run], scope: Scope, context: TaskContext) -> None:
    for let in lets:
        if not scope.is_used(let.name.name):
            warn_unused(context.unused, "the `let`", let.name)
    for run in runs:
        if not scope.is_used(run.name.name):
            warn_unused(context.unused, "the result", run.name, "take it over in `update`, or delete the `run`")


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


def _split(lets: Iterable[tree.Let], results: set[str]) -> _Lets:
    early: list[tree.Let] = []
    late: list[tree.Let] = []
    behind = set(results)
    for let in lets:
        names = {node.name for node in descendants(let.value) if isinstance(node, tree.Name)}
        if names & behind:
            late.append(let)
            behind.add(let.name.name)
        else:
            early.append(let)
    return _Lets(tuple(early), tuple(late))


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
