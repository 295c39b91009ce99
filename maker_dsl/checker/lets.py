"""Checks `let`s: each sees the earlier ones; which of them need the reply decides who may use them."""

from __future__ import annotations

from collections.abc import Iterable

from maker_dsl.checker.checked import CheckedLet
from maker_dsl.checker.expressions import check
from maker_dsl.checker.names import Names
from maker_dsl.checker.scope import Binding, Scope
from maker_dsl.checker.task_context import TaskContext
from maker_dsl.checker.traversal import descendants
from maker_dsl.syntax import tree
from maker_dsl.types.type import NeverType


def check_lets(lets: Iterable[tree.Let], scope: Scope, names: Names, context: TaskContext) -> tuple[CheckedLet, ...]:
    """Check the `let`s of a step or reference in order, adding them to `scope`."""
    checked: list[CheckedLet] = []
    after_reply = {"reply"}
    for let in lets:
        type_ = check(let.value, scope, context.problems, context.typing)
        if not names.declare(let.name, "a `let`"):
            # Which of the two a later use means can't be known: NeverType lets both pass.
            scope.declare(Binding(let.name.name, NeverType(), "let", let.name.span))
            continue
        used = {node.name for node in descendants(let.value) if isinstance(node, tree.Name)}
        looks_at_reply = bool(used & after_reply)
        if looks_at_reply:
            after_reply.add(let.name.name)
        scope.declare(Binding(let.name.name, type_, "let", let.name.span))
        checked.append(CheckedLet(let.name.name, let.value, type_, looks_at_reply))
    return tuple(checked)
