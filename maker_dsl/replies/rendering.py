"""Values as reply text: the canonical spelling, which reads back as the same value."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from maker_dsl.replies import syntax
from maker_dsl.replies.fast import is_json
from maker_dsl.types.numbers import decimal_text
from maker_dsl.types.type import (
    BoolType,
    DateType,
    DecimalType,
    EnumType,
    ListType,
    MapType,
    OptionalType,
    RecordType,
    StringType,
    TupleType,
    Type,
)

Render = Callable[[Any], str]

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


def json_renderer(type: Type) -> Render:
    """A function from typed values to JSON with a space after each comma and colon, members in their order."""
    return _encode if _is_plain(type) else _structured(type)


def _is_plain(type: Type) -> bool:
    """Whether Python's encoder writes values of the type as they are."""
    match type:
        case DecimalType() | DateType():
            return False
        case ListType():
            return _is_plain(type.item)
        case MapType():
            return _is_plain(type.value)
        case RecordType():
            return all(_is_plain(member.type) for member in type.members)
        case TupleType():
            return all(_is_plain(place.type) for place in type.places)
        case OptionalType():
            return _is_plain(type.inner)
        case _:
            return True


def _structured(type: Type) -> Render:
    match type:
        case DecimalType():
            return decimal_text
        case DateType():
            return lambda value: f'"{value.isoformat()}"'
        case ListType():
            item = json_renderer(type.item)
            return lambda value: "[" + ", ".join(map(item, value)) + "]"
        case MapType():
            entry = json_renderer(type.value)
            return lambda value: "{" + ", ".join(f"{_encode(key)}: {entry(one)}" for key, one in value.items()) + "}"
        case RecordType():
            members = [(member.name, _encode(member.name), json_renderer(member.type)) for member in type.members]
            return lambda value: "{" + ", ".join(f"{key}: {made(value[name])}" for name, key, made in members) + "}"
        case TupleType():
            places = [json_renderer(place.type) for place in type.places]
            return lambda value: "[" + ", ".join(made(one) for made, one in zip(places, value, strict=True)) + "]"
        case OptionalType():
            inner = json_renderer(type.inner)
            return lambda value: "null" if value is None else inner(value)
        case _:
            return _encode


def hole_renderer(type: Type) -> Render:
    """A function from typed values to their notation in a hole of a format text."""
    if is_json(type):
        return json_renderer(type)
    match type:
        case OptionalType():
            inner = hole_renderer(type.inner)
            return lambda value: "null" if value is None else inner(value)
        case DecimalType():
            return decimal_text
        case DateType():
            return lambda value: str(value.isoformat())
        case BoolType():
            return lambda value: "true" if value else "false"
        case EnumType():
            return lambda value: value if syntax.is_bare(value) else _encode(value)
        case StringType():
            return str
        case _:
            return _encode
