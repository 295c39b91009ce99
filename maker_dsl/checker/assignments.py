"""Checks blocks of assignments: update, given, with, result, reference and mistake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from maker_dsl.checker.expressions import check
from maker_dsl.checker.names import refuse_doubled
from maker_dsl.checker.scope import Scope
from maker_dsl.checker.task_context import TaskContext
from maker_dsl.diagnostics import did_you_mean
from maker_dsl.syntax import tree
from maker_dsl.types.type import Type


def check_assignments(
    assignments: Sequence[tree.Assignment],
    targets: Mapping[str, Type],
    scope: Scope,
    context: TaskContext,
    what: str,
    whose: str,
    unknown: str = "MK264",
) -> None:
    """Check each value against its target's type; `what` is as in "field", `whose` as in "the state".

    `unknown` is the code for a target that there is not.
    """
    refuse_doubled((one.name for one in assignments), "MK265", f"the {what}", context.problems, verb="is set")
    for one in assignments:
        wanted = targets.get(one.name.name)
        if wanted is None:
            listed = "it has " + ", ".join(f"`{name}`" for name in targets) if targets else None
            title = f"{whose} has no {what} `{one.name.name}`"
            help = did_you_mean(one.name.name, targets, listed)
            context.problems.add(unknown, title, one.name.span, help=help)
        check(one.value, scope, context.problems, context.typing, wanted)
