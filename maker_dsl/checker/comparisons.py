"""Checks comparisons: chains, `==`, order, `in`."""

from __future__ import annotations

import re

from maker_dsl.checker.inference import Inference
from maker_dsl.checker.literals import is_literal
from maker_dsl.checker.mismatch import report_mixed
from maker_dsl.checker.relations import (
    Text,
    is_comparable,
    is_orderable,
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
    EnumType,
    IntType,
    ListType,
    MapType,
    NeverType,
    NullType,
    OptionalType,
    StringType,
    TupleType,
    Type,
)


def infer_compare(inference: Inference, node: tree.Compare, scope: Scope) -> Type:
    """A comparison chain."""
    operands: list[tree.Expression] = [node.first, *(right for _, right in node.rest)]
    types: list[Type | None] = [
        None if is_literal(operand) else inference.infer(operand, scope) for operand in operands
    ]
    for index, operand in enumerate(operands):
        if types[index] is None:
            types[index] = inference.infer(operand, scope, _neighbour_hint(node, types, index))
    found = [type_ for type_ in types if type_ is not None]
    for index, (operator, right) in enumerate(node.rest):
        if not _check_link(inference, operands[index], found[index], operator, right, found[index + 1]):
            return NeverType()
    return BoolType()


def _neighbour_hint(node: tree.Compare, types: list[Type | None], index: int) -> Type | None:
    """What a literal's neighbours in a chain say about it."""
    if index > 0 and (left := types[index - 1]) is not None:
        operator = node.rest[index - 1][0]
        return ListType(strip_optional(left)) if operator in ("in", "not in") else strip_optional(left)
    if index < len(node.rest) and (right := types[index + 1]) is not None:
        if node.rest[index][0] not in ("in", "not in"):
            return strip_optional(right)
        return strip_optional(right.item) if isinstance(right, ListType) else None
    return None


def _check_link(
    inference: Inference,
    left: AnyNode,
    left_type: Type,
    operator: tree.CompareOperator,
    right: AnyNode,
    right_type: Type,
) -> bool:
    if isinstance(left_type, NeverType) or isinstance(right_type, NeverType):
        return not (inference.is_wrong(left_type) or inference.is_wrong(right_type))
    if operator in ("in", "not in"):
        return _check_membership(inference, left, left_type, operator, right, right_type)
    span = left.span.to(right.span)
    if mixes_decimal_and_float(left_type, right_type):
        report_mixed(inference.problems, span, f"{display(left_type)} compared with {display(right_type)}")
        return False
    if operator in ("==", "!="):
        null_alone = isinstance(left_type, NullType) != isinstance(right_type, NullType)
        other = right_type if isinstance(left_type, NullType) else left_type
        if null_alone and not isinstance(other, OptionalType):
            declared = inference.declared_type(right if isinstance(left_type, NullType) else left)
            if not isinstance(declared, OptionalType):
                inference.problems.add(
                    "MK303", "compared with null", span, f"a value of type {display(other)} is never null"
                )
                return False
        if is_comparable(left_type, right_type) or _tuple_and_list(left_type, right_type):
            return True
    else:
        for operand, type_ in ((left, left_type), (right, right_type)):
            if isinstance(type_, OptionalType | NullType):
                inference.report_null(operand.span, type_, f"`{operator}` needs a value")
                return False
        if is_comparable(left_type, right_type):
            if is_orderable(left_type) and is_orderable(right_type):
                return True
            inference.problems.add(
                "MK302", f"`{operator}` needs values with an order", left.span, f"{display(left_type)} has none"
            )
            return False
    inference.problems.add(
        "MK303",
        "values of different types compared",
        span,
        f"{display(left_type)} and {display(right_type)} are never equal"
        if operator in ("==", "!=")
        else f"`{operator}` between {display(left_type)} and {display(right_type)}",
        also=[Label(left.span, display(left_type)), Label(right.span, display(right_type))],
        help=_conversion_help(left, left_type, right, right_type),
    )
    return False


def _conversion_help(left: AnyNode, left_type: Type, right: AnyNode, right_type: Type) -> str | None:
    """How to compare a number with a text."""
    text, number = (left, right) if isinstance(left_type, StringType) else (right, left)
    number_type = right_type if text is left else left_type
    if not isinstance(left_type if text is left else right_type, StringType) or not isinstance(number_type, IntType):
        return None
    if isinstance(text, tree.StringLiteral):
        if re.fullmatch("-?[0-9]+", text.value):
            return f"a number stands without quotes: `{text.value}`"
        return None
    shown = text.span.text if len(text.span.text) <= 20 else "text"
    of_number = number.span.text if len(number.span.text) <= 20 else "number"
    return f"`int({shown})` reads an int from a text (it gives `int?`), `string({of_number})` writes one"


def _tuple_and_list(one: Type, other: Type) -> bool:
    """Tuples of different names may be compared place by place; never a tuple and a list."""
    return (
        isinstance(one, TupleType)
        and isinstance(other, TupleType)
        and len(one.places) == len(other.places)
        and all(is_comparable(mine.type, theirs.type) for mine, theirs in zip(one.places, other.places, strict=True))
    )


def _check_membership(
    inference: Inference, left: AnyNode, left_type: Type, operator: str, right: AnyNode, right_type: Type
) -> bool:
    match right_type:
        case ListType(item=item) if mixes_decimal_and_float(left_type, item):
            report_mixed(inference.problems, left.span.to(right.span), f"{display(left_type)} in {display(right_type)}")
            return False
        case ListType(item=item):
            if is_comparable(left_type, item):
                return True
        case StringType() | EnumType() | MapType():
            if isinstance(left_type, OptionalType | NullType):
                inference.report_null(left.span, left_type, f"`{operator}` needs a string here")
                return False
            if isinstance(left_type, Text):
                return True
        case OptionalType() | NullType():
            inference.report_null(right.span, right_type, f"`{operator}` needs something to look in")
            return False
        case _:
            inference.problems.add(
                "MK302",
                f"`{operator}` looks in a list, a map or a string",
                right.span,
                f"this is {display(right_type)}",
            )
            return False
    inference.problems.add(
        "MK303",
        "values of different types compared",
        left.span.to(right.span),
        f"{display(left_type)} is never in {display(right_type)}",
    )
    return False
