"""The longest text and the largest value of a type, against values drawn from it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from type_strategies import types, values

from maker_dsl.replies.rendering import json_renderer
from maker_dsl.types.codec import codec
from maker_dsl.types.errors import ValueRefused
from maker_dsl.types.longest import MAX_LARGEST, Unbounded, largest, longest_json
from maker_dsl.types.type import (
    BoolType,
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

SLOW = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@SLOW
@given(st.data())
def test_no_value_has_a_longer_text(data: st.DataObject) -> None:
    type = data.draw(types)
    longest = longest_json(type)
    if longest is not None:
        assert len(json_renderer(type)(data.draw(values(type))).encode(errors="replace")) <= longest


@SLOW
@given(types)
def test_the_largest_value_is_one_of_the_type_but_for_patterns(type: Type) -> None:
    try:
        value = largest(type)
    except Unbounded:
        longest = longest_json(type)
        assert longest is None or longest > MAX_LARGEST
        return
    if not has_pattern(type):
        codec(type).validate(value)


def has_pattern(type: Type) -> bool:
    match type:
        case StringType():
            return type.pattern is not None
        case ListType():
            return has_pattern(type.item)
        case RecordType():
            return any(has_pattern(member.type) for member in type.members)
        case TupleType():
            return any(has_pattern(place.type) for place in type.places)
        case OptionalType():
            return has_pattern(type.inner)
        case _:
            return False


PAIR = TupleType((Member("x", IntType(-5, 10)), Member("y", BoolType())))


@pytest.mark.parametrize(
    ("type", "longest", "value"),
    [
        (IntType(0, 100), "100", 100),
        (IntType(-100, 9), "-100", -100),
        (FloatType(), "-2.2250738585072014e-308", 0.0),
        (BoolType(), "false", False),
        (EnumType(("a", "long")), '"long"', "long"),
        (ListType(BoolType(), 0, 0), "[]", []),
        (OptionalType(IntType(0, 9)), "null", 9),
        (ListType(IntType(1, 64), 0, 3), "[64, 64, 64]", [64, 64, 64]),
        (PAIR, "[-5, false]", (10, False)),
        (
            RecordType((Member("a", IntType(0, 9)), Member("né", BoolType()))),
            '{"a": 9, "né": false}',
            {"a": 9, "né": False},
        ),
    ],
)
def test_a_bounded_type_is_bounded_tightly(type: Type, longest: str, value: object) -> None:
    bound = longest_json(type)
    assert bound is not None
    assert len(longest.encode()) <= bound <= len(longest.encode()) + 4
    assert largest(type) == value


@pytest.mark.parametrize(
    "type",
    [
        IntType(),
        IntType(0, None),
        IntType(None, 0),
        DecimalType(Decimal(0), Decimal(1)),
        StringType(),
        StringType(pattern="a+"),
        StringType(pattern="(ab|c*)x"),
        ListType(BoolType()),
        ListType(StringType(), 0, 3),
        MapType(BoolType()),
        OptionalType(IntType()),
        RecordType((Member("a", BoolType()), Member("b", IntType()))),
        TupleType((Member("a", IntType()),)),
    ],
)
def test_types_without_a_bound_have_none(type: Type) -> None:
    assert longest_json(type) is None
    with pytest.raises(Unbounded):
        largest(type)


def test_a_string_is_as_long_as_its_limit_and_its_pattern_allow() -> None:
    assert longest_json(StringType(max_length=10)) == 62
    assert longest_json(StringType(pattern="[a-z]{2,4}-(x|yz)?", max_length=100)) == 6 * 7 + 2
    assert longest_json(StringType(pattern="[a-z]*", max_length=3)) == 20
    assert largest(StringType(max_length=12)) == "word word wo"
    with pytest.raises(ValueRefused):
        codec(StringType(max_length=11)).validate("word word wo")


def test_a_value_that_nobody_could_hold_is_as_good_as_unbounded() -> None:
    with pytest.raises(Unbounded):
        largest(ListType(ListType(IntType(0, 9), 0, 10**6), 0, 10**6))
