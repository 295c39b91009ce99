"""What expressions are worth: a table over the whole language."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from expression_lab import CAST, DECIMAL, FLOAT, INT, MOVE, NOTE, STRING, Def, evaluate

from maker_dsl.checker.builtins import BUILTINS
from maker_dsl.expressions.builtins import IMPLEMENTATIONS
from maker_dsl.types.codec import codec
from maker_dsl.types.type import EnumType, ListType, MapType, OptionalType, Type

TABLE: list[tuple[str, Any]] = [
    # literals
    ("12", 12),
    ("1.5", 1.5),
    ('"é\\n"', "é\n"),
    ("true", True),
    ("null", None),
    ("[]", []),
    ("[1, 2.5]", [1.0, 2.5]),
    ("[1, null]", [1, None]),
    ("{}", {}),
    ('{ "a": 1, "b": 2.5 }', {"a": 1.0, "b": 2.5}),
    ("{ a: 1, b: [] }", {"a": 1, "b": []}),
    # access
    ("ints[0]", 3),
    ("ints[-1]", 2),
    ("ints[1:]", [1, 2]),
    ("ints[::-1]", [2, 1, 3]),
    ("text[1]", "é"),
    ("text[1:3]", "él"),
    ('ages["eve"]', 3),
    ("move.source", 0),
    ("move[0]", 1),
    ("move[-1]", 2),
    ("note.name", "n"),
    ("note.note", None),
    # arithmetic
    ("n + 1", 8),
    ("n - n * 2", -7),
    ("-n", -7),
    ("+n", 7),
    ("n / 2", 3.5),
    ("n // 2", 3),
    ("-n // 2", -4),
    ("-n % 3", 2),
    ("n % -3", -2),
    ("n ** 2", 49),
    ("2 ** 3 ** 2", 512),
    ("(-1) ** 3", -1),
    ("0 ** 0", 1),
    ("n + half", 9.5),
    ("half // 1", 2.0),
    ("-half % 2", 1.5),
    ("half ** 2", 6.25),
    ("half ** -1", 0.4),
    ("price + 1", Decimal("10.90")),
    ("price * 1.1", Decimal("10.890")),
    ("1.1 * price", Decimal("10.890")),
    ("-price", Decimal("-9.90")),
    ("price / 3", Decimal("3.3")),
    ("price // 2", Decimal(4)),
    ("-price // 2", Decimal(-5)),
    ("-price % 2", Decimal("0.10")),
    ("price ** 2", Decimal("98.01")),
    ("decimal(1) / 3", Decimal("0." + "3" * 50)),
    ('text + "!"', "héllo!"),
    ('"ab" * 2', "abab"),
    ('2 * "ab"', "abab"),
    ('"ab" * -1', ""),
    ("[1] + [2.5]", [1.0, 2.5]),
    ("[0] * 3", [0, 0, 0]),
    ("a_date + 8", date(2026, 12, 1)),
    ("a_date - 23", date(2026, 10, 31)),
    ('a_date - date("2026-11-01")', 22),
    # comparison
    ("1 < 2 < 3", True),
    ("1 < 3 < 2", False),
    ("1 == 1.0", True),
    ("price == 9.9", True),
    ("price > 9", True),
    ('kind == "debit"', True),
    ('"debit" == kind', True),
    ('kind in ["credit"]', False),
    ("last == [1, 0, 2]", True),
    ("absent == null", True),
    ("null != last", True),
    ("ints == [3, 1, 2]", True),
    ("ints < [3, 2]", True),
    ("pegs[0] == pegs[1]", False),
    ("2 in ints", True),
    ("9 not in ints", True),
    ('"él" in text', True),
    ('"eve" in ages', True),
    ("5 in range(10)", True),
    ("5 in range(0, 10, 2)", False),
    ("2.5 in [2.5]", True),
    ("null in holes", True),
    ('note == { name: "n" }', True),
    # conditions
    ("yes and n == 7", True),
    ("not yes or not none", True),
    ("ints and text", True),
    ("none or empty", False),
    ("not none", True),
    ("1 if ints else 2", 1),
    ("1 if none else 2", 2),
    ("1 if maybe else 2", 1),
    ("1 if nothing else 2", 2),
    ("1 if maybe_text else 2", 2),
    ("not maybe", False),
    ("maybe and yes", True),
    # null
    ("nothing ?? 5", 5),
    ("maybe ?? 5", 0),
    ("nothing ?? nothing", None),
    ("nothing ?? maybe ?? 9", 0),
    ("first(none) ?? 4", 4),
    ("[first(peg) ?? 0 for peg in pegs]", [3, 0, 1]),
    ("last.disk if last else 0", 1),
    ("last != null and last.disk == 1", True),
    ("last == null or last.disk == 1", True),
    ("0 if last == null else last.disk", 1),
    ('(note.note if note.note != null else "-") + "!"', "-!"),
    ("[h for h in holes if h != null]", [1]),
    # records
    ('{ ...note, note: "x" }', {"name": "n", "note": "x"}),
    ("{ ...{ a: 1, b: 2 }, a: 3 }", {"a": 3, "b": 2}),
    # comprehensions
    ("[i * i for i in range(3)]", [0, 1, 4]),
    ("[i for i in ints if i > 1]", [3, 2]),
    ("[d for peg in pegs for d in peg if d != 2]", [3, 1]),
    ("[[d + 1 for d in peg] for peg in pegs]", [[4, 3], [], [2]]),
    ('[c for c in "né"]', ["n", "é"]),
    ("[name for name in ages]", ["bob", "eve"]),
    ("[k + string(v) for k, v in ages]", ["bob5", "eve3"]),
    ("[i * v for i, v in enumerate(ints)]", [0, 1, 4]),
    ("{ w: len(w) for w in words }", {"b": 1, "a": 1}),
    ("{ k: v + 1 for k, v in ages if v > 3 }", {"bob": 6}),
    ("[0 for _ in ints for _ in ints]", [0] * 9),
    ("sum(i for i in ints)", 6),
    ("all(peg == sorted(peg, reverse=true) for peg in pegs)", True),
    ("any(len(peg) == n for peg in pegs)", False),
    ("sorted(flatten(pegs)) == range(1, 4)", True),
    ("all([maybe])", True),
    ("all(holes)", False),
    ("all(h for h in holes)", False),
    ("count(h for h in holes)", 1),
    ("count(words)", 2),
    # builtins beyond their documented examples
    ("sorted(pegs)", [[], [1], [3, 2]]),
    ("sorted(words)", ["a", "b"]),
    ("min([[2, 1], [1, 5]])", [1, 5]),
    ("max(1, 2.5)", 2.5),
    ("max(n, price)", Decimal("9.90")),
    ("sum([])", 0),
    ("sum(prices)", Decimal("0.30")),
    ("sum([0.1] * 10)", 1.0),
    ("abs(-price)", Decimal("9.90")),
    ("round(-0.5)", 0),
    ("round(price)", 10),
    ("round(price, 1)", Decimal("9.9")),
    ("round(price, -1)", Decimal("1E+1")),
    ("round(2.675, 2)", 2.67),
    ("round(price, 50)", Decimal("9.90")),
    ("round(decimal(1) / 3, 3)", Decimal("0.333")),
    ("round(-price, -3)", Decimal(0)),
    ("floor(price)", 9),
    ("ceil(n)", 7),
    ("get(ints, -1)", 2),
    ("get(ints, 99)", None),
    ("get(ages, text)", None),
    ('index_of(words, "z")', None),
    ("set_at(ints, -1, 9)", [3, 1, 9]),
    ("insert_at(ints, 3, 9)", [3, 1, 2, 9]),
    ("insert_at(none, 0, 9)", [9]),
    ("remove_at(ints, -1)", [3, 1]),
    ("unique([1, 1.0])", [1.0]),
    ("unique([0.0, -0.0, 1.0])", [0.0, 1.0]),
    ("unique([decimal(1.50), decimal(1.5), decimal(0), -decimal(0)])", [Decimal("1.5"), Decimal(0)]),
    ("unique([2 ** 70, 2 ** 70 + 1, 2 ** 70, -(2 ** 70)])", [2**70, 2**70 + 1, -(2**70)]),
    ("unique([a_date, a_date + 1, a_date])", [date(2026, 11, 23), date(2026, 11, 24)]),
    ("unique([[1, null], [1], [1, null]])", [[1, None], [1]]),
    ('unique([{ "a": 1, "b": 2 }, { "b": 2, "a": 1 }])', [{"a": 1, "b": 2}]),
    ("len(pegs)", 3),
    ("reversed(text)", "olléh"),
    ('split("a b\\tc")', ["a", "b", "c"]),
    ('lines("a\\n\\nb")', ["a", "", "b"]),
    ("int(string(n))", 7),
    ('int("+1")', None),
    ('decimal("1e2")', Decimal(100)),
    ('decimal("NaN")', None),
    ('float("inf")', None),
    ('float("1e999")', None),
    ("float(price)", 9.9),
    ("decimal(0.1)", Decimal("0.1")),
    ("decimal(n)", Decimal(7)),
    ('date("2026-02-30" + "")', None),
    ("weekday(a_date)", 1),
    ("string(true)", "true"),
    ("string(a_date)", "2026-11-23"),
    ("json(a_date)", '"2026-11-23"'),
    ("json(last)", "[1,0,2]"),
    ("json(note)", '{"name":"n","note":null}'),
    ("json([1.0, 0.1])", "[1.0,0.1]"),
    ("json(price)", "9.9"),
    ("json(0 - price)", "-9.9"),
    ('matches(text, "h.*")', True),
    ('matches(text, "h")', False),
]


@pytest.mark.parametrize(("text", "value"), TABLE, ids=[text for text, _ in TABLE])
def test_value(text: str, value: Any) -> None:
    found = evaluate(text)
    assert found == value
    assert type(found) is type(value)


WANTED: list[tuple[str, Type, Any]] = [
    ("[1, 0, 2]", MOVE, (1, 0, 2)),
    ("[[1, 0, 2]]", ListType(MOVE), [(1, 0, 2)]),
    ("[1, 0, 2] if yes else null", OptionalType(MOVE), (1, 0, 2)),
    ("1", DECIMAL, Decimal(1)),
    ("-1", DECIMAL, Decimal(-1)),
    ("1", FLOAT, 1.0),
    ("1.50", DECIMAL, Decimal("1.50")),
    ("-1.50", DECIMAL, Decimal("-1.50")),
    ("1e-3", DECIMAL, Decimal("0.001")),
    ("n", DECIMAL, Decimal(7)),
    ("n", FLOAT, 7.0),
    ("n / 2", DECIMAL, Decimal("3.5")),
    ("ints", ListType(DECIMAL), [Decimal(3), Decimal(1), Decimal(2)]),
    ("pegs", ListType(ListType(FLOAT)), [[3.0, 2.0], [], [1.0]]),
    ("ages", MapType(FLOAT), {"eve": 3.0, "bob": 5.0}),
    ("maybe", OptionalType(DECIMAL), Decimal(0)),
    ("nothing", OptionalType(DECIMAL), None),
    ("nothing ?? 1", DECIMAL, Decimal(1)),
    ("[i for i in ints]", ListType(DECIMAL), [Decimal(3), Decimal(1), Decimal(2)]),
    ("n if yes else 1.5", DECIMAL, Decimal(7)),
    ('"debit"', EnumType(("debit",)), "debit"),
    ('["debit"]', ListType(EnumType(("debit",))), ["debit"]),
    ('{ name: "a" }', NOTE, {"name": "a", "note": None}),
    ('{ ...note, name: "a" }', NOTE, {"name": "a", "note": None}),
    ("{}", MapType(INT), {}),
    ("[]", ListType(MOVE), []),
    ("kind", STRING, "debit"),
    ("null", OptionalType(INT), None),
]


@pytest.mark.parametrize(("text", "wanted", "value"), WANTED, ids=[f"{text} as {type_}" for text, type_, _ in WANTED])
def test_value_of_the_type_wanted(text: str, wanted: Type, value: Any) -> None:
    found = evaluate(text, wanted)
    assert found == value
    assert repr(found).replace(" ", "") == repr(value).replace(" ", "")


EXAMPLES = [example for builtin in BUILTINS.values() for example in builtin.examples]


@pytest.mark.parametrize(("text", "same"), EXAMPLES, ids=[text for text, _ in EXAMPLES])
def test_documented_example_of_a_builtin(text: str, same: str) -> None:
    value, wanted = evaluate(text), evaluate(same)
    assert value == wanted
    assert type(value) is type(wanted)


def test_every_builtin_is_documented_and_carried_out() -> None:
    named = {overload.implementation for builtin in BUILTINS.values() for overload in builtin.overloads}
    assert named == IMPLEMENTATIONS.keys()
    for builtin in BUILTINS.values():
        assert builtin.examples, builtin.name
        assert all(overload.signature.name == builtin.name for overload in builtin.overloads)


def test_defs_are_called_and_sorted_by() -> None:
    defs = (
        Def("double", {"v": INT}, INT, "v * 2"),
        Def("negative", {"v": INT}, DECIMAL, "-double(v)"),
    )
    assert evaluate("double(n) + double(1)", defs=defs) == 16
    assert evaluate("sorted(ints, by=negative)", defs=defs) == [3, 2, 1]
    assert evaluate("min(ints, by=negative)", defs=defs) == 3
    assert repr(evaluate("negative(2)", defs=defs)) == "Decimal('-4')"


def test_values_that_come_in_are_never_changed() -> None:
    before = repr(CAST)
    for text, _ in TABLE:
        evaluate(text)
    assert repr(CAST) == before


def test_decimals_do_not_depend_on_the_surrounding_context() -> None:
    import decimal

    with decimal.localcontext() as context:
        context.prec = 3
        context.traps[decimal.Inexact] = True
        assert evaluate("decimal(1) / 3") == Decimal("0." + "3" * 50)
        assert evaluate("-price * 1.23456789") == Decimal("-12.222222111")


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        (FLOAT, -0.0),
        (FLOAT, 1e-7),
        (FLOAT, 1e22),
        (DECIMAL, Decimal("1.500")),
        (DECIMAL, Decimal("-0.0")),
        (DECIMAL, Decimal("1E+3")),
        (INT, 2**70),
        (STRING, '"\u2028é\n\x7f'),
        (ListType(MOVE), [(1, 2, 3)]),
        (MapType(NOTE), {"b": {"name": "x", "note": None}, "a": {"note": "y", "name": "z"}}),
    ],
)
def test_json_is_the_canonical_text_of_the_type(type_: Type, value: Any) -> None:
    assert evaluate("json(v)", cast={"v": (type_, value)}) == codec(type_).dump(value).decode()
