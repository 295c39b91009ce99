"""Checks references: the right reply, field by field, and plausible mistakes for rehearsals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from maker_dsl.checker.assignments import check_assignments
from maker_dsl.checker.checked import CheckedLet
from maker_dsl.checker.lets import check_lets
from maker_dsl.checker.names import Names, warn_unused
from maker_dsl.checker.places import head
from maker_dsl.checker.scope import Binding, Path, Scope
from maker_dsl.checker.task_context import TaskContext
from maker_dsl.diagnostics import Label, did_you_mean
from maker_dsl.syntax import tree
from maker_dsl.types.type import RecordType


def assign_references(
    references: Sequence[tree.Reference], steps: Sequence[str], context: TaskContext
) -> Mapping[str, tree.Reference]:
    """Which step each reference is for; references to missing steps and doubled ones are reported."""
    assigned: dict[str, tree.Reference] = {}
    for reference in references:
        span = reference.step.span if reference.step is not None else head(reference.span)
        listed = "the steps are " + ", ".join(f"`{one}`" for one in steps)
        if reference.step is None and len(steps) != 1:
            if steps:
                title = "this reference doesn't say for which step it is"
                context.problems.add("MK267", title, span, help=f"write `reference NAME {{ … }}`; {listed}")
            continue
        name = steps[0] if reference.step is None else reference.step.name
        if name not in steps:
            context.problems.add("MK267", f"there is no step `{name}`", span, help=did_you_mean(name, steps, listed))
        elif name in assigned:
            also = [Label(head(assigned[name].span), "first here")]
            context.problems.add("MK268", f"step `{name}` has two references", span, "a second one", also=also)
        else:
            assigned[name] = reference
    return assigned


def check_reference(
    reference: tree.Reference,
    step_scope: Scope,
    lets: Sequence[CheckedLet],
    reply: RecordType,
    facts: Iterable[Path],
    context: TaskContext,
) -> tuple[CheckedLet, ...]:
    """Check a step's reference; it sees inputs, state and those of the step's `let`s that don't need the reply."""
    scope = context.state.child(facts, has_checkers=True)
    for let in lets:
        if not let.looks_at_reply:
            scope.declare(Binding(let.name, let.type, "let"))
    names = Names(context.problems, context.names)
    own = check_lets(reference.lets, scope, names, context)
    fields = {member.name: member.type for member in reply.members}
    check_assignments(reference.assignments, fields, scope, context, "field", "the reply")
    given = {one.name.name for one in reference.assignments}
    missing = [name for name in fields if name not in given]
    if missing:
        listed = ", ".join(f"`{name}`" for name in missing)
        place = reference.step.span if reference.step is not None else head(reference.span)
        help = "a reference gives the whole reply: add " + ", ".join(f"`{name} = …`" for name in missing)
        context.problems.add("MK266", f"the reference leaves out {listed}", place, help=help)
    for mistake in reference.mistakes:
        check_assignments(mistake.assignments, fields, scope, context, "field", "the reply")
        if not mistake.assignments:
            context.problems.add(
                "MK266", "this mistake is the right reply", head(mistake.span), help="set a field wrongly"
            )
    for let in lets:
        if scope.is_used(let.name):
            step_scope.lookup(let.name)
    for declared in reference.lets:
        if not scope.is_used(declared.name.name):
            warn_unused(context.unused, "the `let`", declared.name)
    return own
