"""One plausible value of a type, within its bounds: what `reply.example` shows."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, assert_never

from maker_dsl.types.pattern_syntax import Characters, Choice, Node, Repeat, Sequence
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

MAX_SAMPLE = 5_000
"""How many parts an example may have."""

_MAX_ITEMS = 2


def size(type: Type) -> int:
    """How many parts the sample of a type has, at most a little over `MAX_SAMPLE`."""
    match type:
        case ListType():
            low = type.min_length or 0
            items = max(low, _MAX_ITEMS)
            return min(MAX_SAMPLE + 1, 1 + items * size(type.item))
        case MapType():
            return 1 + size(type.value)
        case RecordType():
            return min(MAX_SAMPLE + 1, 1 + sum(size(member.type) for member in type.members))
        case TupleType():
            return min(MAX_SAMPLE + 1, 1 + sum(size(place.type) for place in type.places))
        case OptionalType():
            return size(type.inner)
        case _:
            return 1


def sample(type: Type, index: int = 0) -> Any:
    """A typed value; `index` tells the items of a list apart where the type has room."""
    match type:
        case IntType():
            return _number(type.minimum, type.maximum, 1, index)
        case FloatType():
            return float(_number(type.minimum, type.maximum, 1.5, index))
        case DecimalType():
            return _number(type.minimum, type.maximum, Decimal("1.5"), index)
        case BoolType():
            return True
        case StringType():
            return _string(type)
        case DateType():
            return date(2026, 11, 23)
        case EnumType():
            return type.values[index % len(type.values)]
        case ListType():
            low = type.min_length or 0
            high = max(low, _MAX_ITEMS) if type.max_length is None else type.max_length
            return [sample(type.item, at) for at in range(max(low, min(high, _MAX_ITEMS)))]
        case MapType():
            return {"key": sample(type.value)}
        case RecordType():
            return {member.name: sample(member.type) for member in type.members}
        case TupleType():
            return tuple(sample(place.type) for place in type.places)
        case OptionalType():
            return sample(type.inner, index)
        case NullType() | NeverType():
            return None
        case _:
            assert_never(type)


def _number(low: Any, high: Any, usual: Any, index: int) -> Any:
    value = usual + index
    if high is not None and value > high:
        value = high
    if low is not None and value < low:
        value = low if high is None or low + index > high else low + index
    return value


def _string(type: StringType) -> str:
    if type.pattern is not None:
        return matching_text(type.pattern)
    usual = {"line": "some words", "text": "Some words."}.get(type.raw, "words")
    return usual if type.max_length is None else usual[: type.max_length].strip()


def matching_text(regex: str) -> str:
    """A short text that a pattern matches; raises `BadPattern` for what is none."""
    return _matching(pattern(regex).node)


def _matching(node: Node) -> str:
    match node:
        case Characters(ranges):
            for wanted in ("a", "A", "0", " "):
                if any(low <= ord(wanted) <= high for low, high in ranges):
                    return wanted
            readable = next((low for low, _ in ranges if low > 32), ranges[0][0])
            return chr(readable)
        case Sequence(parts):
            return "".join(map(_matching, parts))
        case Choice(options):
            return _matching(options[0])
        case Repeat(part, low, high):
            times = low if low or high == 0 else 1
            return _matching(part) * times
