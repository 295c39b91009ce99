"""Checks operators: arithmetic, `and or not`, `??`, and conditionals."""

from __future__ import annotations

from maker_dsl.checker.inference import Inference
from maker_dsl.checker.literals import is_literal
from maker_dsl.checker.mismatch import report_mixed
from maker_dsl.checker.narrowing import not_null_paths
from maker_dsl.checker.relations import (
    Number,
    Text,
    join,
    mixes_decimal_and_float,
    strip_optional,
)
from maker_dsl.checker.scope import Scope
from maker_dsl.checker.static import AnyNode
from maker_dsl.diagnostics import Label
from maker_dsl.syntax import tree
from maker_dsl.types.display import display
from maker_dsl.types.type import (
    BoolType,
    DateType,
    DecimalType,
    EnumType,
    FloatType,
    IntType,
    ListType,
    MapType,
    NeverType,
    NullType,
    OptionalType,
    StringType,
    Type,
)


def infer_unary(inference: Inference, node: tree.Unary, scope: Scope, hint: Type | None) -> Type:
    """`-x`, `+x`, `not x`."""
    if node.operator == "not":
        inference.condition(node.operand, scope)
        return BoolType()
    type_ = inference.infer(node.operand, scope, hint)
    if isinstance(type_, Number | NeverType):
        return type_
    if isinstance(type_, OptionalType | NullType):
        inference.report_null(node.operand.span, type_, f"`{node.operator}` needs a number")
    else:
        inference.problems.add(
            "MK302", f"`{node.operator}` needs a number", node.operand.span, f"this is {display(type_)}"
        )
    return NeverType()


def infer_binary(inference: Inference, node: tree.Binary, scope: Scope, hint: Type | None) -> Type:
    """Arithmetic, `and`, `or`, `??`."""
    match node.operator:
        case "and" | "or":
            inference.condition(node.left, scope)
            known = not_null_paths(node.left, inference.typing, holds=node.operator == "and")
            inference.condition(node.right, scope.child(known) if known else scope)
            return BoolType()
        case "??":
            return _infer_default(inference, node, scope, hint)
        case _:
            return _infer_arithmetic(inference, node, scope, hint)


def _infer_default(inference: Inference, node: tree.Binary, scope: Scope, hint: Type | None) -> Type:
    left = inference.infer(node.left, scope, None)
    declared = inference.declared_type(node.left)
    if not isinstance(left, OptionalType | NullType | NeverType) and not isinstance(declared, OptionalType):
        inference.problems.add(
            "MK302",
            "`??` needs a value that may be null",
            node.left.span,
            f"this is {display(left)}: it is never null",
            help="leave out `??` and what follows it",
        )
        inference.infer(node.right, scope, hint)
        return NeverType()
    inner = strip_optional(left)
    known_inner = inner if not isinstance(inner, NullType | NeverType) else hint
    right = inference.infer(node.right, scope, known_inner)
    if inference.is_wrong(left) or inference.is_wrong(right):
        return NeverType()
    inner = NeverType() if isinstance(left, NullType) else inner
    joined = join(inner, right)
    if joined is None:
        if not (isinstance(node.right, tree.Conditional | tree.ListLiteral) and not inference.fit(node.right, inner)):
            _report_branches(inference, node.left, inner, node.right, right)
        return NeverType()
    inference.fit(node.left, OptionalType(joined) if not isinstance(joined, OptionalType | NullType) else joined)
    inference.fit(node.right, joined)
    return joined


def _report_branches(inference: Inference, first: AnyNode, first_type: Type, other: AnyNode, other_type: Type) -> None:
    if mixes_decimal_and_float(first_type, other_type):
        report_mixed(
            inference.problems, other.span, f"this is {display(other_type)}, the other value {display(first_type)}"
        )
        return
    inference.problems.add(
        "MK311",
        "values of different types",
        other.span,
        f"this is {display(other_type)}",
        also=[Label(first.span, f"this is {display(first_type)}")],
        help="the values of a list, a map or a conditional have one type in common",
    )


def infer_conditional(inference: Inference, node: tree.Conditional, scope: Scope, hint: Type | None) -> Type:
    """`then if condition else otherwise`."""
    inference.condition(node.condition, scope)
    if_true = not_null_paths(node.condition, inference.typing)
    if_false = not_null_paths(node.condition, inference.typing, holds=False)
    then_scope = scope.child(if_true) if if_true else scope
    otherwise_scope = scope.child(if_false) if if_false else scope
    if hint is None and is_literal(node.then):
        otherwise = inference.infer(node.otherwise, otherwise_scope, None)
        then = inference.infer(node.then, then_scope, otherwise)
    else:
        then = inference.infer(node.then, then_scope, hint)
        otherwise = inference.infer(node.otherwise, otherwise_scope, then if hint is None else hint)
    if inference.is_wrong(then) or inference.is_wrong(otherwise):
        return NeverType()
    joined = join(then, otherwise)
    if joined is None:
        if hint is None or inference.fit(node.then, hint) & inference.fit(node.otherwise, hint):
            _report_branches(inference, node.then, then, node.otherwise, otherwise)
        return NeverType()
    inference.fit(node.then, joined)
    inference.fit(node.otherwise, joined)
    return joined


# Arithmetic ------------------------------------------------------------------------------------------------------


def _infer_arithmetic(inference: Inference, node: tree.Binary, scope: Scope, hint: Type | None) -> Type:
    left_hint = right_hint = _arithmetic_hint(hint)
    if is_literal(node.left) and not is_literal(node.right):
        right = inference.infer(node.right, scope, right_hint)
        left = inference.infer(node.left, scope, _arithmetic_hint(right) or left_hint)
    else:
        left = inference.infer(node.left, scope, left_hint)
        right = inference.infer(node.right, scope, _arithmetic_hint(left) or right_hint)
    if isinstance(left, NeverType) or isinstance(right, NeverType):
        return NeverType()
    for operand, type_ in ((node.left, left), (node.right, right)):
        if isinstance(type_, OptionalType | NullType):
            inference.report_null(operand.span, type_, f"`{node.operator}` needs a value")
            return NeverType()
    if mixes_decimal_and_float(left, right):
        report_mixed(inference.problems, node.span, f"`{node.operator}` between {display(left)} and {display(right)}")
        return NeverType()
    wants_decimal = hint is not None and isinstance(strip_optional(hint), DecimalType)
    result = arithmetic_type(node.operator, left, right, wants_decimal)
    if result is None:
        _report_arithmetic(inference, node, left, right)
        return NeverType()
    if node.operator in ("/", "//", "%") and isinstance(node.right, tree.IntLiteral) and node.right.value == 0:
        inference.problems.add("MK313", "division by zero", node.right.span, "this is always zero")
        return NeverType()
    if isinstance(result, ListType):
        for operand, type_ in ((node.left, left), (node.right, right)):
            if isinstance(type_, ListType):
                inference.fit(operand, result)
    if isinstance(result, DecimalType) and node.operator != "**":
        inference.fit(node.left, result)
        inference.fit(node.right, result)
    return result


def _arithmetic_hint(type_: Type | None) -> Type | None:
    """What a neighbour's type says about a literal operand."""
    inner = None if type_ is None else strip_optional(type_)
    return inner if isinstance(inner, FloatType | DecimalType | ListType) else None


def arithmetic_type(operator: str, left: Type, right: Type, wants_decimal: bool) -> Type | None:
    """The result type of an arithmetic operator; None where it does not take these types."""
    match operator, left, right:
        case "/", IntType(), IntType():
            return DecimalType() if wants_decimal else FloatType()
        case "**", IntType(), IntType():
            return IntType()
        case "**", FloatType() | DecimalType(), IntType():
            return left
        case "**", _, _:
            return None
        case _, IntType() | FloatType() | DecimalType(), IntType() | FloatType() | DecimalType():
            joined = join(left, right)
            return _plain(joined)
        case "+", StringType() | EnumType(), StringType() | EnumType():
            return StringType()
        case "+", ListType(), ListType():
            return join(left, right)
        case "*", StringType() | EnumType(), IntType():
            return StringType()
        case "*", IntType(), StringType() | EnumType():
            return StringType()
        case "*", ListType(), IntType():
            return left
        case "*", IntType(), ListType():
            return right
        case "+", DateType(), IntType():
            return DateType()
        case "+", IntType(), DateType():
            return DateType()
        case "-", DateType(), DateType():
            return IntType()
        case "-", DateType(), IntType():
            return DateType()
        case _:
            return None


def _plain(type_: Type | None) -> Type | None:
    """A number type without the name under which an operand was declared: `disk + 1` is no `Disk`."""
    match type_:
        case IntType():
            return IntType()
        case FloatType():
            return FloatType()
        case DecimalType():
            return DecimalType()
        case _:
            return type_


def _report_arithmetic(inference: Inference, node: tree.Binary, left: Type, right: Type) -> None:
    help_text = None
    if node.operator == "+" and (isinstance(left, Text) or isinstance(right, Text)):
        help_text = "`string(x)` makes a text of any value"
    elif node.operator == "+" and (isinstance(left, ListType) != isinstance(right, ListType)):
        help_text = "`list + [item]` puts an item at the end of a list"
    elif node.operator == "+" and isinstance(left, MapType):
        help_text = "`set_at(map, key, value)` is the map with one more value"
    elif node.operator == "**" and isinstance(right, FloatType | DecimalType):
        help_text = "the exponent is an int"
    inference.problems.add(
        "MK302",
        f"`{node.operator}` does not take these types",
        node.span,
        f"`{node.operator}` between {display(left)} and {display(right)}",
        also=[Label(node.left.span, display(left)), Label(node.right.span, display(right))],
        help=help_text,
    )
