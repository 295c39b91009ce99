"""Checks comprehensions and the arguments of calls such as `all(… for …)`."""

from __future__ import annotations

from maker_dsl.checker.inference import Inference
from maker_dsl.checker.narrowing import not_null_paths
from maker_dsl.checker.relations import strip_optional
from maker_dsl.checker.scope import Binding, Scope
from maker_dsl.diagnostics import Label
from maker_dsl.syntax import tree
from maker_dsl.types.display import display
from maker_dsl.types.type import (
    EnumType,
    ListType,
    MapType,
    NeverType,
    NullType,
    OptionalType,
    StringType,
    TupleType,
    Type,
)


def infer_list_comprehension(
    inference: Inference, node: tree.ListComprehension | tree.Generator, scope: Scope, hint: Type | None
) -> Type:
    """`[item for …]`, or `item for …` as an argument."""
    inner = open_clauses(inference, node.clauses, scope)
    wanted = None if hint is None else strip_optional(hint)
    item = inference.infer(node.item, inner, wanted.item if isinstance(wanted, ListType) else None)
    return NeverType() if inference.is_wrong(item) else ListType(item)


def infer_map_comprehension(inference: Inference, node: tree.MapComprehension, scope: Scope, hint: Type | None) -> Type:
    """`{ key: value for … }`."""
    inner = open_clauses(inference, node.clauses, scope)
    wanted = None if hint is None else strip_optional(hint)
    inference.check(node.key, inner, StringType())
    value = inference.infer(node.value, inner, wanted.value if isinstance(wanted, MapType) else None)
    return NeverType() if inference.is_wrong(value) else MapType(value)


def open_clauses(inference: Inference, clauses: tuple[tree.ForClause, ...], scope: Scope) -> Scope:
    """The scope of what stands before the clauses: their names, and what their conditions prove."""
    for clause in clauses:
        iterable = inference.infer(clause.iterable, scope)
        types = _types_of_names(inference, clause, iterable)
        inner = scope.child()
        for name, type_ in zip(clause.names, types, strict=True):
            _declare(inference, inner, name, type_)
        scope = inner
        for condition in clause.conditions:
            inference.condition(condition, scope)
            known = not_null_paths(condition, inference.typing)
            scope = scope.child(known) if known else scope
    return scope


def _declare(inference: Inference, scope: Scope, name: tree.Identifier, type_: Type) -> None:
    known = scope.find(name.name)
    if known is not None and name.name != "_":
        inference.problems.add(
            "MK204",
            f"the name `{name.name}` is taken",
            name.span,
            "another value has this name here",
            also=[Label(known.span, "declared here")] if known.span is not None else (),
            help="choose another name: inside a task a name means one thing",
        )
    scope.declare(Binding(name.name, type_, "local", name.span))


def _types_of_names(inference: Inference, clause: tree.ForClause, iterable: Type) -> list[Type]:
    count = len(clause.names)
    unknown: list[Type] = [NeverType()] * count
    types: list[Type]
    match iterable:
        case NeverType():
            return unknown
        case ListType(item=TupleType(places=places)) if count > 1:
            types = [place.type for place in places]
            found = f"{len(types)} places in {display(iterable.item)}"
        case ListType(item=item):
            types = [item]
            found = f"one value: {display(item)}"
        case MapType(value=value):
            types = [StringType()] if count == 1 else [StringType(), value]
            found = "a key and a value"
        case StringType() | EnumType():
            types = [StringType()]
            found = "one character at a time"
        case OptionalType() | NullType():
            inference.report_null(clause.iterable.span, iterable, "`for` needs a list")
            return unknown
        case _:
            inference.problems.add(
                "MK318",
                "`for` needs something to go through",
                clause.iterable.span,
                f"this is {display(iterable)}, not a list, map or string",
                help=f"`range({clause.iterable.span.text})` counts up to it"
                if display(iterable) == "int" and len(clause.iterable.span.text) <= 20
                else None,
            )
            return unknown
    if isinstance(iterable, ListType) and isinstance(iterable.item, NeverType):
        return unknown
    if len(types) != count:
        inference.problems.add(
            "MK318",
            "wrong number of names after `for`",
            clause.names[0].span.to(clause.names[-1].span),
            f"{count} names for {found}",
        )
        return unknown
    return types
