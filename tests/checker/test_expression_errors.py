"""Mistakes in expressions: each gives one finding, with its code, at its place, and no further ones."""

from __future__ import annotations

import pytest
from expression_lab import BOOL, DATE, DECIMAL, INT, MOVE, NOTE, STRING, Def, check_text, codes

from maker_dsl.diagnostics import Severity
from maker_dsl.types.type import EnumType, ListType, MapType, OptionalType, Type

DEFS = (Def("top", {"peg": ListType(INT)}, OptionalType(INT), "peg[-1] if peg else null"),)

TABLE: list[tuple[str, str, str]] = [
    # names
    ("nn + 1", "MK201", "nn"),
    ("topp(ints)", "MK202", "topp"),
    ("append(ints, 1)", "MK202", "append"),
    ("note.nmae", "MK203", "nmae"),
    ("note.__class__", "MK203", "__class__"),
    ("n.__class__.__bases__", "MK203", "__class__"),
    ("text.__len__", "MK203", "__len__"),
    ("ints._private", "MK203", "_private"),
    ("ages.eve", "MK203", "eve"),
    ("move.peg", "MK203", "peg"),
    ("[n for n in ints]", "MK204", "n"),
    ("[a for a in ints for a in ints]", "MK204", "a"),
    ("top", "MK205", "top"),
    ("n(1)", "MK205", "n"),
    # types
    ('n + "a"', "MK302", 'n + "a"'),
    ("yes + 1", "MK302", "yes + 1"),
    ("-text", "MK302", "text"),
    ("ints + 1", "MK302", "ints + 1"),
    ("2 ** 0.5", "MK302", "2 ** 0.5"),
    ("a_date + a_date", "MK302", "a_date + a_date"),
    ("yes < yes", "MK302", "yes"),
    ("n in n", "MK302", "n"),
    ("n ?? 1", "MK302", "n"),
    ('1 == "1"', "MK303", '1 == "1"'),
    ("yes == 1", "MK303", "yes == 1"),
    ("null == n", "MK303", "null == n"),
    ("a_date == text", "MK303", "a_date == text"),
    ("move == ints", "MK303", "move == ints"),
    ("n in words", "MK303", "n in words"),
    ("n in text", "MK303", "n in text"),
    ("last.disk", "MK304", "last"),
    ("maybe + 1", "MK304", "maybe"),
    ("len(maybe_text)", "MK304", "maybe_text"),
    ("maybe < 3", "MK304", "maybe"),
    ("last[0]", "MK304", "last"),
    ("[h + 1 for h in holes]", "MK304", "h"),
    ("last != null or last.disk == 1", "MK304", "last"),
    ("last.disk if last == null else 1", "MK304", "last"),
    ("top(ints) + 1", "MK304", "top(ints)"),
    ("null + 1", "MK304", "null"),
    ("[x for x in maybe_text]", "MK304", "maybe_text"),
    ("ints[maybe]", "MK304", "maybe"),
    ('note.note + "!"', "MK304", "note.note"),
    ("top()", "MK305", "top()"),
    ("top(ints, ints)", "MK305", "top(ints, ints)"),
    ("top(peg=ints)", "MK305", "peg=ints"),
    ("len()", "MK305", "len()"),
    ("len(ints, ints)", "MK305", "len(ints, ints)"),
    ("sorted(ints, revers=true)", "MK305", "revers=true"),
    ("sorted(ints, reverse=true, reverse=true)", "MK305", "reverse=true"),
    ("min(1)", "MK306", "1"),
    ("len(n)", "MK306", "n"),
    ("sum(words)", "MK306", "words"),
    ('index_of(ints, "a")', "MK306", '"a"'),
    ("sorted([note])", "MK306", "[note]"),
    ("sorted(ints, by=n)", "MK306", "n"),
    ("sorted(ints, by=top)", "MK306", "top"),
    ('date("2026-13-01")', "MK306", '"2026-13-01"'),
    ("date(2026, 2, 30)", "MK306", "2026, 2, 30"),
    ("n[0]", "MK307", "n"),
    ('note["name"]', "MK307", "note"),
    ('ints["a"]', "MK307", '"a"'),
    ("ages[1]", "MK307", "1"),
    ("n[1:2]", "MK307", "n"),
    ("move[3]", "MK308", "3"),
    ("move[-4]", "MK308", "-4"),
    ("move[n]", "MK308", "n"),
    ("move == [1, 2]", "MK308", "[1, 2]"),
    ("{ a: 1, a: 2 }", "MK309", "a"),
    ('{ "a": 1, "a": 2 }', "MK309", '"a"'),
    ("{ ...note, nte: 1 }", "MK309", "nte"),
    ('kind == "debti"', "MK310", '"debti"'),
    ('[1, "a"]', "MK311", '"a"'),
    ('1 if yes else "a"', "MK311", '"a"'),
    ('nothing ?? "a"', "MK311", '"a"'),
    ('{ "a": 1, "b": "c" }', "MK311", '"c"'),
    ('matches(text, "(")', "MK312", '"("'),
    ("matches(text, text)", "MK312", "text"),
    ("n / 0", "MK313", "0"),
    ("n % 0", "MK313", "0"),
    ("1 if n else 2", "MK314", "n"),
    ("not n", "MK314", "n"),
    ("flag and yes", "MK314", "flag"),
    ("note or yes", "MK314", "note"),
    ("all(ints)", "MK314", "ints"),
    ("all(i for i in ints)", "MK314", "i"),
    ("price + half", "MK316", "price + half"),
    ("price == half", "MK316", "price == half"),
    ("[price, half]", "MK311", "half"),
    ("1e999", "MK317", "1e999"),
    ("[i for i in n]", "MK318", "n"),
    ("[i for i, j in ints]", "MK318", "i, j"),
    ("[i for i, j, k in enumerate(ints)]", "MK318", "i, j, k"),
]


@pytest.mark.parametrize(("text", "code", "place"), TABLE, ids=[text for text, _, _ in TABLE])
def test_one_finding(text: str, code: str, place: str) -> None:
    found = check_text(text, defs=DEFS).problems
    assert [(d.code, d.primary.span.text) for d in found] == [(code, place)]
    assert found[0].severity is Severity.ERROR


WANTED: list[tuple[str, Type, str, str]] = [
    ("text", INT, "MK301", "text"),
    ("half", INT, "MK301", "half"),
    ("1.5", INT, "MK301", "1.5"),
    ("ints", INT, "MK301", "ints"),
    ("n", ListType(INT), "MK301", "n"),
    ("[1, text]", ListType(INT), "MK301", "text"),
    ("[[1], [text]]", ListType(ListType(INT)), "MK301", "text"),
    ("1 if yes else text", INT, "MK301", "text"),
    ("text", EnumType(("a",)), "MK301", "text"),
    ("half", DECIMAL, "MK316", "half"),
    ("price", BOOL, "MK301", "price"),
    ("maybe", INT, "MK304", "maybe"),
    ("null", INT, "MK304", "null"),
    ("[1, null]", ListType(INT), "MK304", "null"),
    ("[1, 0]", MOVE, "MK308", "[1, 0]"),
    ("[1, 0, text]", MOVE, "MK301", "text"),
    ("ints", MOVE, "MK301", "ints"),
    ("{ note: null }", NOTE, "MK309", "{ note: null }"),
    ('{ name: "a", nte: "b" }', NOTE, "MK309", "nte"),
    ("{ name: 1 }", NOTE, "MK301", "1"),
    ('{ "name": "a" }', NOTE, "MK301", '{ "name": "a" }'),
    ("{ a: 1 }", MapType(INT), "MK301", "{ a: 1 }"),
    ('"b"', EnumType(("a",)), "MK310", '"b"'),
    ("[text for t in words]", ListType(DATE), "MK301", "text"),
    ("n", STRING, "MK301", "n"),
    ("1" * 4000, INT, "MK317", "1" * 4000),
]


@pytest.mark.parametrize(
    ("text", "wanted", "code", "place"),
    WANTED,
    ids=[f"{text[:30]} as {type(type_).__name__}" for text, type_, *_ in WANTED],
)
def test_one_finding_where_a_type_is_wanted(text: str, wanted: Type, code: str, place: str) -> None:
    found = check_text(text, wanted).problems
    assert [(d.code, d.primary.span.text) for d in found] == [(code, place)]


@pytest.mark.parametrize(
    ("text", "help_text"),
    [
        ("note.nmae", "did you mean `name`?"),
        ("intz", "did you mean `ints`?"),
        ("lenn(ints)", "did you mean `len`?"),
        ("topp(ints)", "did you mean `top`?"),
        ('kind == "debti"', "did you mean `debit`?"),
        ("{ ...note, nme: text }", "did you mean `name`?"),
        ("length(ints)", "write `len(x)`"),
        ("top", "call it: `top(peg)`"),
        ("1 if n else 2", "compare it: `n != 0`"),
    ],
)
def test_help_says_what_to_type(text: str, help_text: str) -> None:
    assert check_text(text, defs=DEFS).problems[0].help == help_text


def test_several_mistakes_are_found_at_once() -> None:
    assert codes('[foo, bar(1), note.baz, 1 + "a"]') == ["MK201", "MK202", "MK203", "MK302"]


def test_one_mistake_does_not_bring_others_with_it() -> None:
    assert codes("sorted(flatten([foo + 1]))[0].name and foo.x == bar") == ["MK201", "MK201", "MK201"]


def test_deep_nesting_is_refused_and_not_a_crash() -> None:
    assert codes("+".join(["n"] * 90)) == []
    assert codes("+".join(["n"] * 110)) == ["MK315"]
    assert codes(" and ".join(["yes"] * 90)) == []


def test_checking_time_grows_with_the_text_alone() -> None:
    nested = "n"
    for _ in range(60):
        nested = f"max({nested}, 1)"
    assert codes(nested) == []
    nested = "[1]"
    for _ in range(40):
        nested = f"({nested} if yes else [2])"
    assert codes(nested) == []
