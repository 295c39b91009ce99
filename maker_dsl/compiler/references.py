"""Compiles references: the right reply to a state, and the mistakes that a task declares."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from maker_dsl.checker.checked import CheckedLet
from maker_dsl.compiler.expressions import Parameter
from maker_dsl.compiler.module import Entry, Module, guarded
from maker_dsl.diagnostics import Span
from maker_dsl.syntax import tree
from maker_dsl.task import Locals, ReplyValue, State


@dataclass(frozen=True, slots=True)
class ReferencePlan:
    """A reference's entries; each mistake is an entry that gives only the fields that differ."""

    lets: str | None
    right: str
    mistakes: tuple[str, ...]
    place: Span


def plan_reference(reference: tree.Reference, lets: Sequence[CheckedLet], prefix: str, module: Module) -> ReferencePlan:
    """Add a reference's entries to the module."""
    values = [(let.name, let.value) for let in lets]
    parameters: tuple[Parameter, ...] = ("state", "local")
    return ReferencePlan(
        lets=module.lets(f"{prefix}_lets", parameters, values) if values else None,
        right=module.record(prefix, parameters, _fields(reference.assignments)),
        mistakes=tuple(
            module.record(f"{prefix}_mistake_{number}", parameters, _fields(mistake.assignments))
            for number, mistake in enumerate(reference.mistakes)
        ),
        place=reference.span,
    )


def bind_reference(
    plan: ReferencePlan,
    state_locals: Callable[[State], Locals],
    entries: Mapping[str, Entry],
    mistake: str | None = None,
) -> Callable[[State], ReplyValue]:
    """The right reply to a state, or with `mistake` that wrong one; raises TaskError."""
    lets = None if plan.lets is None else guarded(entries[plan.lets], plan.place, "a `let` of the reference")
    right = guarded(entries[plan.right], plan.place, "the reference")
    wrong = None if mistake is None else guarded(entries[mistake], plan.place, "this mistake")

    def answer(state: State) -> ReplyValue:
        local = state_locals(state)
        if lets is not None:
            local = lets(state, local)
        value: ReplyValue = right(state, local)
        return value if wrong is None else {**value, **wrong(state, local)}

    return answer


def _fields(assignments: Sequence[tree.Assignment]) -> list[tuple[str, tree.Expression]]:
    return [(one.name.name, one.value) for one in assignments]
