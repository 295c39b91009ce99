"""Broken and wrong replies for rehearsals, from a given source of randomness: the same draw, the same reply."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Protocol, TypeVar, assert_never

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

_T = TypeVar("_T")


class Random(Protocol):
    """The part of `random.Random` used here."""

    def random(self) -> float:
        """A number from 0 up to, not including, 1."""
        ...

    def randrange(self, start: int, stop: int, /) -> int:
        """A number of start..stop-1."""
        ...

    def choice(self, seq: Sequence[_T], /) -> _T:
        """One of the items."""
        ...


_NOISE = "{}[]()\"',:;=#?x7 \n"


def corrupt(text: str, random: Random) -> str:
    """A malformed variation of a reply: cut short, or with characters dropped, doubled, altered or put in.

    Usually no longer parses; always differs from `text`.
    """
    if not text:
        return "?"
    if random.random() < 0.2:
        return text[: random.randrange(0, len(text))]
    broken = text
    for _ in range(random.randrange(1, 5)):
        at = random.randrange(0, len(broken)) if broken else 0
        kind = random.randrange(0, 4)
        if kind == 0 and len(broken) > 1:
            broken = broken[:at] + broken[at + 1 :]
        elif kind == 1:
            end = min(len(broken), at + random.randrange(1, 6))
            broken = broken[:end] + broken[at:end] + broken[end:]
        elif kind == 2:
            broken = broken[:at] + random.choice(_NOISE) + broken[at + 1 :]
        else:
            broken = broken[:at] + random.choice(_NOISE) + broken[at:]
    return broken if broken != text else text + "?"


def perturb(type: Type, value: Any, random: Random) -> Any:
    """A different value of the same type nearby: one up or down, another choice, items swapped.

    The value itself only where its type has no other.
    """
    for _ in range(8):
        near = _near(type, value, random)
        if near != value:
            return near
    return value


def _near(type: Type, value: Any, random: Random) -> Any:
    match type:
        case IntType():
            return _step(value, 1, type.minimum, type.maximum, random)
        case FloatType():
            near = float(_step(value, abs(value) / 10 or 1.0, type.minimum, type.maximum, random))
            return near if math.isfinite(near) else value / 2
        case DecimalType():
            return _step(value, Decimal(1), type.minimum, type.maximum, random)
        case BoolType():
            return not value
        case StringType():
            return _near_string(type, value, random)
        case DateType():
            return _near_date(value, random)
        case EnumType():
            return random.choice(type.values)
        case ListType():
            return _near_list(type, value, random)
        case MapType():
            return _near_member(value, dict.fromkeys(value, type.value), random)
        case RecordType():
            return _near_member(value, {member.name: member.type for member in type.members}, random)
        case TupleType():
            if not value:
                return value
            at = random.randrange(0, len(value))
            return (*value[:at], _near(type.places[at].type, value[at], random), *value[at + 1 :])
        case OptionalType():
            return None if value is None or random.random() < 0.1 else _near(type.inner, value, random)
        case NullType() | NeverType():
            return value
        case _:
            assert_never(type)


def _step(value: Any, by: Any, minimum: Any, maximum: Any, random: Random) -> Any:
    candidates = [value + by, value - by]
    allowed = [c for c in candidates if (minimum is None or c >= minimum) and (maximum is None or c <= maximum)]
    if allowed:
        return random.choice(allowed)
    ends = [end for end in (minimum, maximum) if end is not None and end != value]
    return random.choice(ends) if ends else value


def _near_string(type: StringType, value: str, random: Random) -> str:
    if type.pattern is not None or len(value) < 2:
        grown = value + "x"
        fits = type.pattern is None and (type.max_length is None or len(grown) <= type.max_length)
        return grown if fits else value
    at = random.randrange(0, len(value) - 1)
    swapped = value[:at] + value[at + 1] + value[at] + value[at + 2 :]
    if swapped == value:
        swapped = value[:-1]
    return swapped.strip() if type.raw else swapped


def _near_date(value: date, random: Random) -> date:
    days = random.choice((1, -1))
    try:
        return value + timedelta(days=days)
    except OverflowError:
        return value - timedelta(days=days)


def _near_list(type: ListType, value: list[Any], random: Random) -> list[Any]:
    if not value:
        return value
    at = random.randrange(0, len(value))
    kind = random.randrange(0, 3)
    if kind == 0 and len(value) > 1:
        other = random.randrange(0, len(value))
        near = list(value)
        near[at], near[other] = near[other], near[at]
        return near
    if kind == 1 and len(value) > (type.min_length or 0):
        return [*value[:at], *value[at + 1 :]]
    return [*value[:at], _near(type.item, value[at], random), *value[at + 1 :]]


def _near_member(value: dict[str, Any], types: dict[str, Type], random: Random) -> dict[str, Any]:
    if not value:
        return value
    name = random.choice(sorted(value))
    return {**value, name: _near(types[name], value[name], random)}
