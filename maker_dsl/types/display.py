"""Names of types for people: the author's alias, or how the type is written in a task."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import assert_never

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


def display(type: Type) -> str:
    """The alias of a type, or its notation: `Disk`, `int in 0..2`, `list[Disk] of 3`."""
    return type.alias or notation(type)


def notation(type: Type) -> str:
    """How a type is written in a task, its own alias not used: `int in 1..20` for `Disk`."""
    match type:
        case IntType():
            return "int" + _bounds(type.minimum, type.maximum)
        case FloatType():
            return "float" + _bounds(type.minimum, type.maximum)
        case DecimalType():
            return "decimal" + _bounds(type.minimum, type.maximum)
        case BoolType():
            return "bool"
        case StringType():
            pattern = "" if type.pattern is None else f" matching /{type.pattern.replace('/', chr(92) + '/')}/"
            length = "" if type.max_length is None else f" up to {type.max_length}"
            return (type.raw or "string") + pattern + length
        case DateType():
            return "date"
        case EnumType():
            return " | ".join(json.dumps(value, ensure_ascii=False) for value in type.values)
        case ListType():
            return f"list[{display(type.item)}]" + _length(type.min_length, type.max_length)
        case MapType():
            return f"map[string, {display(type.value)}]"
        case RecordType():
            return "{ " + _members(type.members) + " }" if type.members else "{}"
        case TupleType():
            return "[" + _members(type.places) + "]"
        case OptionalType():
            inner = display(type.inner)
            return f"({inner})?" if " " in inner and not inner.endswith(("]", "}")) else f"{inner}?"
        case NullType():
            return "null"
        case NeverType():
            return "nothing"
        case _:
            assert_never(type)


def phrase(type: Type) -> str:
    """A type in a sentence: "a disk", "an int in 0..2", "a list of at most 3"."""
    if type.alias:
        return with_article(words(type.alias))
    match type:
        case EnumType():
            return "one of " + ", ".join(f"`{value}`" for value in type.values)
        case ListType():
            return "a list" + _length(type.min_length, type.max_length)
        case MapType():
            return "a map"
        case RecordType():
            return "a record"
        case TupleType():
            return "[" + ", ".join(place.name for place in type.places) + "]"
        case OptionalType():
            return f"{phrase(type.inner)} or null"
        case StringType(raw="line"):
            return "a line of text"
        case StringType(raw="text"):
            return "text"
        case NullType():
            return "null"
        case NeverType():
            return "nothing"
        case _:
            return with_article(notation(type))


def words(name: str) -> str:
    """A name as words in lower case: `NextState` and `next_state` give "next state"."""
    spaced = "".join(
        f" {letter}" if letter.isupper() and at and not name[at - 1].isupper() else letter
        for at, letter in enumerate(name)
    )
    return " ".join(spaced.replace("_", " ").split()).lower()


def with_article(text: str) -> str:
    """`a` or `an` before a noun; nothing before a plural, which the last letter tells well enough."""
    if text.endswith("s") and not text.endswith("ss"):
        return text
    return ("an " if text[:1] in "aeiou" else "a ") + text


def _members(members: tuple[Member, ...]) -> str:
    return ", ".join(f"{member.name}: {display(member.type)}" for member in members)


def items(number: int) -> str:
    """So many items of a list: "1 item", "3 items"."""
    return "1 item" if number == 1 else f"{number} items"


def _bounds(low: int | float | Decimal | None, high: int | float | Decimal | None) -> str:
    if low is None and high is None:
        return ""
    return f" in {'' if low is None else low}..{'' if high is None else high}"


def _length(low: int | None, high: int | None) -> str:
    if low is None and high is None:
        return ""
    if low == high:
        return f" of {low}"
    return f" of {'' if low is None else low}..{'' if high is None else high}"
