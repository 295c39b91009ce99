"""The canonical JSON text of typed values: equal values give equal bytes, different values different bytes.

Keys are sorted, there is no white space, an int has no point, a float always has one or an exponent (its shortest
spelling), a decimal has neither exponent nor trailing zeros, a date is ISO text, an absent optional member is null.
Values of one type are compared; across types the texts say nothing (`1` may be an int or a decimal).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import orjson

from maker_dsl.types.numbers import decimal_text
from maker_dsl.types.type import FloatType, ListType, MapType, OptionalType, RecordType, TupleType, Type

_Prepare = Callable[[Any], Any]


def writer(type: Type) -> Callable[[Any], bytes]:
    """A function from values of a concrete type to their canonical JSON text."""
    prepare = _prepare(type)

    def write(value: Any) -> bytes:
        return _write(value)

    def write_prepared(value: Any) -> bytes:
        assert prepare is not None
        return _write(prepare(value))

    return write if prepare is None else write_prepared


def _write(value: Any) -> bytes:
    try:
        return orjson.dumps(value, default=_other, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        return orjson.dumps(with_large_ints(value), default=_other, option=orjson.OPT_SORT_KEYS)


def _other(value: object) -> orjson.Fragment:
    if isinstance(value, Decimal):
        return orjson.Fragment(decimal_text(value).encode())
    raise TypeError(f"no JSON for {value!r}")


def with_large_ints(value: Any) -> Any:
    """orjson writes 64-bit ints only; the others become ready-made text."""
    match value:
        case bool() | None | str() | float() | Decimal() | date():
            return value
        case int():
            return value if -(2**63) <= value < 2**64 else orjson.Fragment(str(value).encode())
        case dict():
            return {key: with_large_ints(item) for key, item in value.items()}
        case list() | tuple():
            return [with_large_ints(item) for item in value]
        case _:
            return value


def _prepare(type: Type) -> _Prepare | None:
    """Turns ints that stand for floats into floats; None where the type has no floats."""
    match type:
        case FloatType():
            return _float
        case ListType():
            item = _prepare(type.item)
            return None if item is None else _each_item(item)
        case MapType():
            entry = _prepare(type.value)
            return None if entry is None else _each_entry(entry)
        case OptionalType():
            inner = _prepare(type.inner)
            return None if inner is None else _unless_none(inner)
        case RecordType():
            record = {member.name: made for member in type.members if (made := _prepare(member.type)) is not None}
            return _each_member(record) if record else None
        case TupleType():
            places = [_prepare(place.type) for place in type.places]
            return _each_place(places) if any(places) else None
        case _:
            return None


def _float(value: float) -> float:
    return float(value) + 0.0


def _each_item(item: _Prepare) -> _Prepare:
    return lambda value: [item(one) for one in value]


def _each_entry(entry: _Prepare) -> _Prepare:
    return lambda value: {key: entry(one) for key, one in value.items()}


def _unless_none(inner: _Prepare) -> _Prepare:
    return lambda value: None if value is None else inner(value)


def _each_member(prepares: dict[str, _Prepare]) -> _Prepare:
    def prepare(value: dict[str, Any]) -> dict[str, Any]:
        return {**value, **{name: make(value[name]) for name, make in prepares.items() if name in value}}

    return prepare


def _each_place(prepares: list[_Prepare | None]) -> _Prepare:
    def prepare(value: tuple[Any, ...]) -> list[Any]:
        return [item if make is None else make(item) for item, make in zip(value, prepares, strict=True)]

    return prepare
