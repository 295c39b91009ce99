"""The pydantic validator of a concrete type.

It accepts decoded JSON and typed values alike and gives the typed value in one canonical shape: members in the order
of their type, map keys sorted, decimals without trailing zeros, no minus zero. A state read back from its JSON is thus
the very state that was written, down to the prompts made of it.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Any, assert_never

from pydantic_core import CoreSchema, SchemaValidator, core_schema

from maker_dsl.types.numbers import INT_LIMIT, NotOfType, to_date, to_decimal, to_int
from maker_dsl.types.patterns import pattern
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
    RecordType,
    StringType,
    TupleType,
    Type,
)

RAW_PATTERNS = {
    "line": r"^[^ \t\r\n](?:[^\r\n]*[^ \t\r\n])?$",
    "text": r"^[^ \t\r\n](?:[\s\S]*[^ \t\r\n])?$",
}
"""What a `line` and a `text` can hold: something, and nothing that trimming would take away."""


@lru_cache(maxsize=256)
def validator(type: Type, *, exact_ints: bool = False) -> SchemaValidator:
    """The validator of a concrete type. With `exact_ints`, as in reply text, `1.0` is not an int."""
    return SchemaValidator(_schema(type, exact_ints))


def _schema(type: Type, exact: bool) -> CoreSchema:
    match type:
        case IntType():
            return _int(type, exact)
        case FloatType():
            number = core_schema.float_schema(strict=True, allow_inf_nan=False, ge=type.minimum, le=type.maximum)
            return core_schema.no_info_after_validator_function(_without_minus_zero, number)
        case DecimalType():
            return core_schema.no_info_plain_validator_function(_decimal(type))
        case BoolType():
            return core_schema.bool_schema(strict=True)
        case StringType():
            return _string(type)
        case DateType():
            return core_schema.no_info_plain_validator_function(to_date)
        case EnumType():
            return core_schema.literal_schema(list(type.values))
        case ListType():
            return core_schema.list_schema(
                _schema(type.item, exact), strict=True, min_length=type.min_length, max_length=type.max_length
            )
        case MapType():
            entries = core_schema.dict_schema(
                core_schema.str_schema(strict=True, pattern=""), _schema(type.value, exact), strict=True
            )
            return core_schema.no_info_after_validator_function(_sorted, entries)
        case RecordType():
            return _record(type, exact)
        case TupleType():
            return _tuple(type, exact)
        case OptionalType():
            return core_schema.nullable_schema(_schema(type.inner, exact))
        case NullType():
            return core_schema.none_schema()
        case NeverType():
            return core_schema.no_info_plain_validator_function(_nothing)
        case _:
            assert_never(type)


def _int(type: IntType, exact: bool) -> CoreSchema:
    low = 1 - INT_LIMIT if type.minimum is None else type.minimum
    high = INT_LIMIT - 1 if type.maximum is None else type.maximum
    strict = core_schema.int_schema(strict=True, ge=low, le=high)
    if exact:
        return strict
    whole = core_schema.chain_schema([core_schema.no_info_plain_validator_function(to_int), strict])
    return core_schema.union_schema([strict, whole], mode="left_to_right")


def _string(type: StringType) -> CoreSchema:
    # A pattern, even the empty one, makes pydantic look at the characters and refuse lone surrogates.
    text = pattern(type.pattern).portable if type.pattern is not None else ""
    plain = core_schema.str_schema(strict=True, max_length=type.max_length, pattern=text)
    if not type.raw:
        return plain
    return core_schema.chain_schema([plain, core_schema.str_schema(strict=True, pattern=RAW_PATTERNS[type.raw])])


def _record(type: RecordType, exact: bool) -> CoreSchema:
    fields = {}
    for member in type.members:
        schema = _schema(member.type, exact)
        if isinstance(member.type, OptionalType):
            schema = core_schema.with_default_schema(schema, default=None)
        fields[member.name] = core_schema.typed_dict_field(schema, required=not isinstance(member.type, OptionalType))
    return core_schema.typed_dict_schema(fields, strict=True, extra_behavior="forbid")


def _tuple(type: TupleType, exact: bool) -> CoreSchema:
    places = [_schema(place.type, exact) for place in type.places]
    array = core_schema.chain_schema(
        [core_schema.is_instance_schema(list), core_schema.tuple_positional_schema(places, strict=False)]
    )
    return core_schema.union_schema(
        [core_schema.tuple_positional_schema(places, strict=True), array], mode="left_to_right"
    )


def _decimal(type: DecimalType) -> Callable[[object], Decimal]:
    low, high = type.minimum, type.maximum

    def read(value: object) -> Decimal:
        number = to_decimal(value)
        if (low is not None and number < low) or (high is not None and number > high):
            raise NotOfType
        return number

    return read


def _without_minus_zero(value: float) -> float:
    return value + 0.0


def _sorted(value: dict[str, Any]) -> dict[str, Any]:
    return dict(sorted(value.items()))


def _nothing(value: object) -> object:
    raise NotOfType
