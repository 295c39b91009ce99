"""The longest text of a type, and its largest value: what prompts and replies can grow to.

Used for the limits that follow from a task's types. None stands for "as long as you like".
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
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

MAX_LARGEST = 1_000_000
"""Parts and characters of a largest value; one that would have more is as good as unbounded."""

_FLOAT = len("-2.2250738585072014e-308")
_DATE = len("2026-11-23")
_ESCAPED = 6
"""Bytes of a character in JSON at most: a control character is written as six, any other has up to four."""
_UTF8 = 4


class Unbounded(Exception):
    """There is no largest value of the type."""


def longest_json(type: Type) -> int | None:
    """Bytes of the longest canonical JSON text with a space after each comma and colon; None where there is none."""
    match type:
        case IntType(minimum=low, maximum=high):
            return None if low is None or high is None else max(len(str(low)), len(str(high)))
        case FloatType():
            return _FLOAT
        case DecimalType():
            return None  # between any two there are some with more digits
        case BoolType():
            return len("false")
        case StringType():
            return _plus(longest_string(type, _ESCAPED), 2)
        case DateType():
            return _DATE + 2
        case EnumType(values=values):
            return max((len(json.dumps(value, ensure_ascii=False).encode()) for value in values), default=0)
        case ListType(item=item, max_length=most):
            return 2 if most == 0 else _times(most, _plus(longest_json(item), 2))
        case MapType():
            return None
        case RecordType(members=members):
            keys = sum(len(json.dumps(member.name, ensure_ascii=False).encode()) + 4 for member in members)
            return _plus(_sum(longest_json(member.type) for member in members), keys + 2)
        case TupleType(places=places):
            return _plus(_sum(longest_json(place.type) for place in places), 2 * len(places) + 2)
        case OptionalType(inner=inner):
            return _or_null(longest_json(inner))
        case NullType() | NeverType():
            return len("null")
        case _:
            assert_never(type)


def longest_string(type: StringType, bytes_each: int = _UTF8) -> int | None:
    """Bytes of the longest string of the type, with so many for a character at most."""
    lengths = [] if type.max_length is None else [type.max_length]
    if type.pattern is not None and (matched := _longest_match(pattern(type.pattern).node)) is not None:
        lengths.append(matched)
    return bytes_each * min(lengths) if lengths else None


def _longest_match(node: Node) -> int | None:
    match node:
        case Characters():
            return 1
        case Sequence(parts):
            return _sum(map(_longest_match, parts))
        case Choice(options):
            longest = [_longest_match(option) for option in options]
            return None if None in longest else max(filter(None, longest), default=0)
        case Repeat(part, _, high):
            return 0 if high == 0 else _times(high, _longest_match(part))


def _plus(left: int | None, right: int) -> int | None:
    return None if left is None else left + right


def _times(count: int | None, each: int | None) -> int | None:
    return None if count is None or each is None else count * each


def _sum(lengths: Iterable[int | None]) -> int | None:
    total = 0
    for length in lengths:
        if length is None:
            return None
        total += length
    return total


def _or_null(length: int | None) -> int | None:
    return None if length is None else max(length, len("null"))


def largest(type: Type) -> Any:
    """A value whose text is about as long as any; raises `Unbounded`. It may break a pattern's or a task's rules."""
    length = longest_json(type)
    if length is None or length > MAX_LARGEST:
        raise Unbounded
    return _largest(type)


def _largest(type: Type) -> Any:
    match type:
        case IntType(minimum=low, maximum=high):
            bounds = [bound for bound in (low, high) if bound is not None]
            return max(bounds, key=lambda bound: (len(str(bound)), bound))
        case FloatType(minimum=low, maximum=high):
            return next((bound for bound in (high, low) if bound is not None), 0.0)
        case DecimalType():
            raise Unbounded
        case BoolType():
            return False
        case StringType():
            return _words(longest_string(type, 1) or 0)
        case DateType():
            return date(2026, 11, 23)
        case EnumType(values=values):
            return max(values, key=len)
        case ListType(item=item, max_length=most):
            return [_largest(item)] * (most or 0) if most else []
        case MapType():
            raise Unbounded
        case RecordType(members=members):
            return {member.name: _largest(member.type) for member in members}
        case TupleType(places=places):
            return tuple(_largest(place.type) for place in places)
        case OptionalType(inner=inner):
            return _largest(inner)
        case NullType() | NeverType():
            return None
        case _:
            assert_never(type)


def _words(length: int) -> str:
    """A text of that many characters, in words as prose has them."""
    return ("word " * (length // 5 + 1))[:length]
