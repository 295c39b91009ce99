"""Every corruption of a reply is one small mistake."""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from type_strategies import types, values

from maker_dsl.mutation.texts import corrupt_digits, corrupt_text
from maker_dsl.mutation.values import MOST_PLACES, Corruption, corrupt_value, few, near_digits
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


def corruptions(type: Type, value: Any) -> list[tuple[str, str, Any]]:
    """Kind, field and the corrupted value of a reply with one field `x`."""
    record = RecordType((Member("x", type),))
    return [(one.kind, one.field, one.make()["x"]) for one in corrupt_value(record, {"x": value}, Random(0))]


PEG = IntType(0, 2)


@pytest.mark.parametrize(
    ("type", "value", "expected"),
    [
        (IntType(0, 9), 9, [("off by one", "x", 10), ("off by one", "x", 8)]),
        (FloatType(), 0.5, [("off by one", "x", 1.5), ("off by one", "x", -0.5)]),
        (
            DecimalType(),
            Decimal("9.95"),
            [("off by one", "x", Decimal(n)) for n in ("10.95", "8.95", "9.96", "9.94")],
        ),
        (DecimalType(), Decimal(7), [("off by one", "x", Decimal(8)), ("off by one", "x", Decimal(6))]),
        (
            DateType(),
            date(2026, 2, 28),
            [("off by one", "x", date(2026, 3, 1)), ("off by one", "x", date(2026, 2, 27))],
        ),
        (FloatType(), 1e300, [("off by one", "x", 1.0000000000000002e300), ("off by one", "x", 9.999999999999999e299)]),
        (
            DecimalType(),
            Decimal(10) ** 40,
            [("off by one", "x", Decimal(10**40 + 1)), ("off by one", "x", Decimal(10**40 - 1))],
        ),
        (DateType(), date.max, [("off by one", "x", date(9999, 12, 30))]),
        (BoolType(), True, [("other value", "x", False)]),
        (EnumType(("a", "b", "c")), "b", [("other value", "x", "a"), ("other value", "x", "c")]),
        (EnumType(("a",)), "a", []),
        (OptionalType(BoolType()), True, [("drop", "x", None), ("other value", "x", False)]),
        (OptionalType(PEG), None, [("other value", "x", 1)]),
        (
            StringType(),
            "a9",
            [("empty", "x", ""), ("truncate", "x", "a"), ("off by one", "x", "a10"), ("off by one", "x", "a8")],
        ),
        (
            StringType(),
            "b\na",
            [
                ("empty", "x", ""),
                ("truncate", "x", "b"),
                ("truncate", "x", "b\n"),
                ("drop", "x", "a"),
                ("duplicate", "x", "b\nb\na"),
                ("drop", "x", "b"),
                ("duplicate", "x", "b\na\na"),
                ("swap", "x", "a\nb"),
            ],
        ),
        (
            ListType(BoolType()),
            [True, False],
            [
                ("drop", "x", [False]),
                ("duplicate", "x", [True, True, False]),
                ("drop", "x", [True]),
                ("duplicate", "x", [True, False, False]),
                ("swap", "x", [False, True]),
                ("empty", "x", []),
                ("other value", "x[]", [False, False]),
                ("other value", "x[]", [True, True]),
            ],
        ),
        (
            MapType(BoolType()),
            {"a": True, "b": False},
            [
                ("drop", "x", {"b": False}),
                ("drop", "x", {"a": True}),
                ("swap", "x", {"a": False, "b": True}),
                ("empty", "x", {}),
                ("other value", "x[]", {"a": False, "b": False}),
                ("other value", "x[]", {"a": True, "b": True}),
            ],
        ),
        (
            TupleType((Member("source", PEG), Member("target", PEG))),
            (0, 2),
            [
                ("off by one", "x.source", (1, 2)),
                ("off by one", "x.source", (-1, 2)),
                ("off by one", "x.target", (0, 3)),
                ("off by one", "x.target", (0, 1)),
                ("swap", "x.source and target", (2, 0)),
            ],
        ),
    ],
)
def test_a_value_is_corrupted_by_its_type(type: Type, value: Any, expected: list[tuple[str, str, Any]]) -> None:
    assert corruptions(type, value) == expected


def test_a_long_list_is_cut_in_half_and_its_ends_are_swapped() -> None:
    found = corruptions(ListType(IntType()), [1, 2, 3, 4, 5])
    assert ("truncate", "x", [1, 2]) in found
    assert ("swap", "x", [5, 2, 3, 4, 1]) in found


@given(st.data())
def test_every_corruption_changes_the_value_and_nothing_is_changed_in_place(data: st.DataObject) -> None:
    type = RecordType((Member("x", data.draw(types)), Member("y", data.draw(types))))
    value = {member.name: data.draw(values(member.type)) for member in type.members}
    before = repr(value)
    made = [one.make() for one in corrupt_value(type, value, Random(0))]
    # Two equal neighbours give the same list, whichever of them is left out: those are judged once.
    assert all(one != value or repr(one) != before for one in made)
    assert repr(value) == before


def test_of_long_values_a_few_places_are_corrupted() -> None:
    type = RecordType((Member("x", ListType(ListType(IntType()))),))
    value = {"x": [list(range(1000)) for _ in range(1000)]}
    found = list(corrupt_value(type, value, Random(0)))
    numbers = Counter(one.field for one in found)
    assert numbers["x[][]"] == 2 * MOST_PLACES * MOST_PLACES
    assert len(found) < 2000


def test_the_same_seed_corrupts_the_same_places() -> None:
    type = RecordType((Member("x", ListType(IntType())),))
    value = {"x": list(range(100))}

    def drawn(seed: int) -> list[Any]:
        return [one.make() for one in corrupt_value(type, value, Random(seed))]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_few_keeps_the_order_and_everything_where_it_may() -> None:
    assert few([3, 1, 2], Random(0), 3) == [3, 1, 2]
    drawn = few(range(100), Random(0), 5)
    assert len(drawn) == 5
    assert list(drawn) == sorted(drawn)


@pytest.mark.parametrize(
    ("digits", "near"),
    [("9", ("10", "8")), ("007", ("008", "006")), ("0", ("1",)), ("100", ("101", "099")), ("9" * 30, None)],
)
def test_a_number_in_a_text_keeps_its_width(digits: str, near: tuple[str, ...] | None) -> None:
    found = near_digits(digits)
    assert all(one != digits and one.isdigit() for one in found)
    if near is not None:
        assert found == near


def test_a_text_is_cut_and_its_lines_are_lost_doubled_and_swapped() -> None:
    text = "thinking\na = 1\nb = 22\n```"
    start, end = text.index("a ="), text.index("\n```")
    found = [(one.kind, one.text) for one in corrupt_text(text, start, end, Random(0))]
    assert ("drop", "thinking\nb = 22\n```") in found
    assert ("duplicate", "thinking\na = 1\na = 1\nb = 22\n```") in found
    assert ("swap", "thinking\nb = 22\na = 1\n```") in found
    cut = [text for kind, text in found if kind == "truncate"]
    assert "thinking\na = 1\nb = 2" in cut
    assert "thinking\na = 1\n" in cut
    assert text[:end] in cut
    assert all(text.startswith(one) and one != text for one in cut)


def test_every_number_of_a_text_is_off_by_one() -> None:
    found = [one.text for one in corrupt_digits("1: x 10 1", 3, 9, Random(0))]
    assert found == ["1: x 11 1", "1: x 09 1", "1: x 10 2", "1: x 10 0"]


def test_a_corruption_is_made_when_it_is_asked_for() -> None:
    made = []
    one = Corruption("drop", "x", lambda: made.append(1) or {})
    assert made == []
    assert (one.make(), made) == ({}, [1])
