"""Which optional values a condition proves not to be null, so that they can be used without `?`."""

from __future__ import annotations

from maker_dsl.checker.scope import Path
from maker_dsl.checker.static import AnyNode, Typing
from maker_dsl.syntax import tree
from maker_dsl.types.type import NeverType, NullType, OptionalType


def path_of(node: AnyNode) -> Path | None:
    """The immutable place that an expression names: `x`, `x.a`, `x[0]`, `x["k"]`; None for anything else."""
    match node:
        case tree.Name(name=name):
            return (name,)
        case tree.FieldAccess(object=inner, name=name):
            base = path_of(inner)
            return None if base is None else (*base, name.name)
        case tree.Index(object=inner, index=tree.IntLiteral(value=value)):
            base = path_of(inner)
            return None if base is None else (*base, value)
        case tree.Index(object=inner, index=tree.Unary(operator="-", operand=tree.IntLiteral(value=value))) if (
            value > 0
        ):
            base = path_of(inner)
            return None if base is None else (*base, -value)
        case tree.Index(object=inner, index=tree.StringLiteral(value=key)):
            base = path_of(inner)
            return None if base is None else (*base, key)
        case _:
            return None


def not_null_paths(expression: AnyNode, typing: Typing, holds: bool = True) -> frozenset[Path]:
    """The optional values that cannot be null where the checked condition holds (or, with holds=False, fails)."""
    match expression:
        case tree.Unary(operator="not", operand=operand):
            return not_null_paths(operand, typing, not holds)
        case tree.Binary(operator="and" | "or" as operator, left=left, right=right):
            one, other = not_null_paths(left, typing, holds), not_null_paths(right, typing, holds)
            return one | other if (operator == "and") == holds else one & other
        case tree.Compare(first=first, rest=rest):
            if holds:
                found: frozenset[Path] = frozenset()
                for link, right in rest:
                    found |= _from_link(first, link, right, typing)
                    first = right
                return found
            if len(rest) == 1 and rest[0][0] in ("==", "!="):
                opposite: tree.CompareOperator = "!=" if rest[0][0] == "==" else "=="
                return _from_link(first, opposite, rest[0][1], typing)
            return frozenset()
        case _:
            return _paths(expression) if holds else frozenset()


def _from_link(left: AnyNode, operator: tree.CompareOperator, right: AnyNode, typing: Typing) -> frozenset[Path]:
    if operator == "!=":
        if isinstance(right, tree.NullLiteral):
            return _paths(left)
        return _paths(right) if isinstance(left, tree.NullLiteral) else frozenset()
    if operator == "==":
        found: frozenset[Path] = frozenset()
        if not _may_be_null(right, typing):
            found |= _paths(left)
        if not _may_be_null(left, typing):
            found |= _paths(right)
        return found
    return frozenset()


def _may_be_null(node: AnyNode, typing: Typing) -> bool:
    return isinstance(typing.types.get(id(node), NullType()), OptionalType | NullType | NeverType)


def _paths(node: AnyNode) -> frozenset[Path]:
    path = path_of(node)
    return frozenset() if path is None else frozenset((path,))
