"""Which values take time to compare, and the fuel to spend for it."""

from __future__ import annotations

import ast

from maker_dsl.checker.relations import strip_optional
from maker_dsl.compiler.names import helper
from maker_dsl.syntax import tree
from maker_dsl.types.type import (
    BoolType,
    DateType,
    DecimalType,
    EnumType,
    FloatType,
    IntType,
    ListType,
    NeverType,
    NullType,
    OptionalType,
    RecordType,
    StringType,
    TupleType,
    Type,
)


def is_written(node: tree.Expression) -> bool:
    """Whether the value stands in the text, so that comparing with it takes bounded time."""
    match node:
        case tree.IntLiteral() | tree.FractionLiteral() | tree.StringLiteral() | tree.BoolLiteral():
            return True
        case tree.NullLiteral():
            return True
        case tree.ListLiteral(items=items):
            return all(map(is_written, items))
        case _:
            return False


def spending(value: ast.expr, type_: Type) -> ast.expr:
    """The value of that type, fuel spent for going through it once."""
    inner = strip_optional(type_)
    if _is_small(inner):
        return value
    if isinstance(type_, StringType):
        return helper("spend_text", value)
    if isinstance(inner, ListType) and _is_small(inner.item):
        return helper("spend_items", value)
    return helper("spend_all", value)


def _is_small(type_: Type) -> bool:
    match type_:
        case IntType() | FloatType() | DecimalType() | BoolType() | DateType() | EnumType() | NullType() | NeverType():
            return True
        case OptionalType(inner=inner):
            return _is_small(inner)
        case TupleType(places=members) | RecordType(members=members):
            return all(_is_small(member.type) for member in members)
        case _:
            return False
