"""Why a value is not of a type, in the words of the language: run when the validator has refused, never before."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Any, assert_never

from maker_dsl.diagnostics import did_you_mean
from maker_dsl.types.display import items, notation, phrase
from maker_dsl.types.errors import ValueRefused
from maker_dsl.types.numbers import INT_LIMIT, MAX_DIGITS, NotOfType, to_date, to_decimal, to_int
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
    Member,
    NeverType,
    NullType,
    OptionalType,
    RecordType,
    StringType,
    TupleType,
    Type,
)

_SHOWN = 60


def explain(type: Type, value: object, path: str = "", *, exact_ints: bool = False) -> None:
    """Raise `ValueRefused` for the first thing that keeps `value` from being of `type`; return if nothing does."""
    match type:
        case IntType():
            _explain_int(type, value, path, exact_ints)
        case FloatType() | DecimalType():
            _explain_number(type, value, path)
        case BoolType():
            _require(isinstance(value, bool), type, value, path)
        case StringType():
            _explain_string(type, value, path)
        case DateType():
            try:
                to_date(value)
            except NotOfType:
                raise _refused(type, value, path, " (ISO 8601: `2026-11-23`)") from None
        case EnumType():
            _require(isinstance(value, str) and value in type.values, type, value, path)
        case ListType():
            _explain_list(type, value, path, exact_ints)
        case MapType():
            _explain_map(type, value, path, exact_ints)
        case RecordType():
            _explain_record(type, value, path, exact_ints)
        case TupleType():
            _explain_tuple(type, value, path, exact_ints)
        case OptionalType():
            if value is not None:
                explain(type.inner, value, path, exact_ints=exact_ints)
        case NullType():
            _require(value is None, type, value, path)
        case NeverType():
            raise _refused(type, value, path)
        case _:
            assert_never(type)


def shown(value: object) -> str:
    """A value for a message: its JSON where it has one, cut to a readable length."""
    match value:
        case None | bool() | str():
            text = json.dumps(value, ensure_ascii=False)
        case int():
            text = str(value) if -INT_LIMIT < value < INT_LIMIT else f"an int of more than {MAX_DIGITS:,} digits"
        case list() | tuple():
            text = "[" + ", ".join(shown(item) for item in value[:_SHOWN]) + "]"
        case dict():
            members = [f"{json.dumps(str(k), ensure_ascii=False)}: {shown(v)}" for k, v in [*value.items()][:_SHOWN]]
            text = "{" + ", ".join(members) + "}"
        case _:
            text = str(value)
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _refused(type: Type, value: object, path: str, note: str = "") -> ValueRefused:
    written = f" ({notation(type)})" if type.alias else ""
    return ValueRefused(path, f"expected {phrase(type)}{written}{note}, found {shown(value)}")


def _require(holds: bool, type: Type, value: object, path: str) -> None:
    if not holds:
        raise _refused(type, value, path)


def _explain_int(type: IntType, value: object, path: str, exact: bool) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        try:
            if exact:
                raise NotOfType
            value = to_int(value)
        except NotOfType:
            raise _refused(type, value, path) from None
    if not -INT_LIMIT < value < INT_LIMIT:
        raise ValueRefused(path, f"an int has at most {MAX_DIGITS:,} digits")
    _explain_bounds(type, value, value, path)


def _explain_number(type: FloatType | DecimalType, value: object, path: str) -> None:
    number: Any
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise _refused(type, value, path)
    if not (value.is_finite() if isinstance(value, Decimal) else isinstance(value, int) or math.isfinite(value)):
        raise ValueRefused(path, f"{shown(value)} is not a number here: numbers are finite")
    try:
        number = to_decimal(value) if isinstance(type, DecimalType) else float(value)
    except NotOfType:
        raise ValueRefused(path, f"a decimal has at most {MAX_DIGITS:,} digits on either side of the point") from None
    except OverflowError:
        number = math.inf
    if isinstance(number, float) and math.isinf(number):
        raise ValueRefused(path, f"{shown(value)} is too large for a float")
    _explain_bounds(type, number, value, path)


def _explain_bounds(type: IntType | FloatType | DecimalType, number: Any, value: object, path: str) -> None:
    below = type.minimum is not None and number < type.minimum
    above = type.maximum is not None and number > type.maximum
    _require(not below and not above, type, value, path)


def _explain_string(type: StringType, value: object, path: str) -> None:
    if not isinstance(value, str):
        raise _refused(type, value, path)
    if not is_unicode(value):
        raise ValueRefused(path, "the string has half of a surrogate pair, which is no character")
    if type.max_length is not None and len(value) > type.max_length:
        raise ValueRefused(path, f"expected at most {type.max_length} characters, found {len(value)}: {shown(value)}")
    if type.pattern is not None and not pattern(type.pattern).matches(value):
        raise _refused(type, value, path)
    if type.raw and not value:
        raise ValueRefused(path, f"a `{type.raw}` is not empty")
    if type.raw and value != value.strip(" \t\r\n"):
        raise ValueRefused(path, f"{shown(value)} begins or ends with white space, which a `{type.raw}` does not keep")
    if type.raw == "line" and ("\n" in value or "\r" in value):
        raise ValueRefused(path, f"{shown(value)} has a line break, so that it is no `line`")


def is_unicode(text: str) -> bool:
    """Whether a text has no lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _explain_list(type: ListType, value: object, path: str, exact: bool) -> None:
    if not isinstance(value, list):
        raise _refused(type, value, path)
    low, high = type.min_length, type.max_length
    if (low is not None and len(value) < low) or (high is not None and len(value) > high):
        written = f" ({notation(type)})" if type.alias else ""
        raise ValueRefused(path, f"expected {phrase(type)}{written}, found {items(len(value))}")
    for index, item in enumerate(value):
        explain(type.item, item, f"{path}[{index}]", exact_ints=exact)


def _explain_map(type: MapType, value: object, path: str, exact: bool) -> None:
    if not isinstance(value, dict):
        raise _refused(type, value, path)
    for key, item in value.items():
        if not isinstance(key, str) or not is_unicode(key):
            raise ValueRefused(path, f"the key {shown(key)} is not a string")
        explain(type.value, item, f"{path}[{json.dumps(key, ensure_ascii=False)}]", exact_ints=exact)


def _explain_record(type: RecordType, value: object, path: str, exact: bool) -> None:
    if not isinstance(value, dict):
        raise _refused(type, value, path)
    names = [member.name for member in type.members]
    for key in value:
        if key not in names:
            near = did_you_mean(str(key), names)
            raise ValueRefused(path, f"unknown member {shown(key)}" + (f"; {near}" if near else ""))
    for member in type.members:
        if member.name in value:
            explain(member.type, value[member.name], member_path(path, member), exact_ints=exact)
        elif not isinstance(member.type, OptionalType):
            raise ValueRefused(member_path(path, member), f"missing; expected {phrase(member.type)}")


def _explain_tuple(type: TupleType, value: object, path: str, exact: bool) -> None:
    if not isinstance(value, list | tuple):
        raise _refused(type, value, path)
    if len(value) != len(type.places):
        raise ValueRefused(path, f"expected {phrase(type)} ({items(len(type.places))}), found {items(len(value))}")
    for place, item in zip(type.places, value, strict=True):
        explain(place.type, item, member_path(path, place), exact_ints=exact)


def member_path(path: str, member: Member) -> str:
    """The path of a record's member or a tuple's place."""
    return f"{path}.{member.name}" if path else member.name
