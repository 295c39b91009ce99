"""Checks expressions: names and types, with inference, over erased types.

Used by the task checker. Types flow both ways: a part's type is inferred, and what is wanted of it comes along as a
hint, from which literals learn whether `[1, 0]` is a list or a tuple, `"debit"` a string or an enum's value, `1.5` a
decimal or a float. After one error a part's type is NeverType, which fits everywhere, so that one mistake is reported
once.
"""

from __future__ import annotations

from maker_dsl.checker.calls import infer_call
from maker_dsl.checker.comparisons import infer_compare
from maker_dsl.checker.comprehensions import infer_list_comprehension, infer_map_comprehension
from maker_dsl.checker.inference import Inference
from maker_dsl.checker.literals import infer_fraction, infer_int, infer_list, infer_map, infer_record, infer_string
from maker_dsl.checker.mismatch import suggest
from maker_dsl.checker.narrowing import not_null_paths, path_of
from maker_dsl.checker.operators import infer_binary, infer_conditional, infer_unary
from maker_dsl.checker.relations import member_type
from maker_dsl.checker.scope import RAW_REPLY, Scope
from maker_dsl.checker.static import AnyNode, Typing, written_int
from maker_dsl.diagnostics import Label, Problems
from maker_dsl.syntax import tree
from maker_dsl.types.display import display
from maker_dsl.types.type import (
    BoolType,
    EnumType,
    IntType,
    ListType,
    MapType,
    NeverType,
    NullType,
    OptionalType,
    RecordType,
    StringType,
    TupleType,
    Type,
)

__all__ = ["check", "check_condition", "inference_of", "not_null_paths"]


def check(
    expression: tree.Expression, scope: Scope, problems: Problems, typing: Typing, expected: Type | None = None
) -> Type:
    """Check one expression, wanted as `expected` if given, and note in `typing` what the compiler needs.

    Gives the type of its value (`expected` where that was given); NeverType where an error was reported.
    """
    inference = Inference(problems, typing, _infer)
    inferred = inference.infer(expression, scope, expected)
    if expected is None or inference.is_wrong(inferred):
        return inferred
    return expected if inference.fit(expression, expected) else NeverType()


def check_condition(expression: tree.Expression, scope: Scope, problems: Problems, typing: Typing) -> None:
    """Check an expression that is wanted as a condition: a bool, or a value that may be empty or null."""
    Inference(problems, typing, _infer).condition(expression, scope)


def inference_of(problems: Problems, typing: Typing) -> Inference:
    """For parts that hold expressions without being one, such as `for each`."""
    return Inference(problems, typing, _infer)


def _infer(inference: Inference, node: AnyNode, scope: Scope, hint: Type | None) -> Type:
    match node:
        case tree.IntLiteral():
            return infer_int(inference, node)
        case tree.FractionLiteral():
            return infer_fraction(inference, node, hint)
        case tree.StringLiteral():
            return infer_string(inference, node, hint)
        case tree.BoolLiteral():
            return BoolType()
        case tree.NullLiteral():
            return NullType()
        case tree.Name():
            return _infer_name(inference, node, scope)
        case tree.FieldAccess():
            return _narrowed(node, scope, _infer_field(inference, node, scope))
        case tree.Index():
            return _narrowed(node, scope, _infer_index(inference, node, scope))
        case tree.Slice():
            return _infer_slice(inference, node, scope)
        case tree.Unary():
            return infer_unary(inference, node, scope, hint)
        case tree.Binary():
            return infer_binary(inference, node, scope, hint)
        case tree.Compare():
            return infer_compare(inference, node, scope)
        case tree.Conditional():
            return infer_conditional(inference, node, scope, hint)
        case tree.ListLiteral():
            return infer_list(inference, node, scope, hint)
        case tree.RecordLiteral():
            return infer_record(inference, node, scope, hint)
        case tree.MapLiteral():
            return infer_map(inference, node, scope, hint)
        case tree.ListComprehension() | tree.Generator():
            return infer_list_comprehension(inference, node, scope, hint)
        case tree.MapComprehension():
            return infer_map_comprehension(inference, node, scope, hint)
        case tree.Call():
            return infer_call(inference, node, scope)


def _narrowed(node: AnyNode, scope: Scope, type_: Type) -> Type:
    """The type, without its `?` where null was ruled out."""
    if isinstance(type_, OptionalType):
        path = path_of(node)
        if path is not None and scope.is_not_null(path):
            return type_.inner
    return type_


def _infer_name(inference: Inference, node: tree.Name, scope: Scope) -> Type:
    binding = scope.lookup(node.name)
    if binding is not None:
        inference.typing.bindings[id(node)] = binding
        return _narrowed(node, scope, binding.type)
    function = scope.function(node.name)
    if function is not None:
        inference.problems.add(
            "MK205",
            "a function is not a value",
            node.span,
            f"`{node.name}` is a def",
            help=f"call it: `{node.name}(" + ", ".join(p.name for p in function.parameters) + ")`",
        )
    else:
        inference.problems.add(
            "MK201",
            f"unknown name `{node.name}`",
            node.span,
            "nothing has this name here",
            help=_NAMES.get(node.name) or suggest(node.name, list(scope.names()), "known here are"),
        )
    return NeverType()


_NAMES = {
    "None": "write `null`",
    "nil": "write `null`",
    "thought": "what a model thought before the form is `reply.text`",
    "True": "write `true`",
    "False": "write `false`",
    "self": "fields of the state are used by their bare names",
}


def _infer_field(inference: Inference, node: tree.FieldAccess, scope: Scope) -> Type:
    object_type = inference.infer(node.object, scope)
    name = node.name.name
    known: list[str]
    match object_type:
        case NeverType():
            return object_type
        case OptionalType() | NullType():
            inference.report_null(node.object.span, object_type, f"it may have no `.{name}`")
            return NeverType()
        case RecordType(members=members) | TupleType(places=members):
            found = member_type(members, name)
            known = [member.name for member in members]
            if found is None and is_reply(inference.typing, node.object):
                found = member_type(RAW_REPLY.members, name)
                known += [member.name for member in RAW_REPLY.members if member.name not in known]
            if found is not None:
                return found
            help_text = suggest(name, known, "its fields are")
        case MapType():
            help_text = f'a map\'s values are found by key: `["{name}"]`, or `get(map, "{name}")` if it may be missing'
        case ListType(item=RecordType() | TupleType()) if name not in _METHODS:
            text = node.object.span.text if len(node.object.span.text) <= 20 else "list"
            help_text = (
                f"this is a list: one item's field is `{text}[0].{name}`, all of them `[x.{name} for x in {text}]`"
            )
        case _:
            help_text = _METHODS.get(name)
    inference.problems.add(
        "MK203",
        f"unknown field `{name}`",
        node.name.span,
        f"{display(object_type)} has no field `{name}`",
        help=help_text,
    )
    return NeverType()


_METHODS = {
    "append": "lists never change: `list + [item]` is a longer one",
    "length": "write `len(x)`",
    "size": "write `len(x)`",
    "keys": "write `keys(map)`",
    "values": "write `values(map)`",
    "items": "write `items(map)`",
    "strip": "write `trim(text)`",
    "split": "write `split(text, separator)`",
    "upper": "write `upper(text)`",
    "lower": "write `lower(text)`",
    "year": "write `year(date)`",
    "month": "write `month(date)`",
    "day": "write `day(date)`",
}


def is_reply(typing: Typing, node: AnyNode) -> bool:
    """Whether the expression is the name `reply`, which also has the raw reply's fields."""
    binding = typing.bindings.get(id(node))
    return binding is not None and binding.kind == "reply"


def _infer_index(inference: Inference, node: tree.Index, scope: Scope) -> Type:
    object_type = inference.infer(node.object, scope)
    if isinstance(object_type, TupleType):
        return _infer_place(inference, node, scope, object_type)
    index_type = inference.infer(node.index, scope)
    wanted: Type = IntType()
    result: Type
    match object_type:
        case NeverType():
            return object_type
        case OptionalType() | NullType():
            inference.report_null(node.object.span, object_type, "it can't be indexed")
            return NeverType()
        case ListType(item=item):
            result = item
        case StringType() | EnumType():
            result = StringType()
        case MapType(value=value):
            result, wanted = value, StringType()
        case _:
            text = node.index.value if isinstance(node.index, tree.StringLiteral) else "name"
            inference.problems.add(
                "MK307",
                "cannot be indexed",
                node.object.span,
                f"this is {display(object_type)}",
                help=f"a record's fields are written `.{text}`" if isinstance(object_type, RecordType) else None,
            )
            return NeverType()
    if isinstance(index_type, OptionalType | NullType):
        inference.report_null(node.index.span, index_type, "it can't be an index")
        return NeverType()
    if not isinstance(index_type, NeverType | type(wanted)) and not (
        isinstance(wanted, StringType) and isinstance(index_type, EnumType)
    ):
        inference.problems.add(
            "MK307",
            "wrong type of index",
            node.index.span,
            f"this is {display(index_type)}",
            also=[Label(node.object.span, f"{display(object_type)} is indexed by {display(wanted)}")],
        )
        return NeverType()
    return result


def _infer_place(inference: Inference, node: tree.Index, scope: Scope, type_: TupleType) -> Type:
    inference.infer(node.index, scope)
    index = written_int(node.index)
    count = len(type_.places)
    if index is not None and -count <= index < count:
        return type_.places[index].type
    names = ", ".join(f"`.{place.name}`" for place in type_.places)
    label = f"{display(type_)} has {count} places, 0 to {count - 1}"
    if index is None:
        label = "a place of a tuple is given by its name or by a number written out"
    inference.problems.add(
        "MK308", "places of a tuple", node.index.span, label, help=f"its places have names: {names}" if names else None
    )
    return NeverType()


def _infer_slice(inference: Inference, node: tree.Slice, scope: Scope) -> Type:
    object_type = inference.infer(node.object, scope)
    for part in (node.start, node.stop, node.step):
        if part is not None:
            inference.check(part, scope, IntType())
    match object_type:
        case NeverType() | ListType():
            return object_type
        case StringType() | EnumType():
            return StringType()
        case OptionalType() | NullType():
            inference.report_null(node.object.span, object_type, "it can't be sliced")
        case _:
            inference.problems.add(
                "MK307", "cannot be sliced", node.object.span, f"this is {display(object_type)}, not a list or string"
            )
    return NeverType()
