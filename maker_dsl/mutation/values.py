"""Corruptions of a reply's typed value: each is one small mistake, as a model makes them.

They may lie outside the value's type (a number just past its bound): then no reply can spell them, and the type has
caught them. Bounded: of a long list or map a few places are corrupted, drawn by the given randomness.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Context, Decimal
from itertools import combinations, pairwise
from random import Random
from typing import Literal, TypeVar, assert_never

from maker_dsl.replies.samples import sample
from maker_dsl.task import ReplyValue, Value
from maker_dsl.types.numbers import MAX_DIGITS
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

Kind = Literal["drop", "duplicate", "swap", "off by one", "truncate", "other value", "empty"]
"""What is done to a part of the reply."""

MOST_PLACES = 16
"""Of a list, map or text, as many places are corrupted."""

_Put = Callable[[Value], ReplyValue]
_T = TypeVar("_T")
_EXACT = Context(prec=2 * MAX_DIGITS + 2)
DIGITS = re.compile(r"[0-9]+")
"""A number in a text."""


@dataclass(frozen=True, slots=True)
class Corruption:
    """One mistake: of a kind, in a field (`move.disk`, `pegs[][]`); `make` gives the whole corrupted value."""

    kind: Kind
    field: str
    make: Callable[[], ReplyValue]


def corrupt_value(type: RecordType, value: ReplyValue, random: Random) -> Iterator[Corruption]:
    """All single mistakes in a reply's value."""
    yield from _members(type.members, value, "", lambda new: new, random)


def few(items: Sequence[_T], random: Random, most: int = MOST_PLACES) -> Sequence[_T]:
    """The items, or as many of them as are allowed, in their order."""
    if len(items) <= most:
        return items
    return [items[at] for at in sorted(random.sample(range(len(items)), most))]


def corrupt_lines(lines: Sequence[_T], random: Random) -> Iterator[tuple[Kind, Callable[[], list[_T]]]]:
    """Mistakes in a sequence of lines or items: one is left out, or there twice, or two have changed places."""
    for at in few(range(len(lines)), random):
        yield "drop", lambda at=at: [*lines[:at], *lines[at + 1 :]]  # type: ignore[misc]
        yield "duplicate", lambda at=at: [*lines[: at + 1], *lines[at:]]  # type: ignore[misc]
    places = [*pairwise(range(len(lines))), (0, len(lines) - 1)] if len(lines) > 2 else [*pairwise(range(len(lines)))]
    for one, other in few([pair for pair in places if lines[pair[0]] != lines[pair[1]]], random):
        yield "swap", lambda one=one, other=other: _swapped(lines, one, other)  # type: ignore[misc]


def _of(type: Type, value: Value, field: str, put: _Put, random: Random) -> Iterator[Corruption]:
    match type:
        case IntType():
            yield from _each("off by one", field, (value + 1, value - 1), put)
        case FloatType():
            yield from _each("off by one", field, _near_floats(value), put)
        case DecimalType():
            yield from _each("off by one", field, _near_decimals(value), put)
        case DateType():
            yield from _each("off by one", field, _near_dates(value), put)
        case BoolType():
            yield from _each("other value", field, (not value,), put)
        case EnumType():
            yield from _each("other value", field, [one for one in type.values if one != value][:MOST_PLACES], put)
        case StringType():
            yield from _string(value, field, put, random)
        case ListType():
            yield from _list(type, value, field, put, random)
        case MapType():
            yield from _map(type, value, field, put, random)
        case RecordType():
            yield from _members(type.members, value, f"{field}.", put, random)
        case TupleType():
            places = type.places
            named = {place.name: item for place, item in zip(places, value, strict=True)}
            yield from _members(places, named, f"{field}.", lambda new: put(tuple(new.values())), random)
        case OptionalType():
            if value is None:
                yield from _each("other value", field, (sample(type.inner),), put)
            else:
                yield from _each("drop", field, (None,), put)
                yield from _of(type.inner, value, field, put, random)
        case NullType() | NeverType():
            return
        case _:
            assert_never(type)


def _each(kind: Kind, field: str, values: Sequence[Value], put: _Put) -> Iterator[Corruption]:
    for one in values:
        yield Corruption(kind, field, lambda one=one: put(one))  # type: ignore[misc]


def _members(
    members: Sequence[Member], value: dict[str, Value], prefix: str, put: _Put, random: Random
) -> Iterator[Corruption]:
    """Mistakes in the parts of a record or tuple, and two parts of one kind in each other's place."""
    for member in members:
        name = member.name

        def put_member(new: Value, name: str = name) -> ReplyValue:
            return put({**value, name: new})

        yield from _of(member.type, value[name], f"{prefix}{name}", put_member, random)
    alike = [
        (one.name, other.name)
        for one, other in combinations(members, 2)
        if type(one.type) is type(other.type) and value[one.name] != value[other.name]
    ]
    for one_name, other_name in few(alike, random):
        swapped = {**value, one_name: value[other_name], other_name: value[one_name]}
        yield Corruption("swap", f"{prefix}{one_name} and {other_name}", lambda swapped=swapped: put(swapped))  # type: ignore[misc]


def _list(type: ListType, value: list[Value], field: str, put: _Put, random: Random) -> Iterator[Corruption]:
    for kind, make in corrupt_lines(value, random):
        yield Corruption(kind, field, lambda make=make: put(make()))  # type: ignore[misc]
    if len(value) > 3:
        yield Corruption("truncate", field, lambda: put(value[: len(value) // 2]))
    if len(value) > 1:
        yield Corruption("empty", field, lambda: put([]))
    for at in few(range(len(value)), random):

        def put_item(new: Value, at: int = at) -> ReplyValue:
            return put([*value[:at], new, *value[at + 1 :]])

        yield from _of(type.item, value[at], f"{field}[]", put_item, random)


def _map(type: MapType, value: dict[str, Value], field: str, put: _Put, random: Random) -> Iterator[Corruption]:
    keys = few(list(value), random)
    for key in keys:
        rest = {name: item for name, item in value.items() if name != key}
        yield Corruption("drop", field, lambda rest=rest: put(rest))  # type: ignore[misc]
    for one, other in pairwise(keys):
        if value[one] != value[other]:
            swapped = {**value, one: value[other], other: value[one]}
            yield Corruption("swap", field, lambda swapped=swapped: put(swapped))  # type: ignore[misc]
    if len(value) > 1:
        yield Corruption("empty", field, lambda: put({}))
    for key in keys:

        def put_entry(new: Value, key: str = key) -> ReplyValue:
            return put({**value, key: new})

        yield from _of(type.value, value[key], f"{field}[]", put_entry, random)


def _string(value: str, field: str, put: _Put, random: Random) -> Iterator[Corruption]:
    if value:
        yield Corruption("empty", field, lambda: put(""))
    for length in sorted({len(value) // 2, len(value) - 1} - {0, -1}):
        yield Corruption("truncate", field, lambda length=length: put(value[:length]))  # type: ignore[misc]
    for found in few(list(DIGITS.finditer(value)), random):
        for near in near_digits(found[0]):
            yield from _each("off by one", field, (value[: found.start()] + near + value[found.end() :],), put)
    lines = value.split("\n")
    if len(lines) > 1:
        for kind, make in corrupt_lines(lines, random):
            yield Corruption(kind, field, lambda make=make: put("\n".join(make())))  # type: ignore[misc]


def near_digits(digits: str) -> tuple[str, ...]:
    """A number in a text, one up and one down, with as many digits as it had."""
    number, width = int(digits[-18:]), min(len(digits), 18)
    near = [number + 1, number - 1] if number else [number + 1]
    return tuple(digits[:-18] + f"{one:0{width}d}" for one in near)


def _near_decimals(value: Decimal) -> list[Decimal]:
    """One up and down, and one up and down in the last place."""
    exponent = value.as_tuple().exponent
    last = Decimal((0, (1,), exponent)) if isinstance(exponent, int) and exponent < 0 else Decimal(1)
    steps = [Decimal(1), Decimal(-1), last, last.copy_negate()]
    return list(dict.fromkeys(_EXACT.add(value, step) for step in steps))


def _near_floats(value: float) -> list[float]:
    """One up and down; of numbers too large for that, the next ones that there are."""
    up, down = value + 1.0, value - 1.0
    return [
        up if up != value else math.nextafter(value, math.inf),
        down if down != value else math.nextafter(value, -math.inf),
    ]


def _near_dates(value: date) -> list[date]:
    near = [days for days in (1, -1) if date.min.toordinal() <= value.toordinal() + days <= date.max.toordinal()]
    return [value + timedelta(days=days) for days in near]


def _swapped(items: Sequence[_T], one: int, other: int) -> list[_T]:
    swapped = list(items)
    swapped[one], swapped[other] = swapped[other], swapped[one]
    return swapped
