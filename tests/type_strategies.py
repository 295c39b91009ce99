"""Hypothesis strategies: concrete types, values of a type, and values that nearly are."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

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
    OptionalType,
    RecordType,
    StringType,
    TupleType,
    Type,
)

PATTERNS = {
    "[a-c]{1,3}": st.text("abc", min_size=1, max_size=3),
    r"\d+-\d*": st.from_regex(r"\A[0-9]{1,3}-[0-9]{0,2}\Z"),
    "(yes|no)?": st.sampled_from(["yes", "no", ""]),
}
WORDS = ("debit", "credit", "a", "ab", "null", "two words", 'quo"te', "é", "x-1")
NAMES = ("a", "b", "name", "note", "next_state")


def _ordered(pair: tuple[Any, Any]) -> tuple[Any, Any]:
    low, high = pair
    return (high, low) if low is not None and high is not None and low > high else pair


def _bounds(values: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, Any]]:
    return st.tuples(st.none() | values, st.none() | values).map(_ordered)


ints = _bounds(st.integers(-5, 30)).map(lambda b: IntType(*b))
floats = _bounds(st.sampled_from([-1.5, 0.0, 2.0, 9.75])).map(lambda b: FloatType(*b))
decimals = _bounds(st.sampled_from([Decimal("-2.5"), Decimal(0), Decimal("10")])).map(lambda b: DecimalType(*b))
enums = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4, unique=True).map(lambda v: EnumType(tuple(v)))
strings = st.one_of(
    st.just(StringType()),
    st.integers(0, 6).map(lambda n: StringType(max_length=n)),
    st.sampled_from(sorted(PATTERNS)).map(lambda p: StringType(pattern=p)),
)
scalars: st.SearchStrategy[Type] = st.one_of(
    ints, floats, decimals, st.just(BoolType()), strings, st.just(DateType()), enums
)


def _members(inner: st.SearchStrategy[Type]) -> st.SearchStrategy[tuple[Member, ...]]:
    named = st.lists(st.tuples(st.sampled_from(NAMES), inner), min_size=0, max_size=4, unique_by=lambda pair: pair[0])
    return named.map(lambda pairs: tuple(Member(name, type) for name, type in pairs))


def _grow(inner: st.SearchStrategy[Type]) -> st.SearchStrategy[Type]:
    optional = inner.map(lambda type: type if isinstance(type, OptionalType) else OptionalType(type))
    lengths = _bounds(st.integers(0, 3))
    members = _members(inner | optional)
    return st.one_of(
        st.tuples(inner | optional, lengths).map(lambda p: ListType(p[0], *p[1])),
        inner.map(MapType),
        members.map(RecordType),
        members.map(TupleType),
        optional,
    )


types: st.SearchStrategy[Type] = st.recursive(scalars, _grow, max_leaves=6)
records: st.SearchStrategy[RecordType] = _members(types).filter(len).map(RecordType)

_text = st.text(st.characters(exclude_categories=("Cs",)), max_size=6)


def values(type: Type) -> st.SearchStrategy[Any]:
    """Typed values of a concrete type."""
    match type:
        case IntType():
            return st.integers(type.minimum, type.maximum)
        case FloatType():
            return st.floats(type.minimum, type.maximum, allow_nan=False, allow_infinity=False).map(lambda f: f + 0.0)
        case DecimalType():
            return st.decimals(
                -1000 if type.minimum is None else type.minimum,
                1000 if type.maximum is None else type.maximum,
                places=3,
            )
        case BoolType():
            return st.booleans()
        case StringType():
            if type.pattern is not None:
                return PATTERNS[type.pattern]
            text = st.text(st.characters(exclude_categories=("Cs",)), max_size=type.max_length)
            if type.raw == "line":
                return text.map(lambda t: t.replace("\n", " ").replace("\r", " ").strip(" \t"))
            return text.map(lambda t: t.strip(" \t\r\n")) if type.raw else text
        case DateType():
            return st.dates()
        case EnumType():
            return st.sampled_from(type.values)
        case ListType():
            high = type.max_length if type.max_length is not None else (type.min_length or 0) + 3
            return st.lists(values(type.item), min_size=type.min_length or 0, max_size=high)
        case MapType():
            return st.dictionaries(_text, values(type.value), max_size=3)
        case RecordType():
            return st.fixed_dictionaries({member.name: values(member.type) for member in type.members})
        case TupleType():
            return st.tuples(*(values(place.type) for place in type.places))
        case OptionalType():
            return st.none() | values(type.inner)
    raise AssertionError(type)


def as_json(value: Any) -> Any:
    """A typed value as a JSON reader would give it: dates as text, tuples as lists, decimals as floats."""
    match value:
        case date():
            return value.isoformat()
        case tuple() | list():
            return [as_json(item) for item in value]
        case dict():
            return {key: as_json(item) for key, item in value.items()}
        case Decimal():
            return float(value)
        case _:
            return value


_odd = st.sampled_from(
    [
        None,
        True,
        False,
        0,
        1,
        -1,
        2,
        3,
        31,
        1.0,
        0.5,
        -0.0,
        9.75,
        1e300,
        10**400,
        "",
        "a",
        "abc",
        "abc\n",
        "yes",
        "1",
        "true",
        "debit",
        "2026-11-23",
        "2026-02-30",
        "2026-1-1",
        "20261123",
        "2026-11-23\n",
        "２026-11-23",
        "a" * 7,
        [],
        [1],
        [1, 2, 3, 4],
        {},
        {"a": 1},
        {"extra": None},
        "😀😀😀😀😀😀",
        "1-\n",
    ]
)


@st.composite
def nearly(draw: st.DrawFn, type: Type) -> Any:
    """JSON values that are of the type, or are but for one place."""
    return _spoil(draw, as_json(draw(values(type)))) if draw(st.booleans()) else as_json(draw(values(type)))


def _spoil(draw: st.DrawFn, value: Any) -> Any:
    kind = draw(st.integers(0, 4))
    if isinstance(value, list) and value and kind:
        at = draw(st.integers(0, len(value) - 1))
        if kind == 1:
            return value[:at] + value[at + 1 :]
        if kind == 2:
            return [*value, value[at]]
        return [*value[:at], _spoil(draw, value[at]), *value[at + 1 :]]
    if isinstance(value, dict) and value and kind:
        key = draw(st.sampled_from(sorted(value)))
        if kind == 1:
            return {k: v for k, v in value.items() if k != key}
        if kind == 2:
            return {**value, "extra": draw(_odd)}
        return {**value, key: _spoil(draw, value[key])}
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53 and kind == 1:
        return float(value)
    return draw(_odd)
