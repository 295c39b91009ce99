"""Checks, compiles and evaluates expressions for tests, over a small cast of names."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from maker_dsl.checker.expressions import check
from maker_dsl.checker.scope import Binding, FunctionBinding, Scope
from maker_dsl.checker.static import Typing
from maker_dsl.compiler.expressions import compile_definition, compile_function, module_code
from maker_dsl.diagnostics import Diagnostic, Problems, Source
from maker_dsl.expressions.runtime import bind
from maker_dsl.syntax import tree
from maker_dsl.syntax.parser import parse_expression
from maker_dsl.types.type import (
    BoolType,
    DateType,
    DecimalType,
    EnumType,
    FloatType,
    IntType,
    ListType,
    MapType,
    Member,
    OptionalType,
    RecordType,
    StringType,
    TupleType,
    Type,
)

INT, FLOAT, DECIMAL, BOOL, STRING, DATE = (
    IntType(),
    FloatType(),
    DecimalType(),
    BoolType(),
    StringType(),
    DateType(),
)
MOVE = TupleType((Member("disk", INT), Member("source", INT), Member("target", INT)), alias="Move")
NOTE = RecordType((Member("name", STRING), Member("note", OptionalType(STRING))), alias="Note")

CAST: dict[str, tuple[Type, Any]] = {
    "n": (INT, 7),
    "half": (FLOAT, 2.5),
    "price": (DECIMAL, Decimal("9.90")),
    "yes": (BOOL, True),
    "text": (STRING, "héllo"),
    "empty": (STRING, ""),
    "a_date": (DATE, date(2026, 11, 23)),
    "kind": (EnumType(("debit", "credit"), alias="Kind"), "debit"),
    "ints": (ListType(INT), [3, 1, 2]),
    "none": (ListType(INT), []),
    "words": (ListType(STRING), ["b", "a"]),
    "pegs": (ListType(ListType(INT)), [[3, 2], [], [1]]),
    "ages": (MapType(INT), {"eve": 3, "bob": 5}),
    "note": (NOTE, {"name": "n", "note": None}),
    "move": (MOVE, (1, 0, 2)),
    "last": (OptionalType(MOVE), (1, 0, 2)),
    "absent": (OptionalType(MOVE), None),
    "maybe": (OptionalType(INT), 0),
    "nothing": (OptionalType(INT), None),
    "maybe_text": (OptionalType(STRING), ""),
    "flag": (OptionalType(BOOL), False),
    "holes": (ListType(OptionalType(INT)), [1, None]),
    "prices": (ListType(DECIMAL), [Decimal("0.10"), Decimal("0.20")]),
}
"""The inputs that test expressions may use: their types and values."""


@dataclass(frozen=True, slots=True)
class Def:
    """A def for a test: parameter names and types, result type, body."""

    name: str
    parameters: dict[str, Type]
    result: Type
    body: str


@dataclass(frozen=True, slots=True)
class Checked:
    """A checked expression."""

    tree: tree.Expression
    type: Type
    typing: Typing
    source: Source
    problems: tuple[Diagnostic, ...]
    functions: tuple[tree.Definition, ...] = field(default=())


def check_text(
    text: str,
    expected: Type | None = None,
    cast: dict[str, tuple[Type, Any]] | None = None,
    defs: tuple[Def, ...] = (),
) -> Checked:
    """Parse and check one expression over the cast."""
    problems, typing, scope = Problems(), Typing(), Scope()
    for name, (type_, _) in (CAST if cast is None else cast).items():
        scope.declare(Binding(name, type_, "input"))
    for each in defs:
        members = tuple(Member(name, type_) for name, type_ in each.parameters.items())
        scope.define(FunctionBinding(each.name, members, each.result))
    functions = tuple(_define(each, scope, problems, typing) for each in defs)
    source = Source("test.maker", text)
    expression = parse_expression(source, problems)
    assert expression is not None, [d.title for d in problems]
    type_ = check(expression, scope, problems, typing, expected)
    return Checked(expression, type_, typing, source, tuple(problems), functions)


def _define(each: Def, scope: Scope, problems: Problems, typing: Typing) -> tree.Definition:
    source = Source("test.maker", each.body)
    body = parse_expression(source, problems)
    assert body is not None
    inner = scope.child()
    for name, type_ in each.parameters.items():
        inner.declare(Binding(name, type_, "local"))
    check(body, inner, problems, typing, each.result)
    unused = tree.TypeName(body.span, "int")
    names = [tree.Identifier(body.span, name) for name in each.parameters]
    return tree.Definition(
        body.span,
        tree.Identifier(body.span, each.name),
        tuple(tree.Parameter(body.span, name, unused) for name in names),
        unused,
        body,
    )


def evaluate(
    text: str,
    expected: Type | None = None,
    cast: dict[str, tuple[Type, Any]] | None = None,
    defs: tuple[Def, ...] = (),
) -> Any:
    """The value of an expression that checks clean; raises EvaluationError."""
    checked = check_text(text, expected, cast, defs)
    assert not checked.problems, [(d.code, d.title, d.primary.text) for d in checked.problems]
    functions = [compile_definition(each, checked.typing, checked.source) for each in checked.functions]
    functions.append(compile_function("main", [], checked.tree, checked.typing, checked.source))
    code = module_code(functions, checked.source)
    values = {name: value for name, (_, value) in (CAST if cast is None else cast).items()}
    return bind(code, values, checked.source)["main"]()


def codes(text: str, expected: Type | None = None, defs: tuple[Def, ...] = ()) -> list[str]:
    """The codes of what the checker finds."""
    return [d.code for d in check_text(text, expected, defs=defs).problems]
