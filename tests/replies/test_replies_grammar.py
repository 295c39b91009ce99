"""Replies in an author's own grammar, and what is found wrong with notations."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import pytest
from reply_strategies import mutate, text

from maker_dsl.replies.checks import check_notation
from maker_dsl.replies.format import reply_format
from maker_dsl.replies.notation import FormatText, LarkGrammar, Place
from maker_dsl.task import Parsed, Refused
from maker_dsl.types.errors import ValueRefused
from maker_dsl.types.type import (
    EnumType,
    FloatType,
    IntType,
    ListType,
    Member,
    OptionalType,
    RecordType,
    StringType,
    Type,
)

DISK = IntType(1, 3, alias="Disk")
MOVES = LarkGrammar(
    """start: "move" disk "from" PEG ("to" target)+ ("because" why)? "."?
disk: /[0-9]+/
PEG: /[abc]/
target: INT
why: /[a-z ]+/
%import common.INT
%import common.WS
%ignore WS
""",
    RecordType(
        (
            Member("disk", DISK),
            Member("peg", EnumType(("a", "b"))),
            Member("target", ListType(IntType())),
            Member("why", OptionalType(StringType())),
        )
    ),
)


def one(type: Type) -> RecordType:
    return RecordType((Member("value", type),))


def read(notation: LarkGrammar, text: str, place: Place | None = None) -> Any:
    found = reply_format(notation, place or Place("end")).read(text)
    return found.value if isinstance(found, Parsed) else found


def test_rules_and_terminals_give_the_fields() -> None:
    assert not check_notation(MOVES)
    assert read(MOVES, "Thinking.\nmove 1 from a to 3 to 4.") == {"disk": 1, "peg": "a", "target": [3, 4], "why": None}
    assert read(MOVES, "move 1 from a to 3 because it is small")["why"] == "it is small"


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("hello", Refused("locate", "no line begins with `move`", None)),
        ("So\nmove x", Refused("parse", "expected a disk after `move`, found `x`", 8)),
        ("move 1 from a", Refused("parse", "expected `to` after `a`, found the end of the reply", 13)),
        ("move 1 from c to 3", Refused("parse", "expected one of `a`, `b`, found `c` (in `peg`)", 12)),
        ("move 9 from a to 3", Refused("type", "disk: expected a disk (int in 1..3), found 9", 5)),
        ("move 1 from a to 3 \ud800", Refused("parse", "half of a surrogate pair is not a character", 19)),
    ],
)
def test_refusals_are_explained(text: str, refused: Refused) -> None:
    found = read(MOVES, text)
    assert isinstance(found, Refused)
    assert (found.stage, found.offset) == (refused.stage, refused.offset)
    assert found.message == refused.message


def test_a_value_is_rendered_by_the_grammar() -> None:
    format = reply_format(MOVES)
    value = {"disk": 2, "peg": "b", "target": [1, 22, 333], "why": "so"}
    assert format.render(value) == "move 2 from b to 1 to 22 to 333 because so"
    assert read(MOVES, format.example) == {"disk": 1, "peg": "a", "target": [1, 2], "why": "words"}
    with pytest.raises(ValueRefused):
        format.render({**value, "why": "NOT IN THE GRAMMAR"})


def test_fields_that_contradict_one_another_are_told() -> None:
    whole = r"""
      start: call
      call: name "(" ")"
      name: /[a-z]+/
    """
    members = (Member("call", StringType()), Member("name", StringType()))
    format = reply_format(LarkGrammar(whole, RecordType(members)), Place("whole"))
    assert format.render({"call": "f()", "name": "f"}) == "f()"
    with pytest.raises(ValueRefused, match=r'for this value: in that `call`, `name` is "f"$'):
        format.render({"call": "f()", "name": "g"})


def test_a_structured_field_may_cover_a_whole_list() -> None:
    notation = LarkGrammar(
        'start: "pegs" pegs\npegs: /.+/', RecordType((Member("pegs", ListType(ListType(DISK), 3, 3)),))
    )
    assert read(notation, "pegs [[1], [2], [3]]") == {"pegs": [[1], [2], [3]]}
    assert "expected" in read(notation, "pegs [[1], x]").message


@pytest.mark.timeout(60)
def test_regexes_of_a_grammar_do_not_backtrack() -> None:
    notation = LarkGrammar('start: "x" value\nvalue: /(a+)+b/', RecordType((Member("value", StringType()),)))
    assert not check_notation(notation)
    assert isinstance(read(notation, "x" + "a" * 40_000), Refused)


def test_the_line_break_at_the_end_may_be_asked_for() -> None:
    notation = LarkGrammar('start: ("-" value NL)+\nvalue: /[a-z]+/\nNL: /\\n/', one(ListType(StringType())))
    assert read(notation, "-a\n-b\n", Place("whole")) == {"value": ["a", "b"]}
    assert read(notation, "```\n-a\n-b\n```", Place("fenced")) == {"value": ["a", "b"]}
    assert read(notation, "-a-b", Place("whole")).offset == 2


def test_deep_replies_do_not_overflow() -> None:
    notation = LarkGrammar(
        'start: value\nvalue: nest\nnest: "(" nest ")" | "x"', RecordType((Member("value", StringType()),))
    )
    text = "(" * 20_000 + "x" + ")" * 20_000
    assert read(notation, text, Place("whole")) == {"value": text}


def test_characters_beyond_ascii_keep_their_places() -> None:
    notation = LarkGrammar(
        'start: "größe" value\nvalue: /[0-9]+/\n%ignore " "', RecordType((Member("value", IntType()),))
    )
    assert read(notation, "😀\ngröße 12") == {"value": 12}
    assert read(notation, "größe x").offset == 6


GRAMMARS = {
    "start: y": "MK411",
    "start: (((": "MK411",
    "%%%": "MK411",
    "": "MK411",
    "\x00": "MK411",
    "value: /x/": "MK411",
    'start: start "a" start | value\nvalue: "b"': "MK412",
    'start: a | b\na: value\nb: value\nvalue: "x"': "MK412",
    'start: "a" valu\nvalu: /[0-9]+/': "MK413",
    'start: "a"\nvalue: "y"': "MK414",
    "start: value\nvalue: /(?=x)y/": "MK415",
    'start: "\\ud800" value\nvalue: /y/': "MK415",
    'start: "\ud800" value\nvalue: /y/': "MK411",
    "start: value\nvalue: /(a)\\1/": "MK415",
    "%import python.NAME -> VALUE\nstart: VALUE": "MK415",
    "%import .secret.NAME -> VALUE\nstart: VALUE": "MK415",
    "start: value\nvalue: " + " ".join(f'"{c}"?' for c in "abcdefghijklmnopqrstuvwxyz"): "MK415",
    "start: VALUE\nVALUE: A A\n" + "\n".join(f"{a}: {b} {b}" for a, b in pairwise("ABCDEFGHIJKLMNOPQRSTUVWX")): "MK415",
    "start: VALUE\nVALUE: /x{1000}{1000}/": "MK415",
    "start: value{x}\nvalue{y}: y": "MK415",
    "%declare VALUE\nstart: VALUE": "MK415",
    "x" * 30_000: "MK415",
    "start: VALUE\nVALUE: /a*/": "MK416",
    'start: "a" value\n?value: "b" | "c"': "MK417",
    'start: "a" value\nvalue: "b" -> other': "MK417",
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("grammar", GRAMMARS)
def test_a_grammar_that_cannot_be_used_is_refused(grammar: str) -> None:
    found = check_notation(LarkGrammar(grammar, RecordType((Member("value", StringType()),))), Place("whole"))
    assert [problem.code for problem in found] == [GRAMMARS[grammar]]
    assert all(problem.title and problem.label for problem in found)


def remembering(count: int) -> str:
    """A short grammar, as unambiguous as one can be, whose table must remember any set of the words read so far."""
    numbers = range(count)
    rules = ["start: value s", "value: /[0-9]+/", "s: " + " | ".join(f"a{one}" for one in numbers)]
    for one in numbers:
        others = [f'"x{other}" a{one}' for other in numbers if other != one]
        rules.append(f"a{one}: " + " | ".join([*others, f'"x{one}" b{one}', f'"y{one}"']))
        rules.append(f"b{one}: " + " | ".join([*(f'"x{other}" b{one}' for other in numbers), f'"y{one}"']))
    return "\n".join(rules)


@pytest.mark.timeout(60)
@pytest.mark.parametrize(("count", "expected"), [(4, []), (8, ["MK415"]), (16, ["MK415"])])
def test_a_grammar_with_exponentially_many_states_is_refused(count: int, expected: list[str]) -> None:
    notation = LarkGrammar(remembering(count), one(StringType()))
    assert [problem.code for problem in check_notation(notation, Place("whole"))] == expected


def test_no_text_makes_checking_a_grammar_fail() -> None:
    source = random.Random(0)
    for _ in range(300):
        grammar = mutate(MOVES.text, source)
        notation = LarkGrammar(grammar, MOVES.type)
        if not check_notation(notation):
            reply_format(notation).read("move 1 from a to 3")


INT, LINE, TEXT, FLOAT = IntType(), StringType(raw="line"), StringType(raw="text"), FloatType()


@pytest.mark.parametrize(
    ("notation", "found"),
    [
        (text("a ", ("x", INT), " ", ("y", INT)), []),
        (text("a ", ("x", INT), ("y", INT)), [("MK401", 2)]),
        (text("a ", ("x", LINE), " b"), [("MK402", 1)]),
        (text("a ", ("x", LINE), "\nb"), []),
        (text("a ", ("x", TEXT), "\nb"), []),
        (text("a ", ("x", TEXT), " b"), [("MK403", 1)]),
        (text("a ", ("x", TEXT), "\n", ("y", INT)), [("MK403", 1)]),
        (text("a ", ("x", TEXT), ("y", TEXT)), [("MK403", 1)]),
        (text("a ", ("x", INT), "px"), []),
        (text("a ", ("x", INT), "5"), [("MK405", 1)]),
        (text("a ", ("x", FLOAT), "."), []),
        (text("a ", ("x", FLOAT), ".", ("y", INT)), [("MK405", 1)]),
        (text("a ", ("x", INT), ".", ("y", INT)), []),
        (text("a ", ("x", EnumType(("up", "up-to"))), "-", ("y", INT)), [("MK405", 1)]),
        (text("a ", ("x", INT), "\na ", ("y", INT)), [("MK407", 2)]),
        (text("a = ", ("x", INT), "\na : ", ("y", INT)), []),
        (text("[ ", ("x", INT), "\n", ("y", ListType(INT))), [("MK407", 3)]),
        (text(("x", INT), "\n", ("y", TEXT)), [("MK407", 2)]),
        (text("```\n", ("x", INT), "\n```"), [("MK406", 0), ("MK406", 2)]),
    ],
)
def test_formats_that_can_be_read_in_two_ways_are_found(notation: FormatText, found: list[tuple[str, int]]) -> None:
    assert [(problem.code, problem.piece) for problem in check_notation(notation)] == found


def test_a_tag_has_a_plain_name() -> None:
    notation = text("a ", ("x", INT))
    assert [problem.code for problem in check_notation(notation, Place("tag", "<a>"))] == ["MK408"]
    assert not check_notation(notation, Place("tag", "a"))
