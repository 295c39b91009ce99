"""A codec's validator, JSON Schema and canonical text agree with each other."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from type_strategies import as_json, nearly, types, values

from maker_dsl.types.codec import codec
from maker_dsl.types.errors import ValueRefused
from maker_dsl.types.type import (
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

DISK = IntType(1, 3, alias="Disk")
PEGS = ListType(ListType(DISK), 3, 3, alias="Pegs")


def refusal(type: Type, value: Any) -> str:
    with pytest.raises(ValueRefused) as caught:
        codec(type).validate(value)
    return str(caught.value)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.data())
def test_json_schema_and_pydantic_accept_the_same_values(data: st.DataObject) -> None:
    type = data.draw(types)
    value = data.draw(nearly(type))
    made = codec(type)
    Draft202012Validator.check_schema(made.schema)
    checker = Draft202012Validator(made.schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    why = None
    try:
        made.validate(value)
    except ValueRefused as refused:
        why = refused.message
    assert (why is None) == checker.is_valid(value), (type, value)
    assert why is None or "does not fit its type" not in why


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.data())
def test_a_typed_value_survives_its_canonical_text(data: st.DataObject) -> None:
    type = data.draw(types)
    made = codec(type)
    value = made.validate(data.draw(values(type)))
    text = made.dump(value)
    again = made.load(text)
    assert again == value
    assert repr(again) == repr(value), "the same down to the order of keys and the spelling of decimals"
    assert made.dump(again) == text
    assert made.validate(value) == value


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.data())
def test_decoded_json_gives_the_typed_value(data: st.DataObject) -> None:
    type = data.draw(types)
    made = codec(type)
    value = made.validate(data.draw(values(type)))
    assert made.dump(made.validate(as_json(value))) == made.dump(value)


def test_whole_floats_and_decimals_are_ints_and_booleans_are_not() -> None:
    assert codec(IntType()).validate(1.0) == 1
    assert type(codec(IntType()).validate(Decimal("1E+2"))) is int
    assert "found true" in refusal(IntType(), True)
    assert "found 1.5" in refusal(IntType(), 1.5)
    assert "found true" in refusal(FloatType(), True)
    assert "found false" in refusal(DecimalType(), False)


def test_decimals_are_exact() -> None:
    assert codec(DecimalType()).load("0.1000") == Decimal("0.1")
    assert codec(DecimalType()).validate(0.1) == Decimal("0.1")
    assert codec(DecimalType()).dump(Decimal("1E+2")) == b"100"
    assert codec(DecimalType()).dump(Decimal("-0.00")) == b"0"
    long = "1." + "3" * 60
    assert codec(DecimalType()).dump(codec(DecimalType()).load(long)) == long.encode()


@pytest.mark.parametrize(
    ("type", "text", "why"),
    [
        (FloatType(), "NaN", "`NaN` is not a JSON value"),
        (FloatType(), "-Infinity", "`-Infinity` is not a JSON value"),
        (FloatType(), "1e999", "too large for a float"),
        (DecimalType(), "1e999999999", "4,000 digits"),
        (DecimalType(), "1e-999999999", "4,000 digits"),
        (IntType(), "1e999999999", "expected an int"),
        (IntType(), "9" * 4001, "4,000 digits"),
        (IntType(), "9" * 5000, "4,000 digits"),
        (MapType(IntType()), '{"a": 1, "a": 1}', "the key `a` occurs twice"),
        (StringType(), '"\\ud800"', "surrogate"),
        (MapType(IntType()), '{"\\ud800": 1}', "is not a string"),
        (ListType(IntType()), "[" * 200_000, "nested too deep"),
        (IntType(), "[1", "not JSON"),
        (IntType(), "", "not JSON: expecting value (line 1, column 1)"),
        (IntType(), b"\xff", "not UTF-8"),
    ],
)
def test_hostile_json_is_refused(type: Type, text: str | bytes, why: str) -> None:
    with pytest.raises(ValueRefused) as caught:
        codec(type).load(text)
    assert why in str(caught.value)


def test_refusals_name_the_place_in_the_languages_words() -> None:
    state = RecordType((Member("pegs", PEGS), Member("last", OptionalType(DateType()))))
    assert refusal(state, {"pegs": [[1], [7], []]}) == "pegs[1][0]: expected a disk (int in 1..3), found 7"
    assert refusal(state, {"pegs": [[1]]}) == "pegs: expected pegs (list[list[Disk]] of 3), found 1 item"
    assert refusal(state, {"pgs": []}) == 'unknown member "pgs"; did you mean `pegs`?'
    assert refusal(state, {}) == "pegs: missing; expected pegs"
    assert refusal(IntType(0, 2), 7) == "expected an int in 0..2, found 7"
    assert refusal(EnumType(("debit", "credit")), "x") == 'expected one of `debit`, `credit`, found "x"'
    move = TupleType((Member("disk", DISK), Member("to", IntType())))
    assert refusal(move, [1, None]) == "to: expected an int, found null"
    assert refusal(move, [1]) == "expected [disk, to] (2 items), found 1 item"
    assert refusal(StringType(max_length=2), "abc") == 'expected at most 2 characters, found 3: "abc"'


def test_dates_are_iso_texts() -> None:
    made = codec(DateType())
    assert made.validate("2026-11-23") == date(2026, 11, 23)
    assert made.dump(date(2026, 11, 23)) == b'"2026-11-23"'


def test_large_ints_have_canonical_text() -> None:
    made = codec(ListType(IntType()))
    assert made.dump([2**70, -(2**70), 1]) == f"[{2**70},{-(2**70)},1]".encode()


def test_absent_optional_members_are_null() -> None:
    made = codec(RecordType((Member("b", IntType()), Member("a", OptionalType(IntType())))))
    assert made.validate({"b": 1}) == {"b": 1, "a": None}
    assert made.dump(made.validate({"b": 1})) == b'{"a":null,"b":1}'


def test_canonical_text_is_json() -> None:
    value = {"b": [1.0, 2], "a": Decimal("1.50")}
    made = codec(RecordType((Member("a", DecimalType()), Member("b", ListType(FloatType())))))
    assert made.dump(made.validate(value)) == b'{"a":1.5,"b":[1.0,2.0]}'
    assert json.loads(made.dump({"a": Decimal(1), "b": [1]})) == {"a": 1, "b": [1.0]}
