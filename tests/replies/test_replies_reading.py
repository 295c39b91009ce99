"""What a format accepts, where it looks, and what it says when it refuses."""

from __future__ import annotations

import random
from datetime import date
from decimal import Decimal

import pytest
from reply_strategies import DISK, MOVE, check_agreement, mutate, text

from maker_dsl.replies.checks import check_notation
from maker_dsl.replies.format import GeneratedFormat, reply_format
from maker_dsl.replies.notation import FormatText, HoleSpec, JsonObject, LarkGrammar, Place
from maker_dsl.replies.sampling import corrupt, perturb
from maker_dsl.task import Parsed, Refused
from maker_dsl.types.errors import ValueRefused
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

PEGS = ListType(ListType(DISK), 3, 3, alias="Pegs")
LINE = StringType(raw="line")
TEXT = StringType(raw="text")
HANOI = FormatText(("move = ", HoleSpec("move", MOVE), "\nnext_state = ", HoleSpec("pegs", PEGS)))
GOOD = "move = [1, 0, 2]\nnext_state = [[3, 2], [], [1]]"


def value(notation: FormatText | JsonObject | LarkGrammar, reply: str, place: Place | None = None) -> object:
    read = reply_format(notation, place or Place("end")).read(reply)
    assert isinstance(read, Parsed), read
    return read.value


def refusal(notation: FormatText | JsonObject | LarkGrammar, reply: str, place: Place | None = None) -> Refused:
    read = reply_format(notation, place or Place("end")).read(reply)
    assert isinstance(read, Refused), read
    return read


@pytest.mark.parametrize(
    "reply",
    [
        GOOD,
        "move=[1,0,2]\nnext_state=[[3,2],[],[1]]",
        "move  =\t[ 1,0 , 2 ]  \r\n  next_state = [\n  [3, 2],\n  [],\n  [1]\n]\n\n",
        "Let me think.\nmove = [2, 0, 1] would be wrong, so:\n" + GOOD,
        "```\n" + GOOD + "\n```",
        "Reasons.\n```text\n" + GOOD + "\n```\n\n",
    ],
)
def test_white_space_between_tokens_is_free(reply: str) -> None:
    assert value(HANOI, reply) == {"move": (1, 0, 2), "pegs": [[3, 2], [], [1]]}


@pytest.mark.parametrize(
    ("reply", "stage", "message", "offset"),
    [
        ("", "locate", "the reply is empty", 0),
        ("I don't know.", "locate", "no line begins with `move =`", None),
        ("The move = [1, 0, 2]", "locate", "no line begins with `move =`", None),
        ("move = [x, 0, 2]", "parse", "expected a disk after `[`, found `x`", 8),
        ("move = [1, 0]", "parse", "expected `,` after `0`, found `]`", 12),
        ("move = [1.0, 0, 2]", "parse", "expected `,` after `1`, found `.`", 9),
        ("move = [01, 0, 2]", "parse", "expected `,` after `0`, found `1`", 9),
        (GOOD.replace("\n", " "), "parse", "expected a new line after `]`, found `next_state`", 17),
        (GOOD + " Done.", "parse", "expected the end of the reply after `]`, found `Done`", 48),
        (GOOD + "\n```", "parse", "expected the end of the reply after `]`, found a backtick", 48),
        (GOOD[:-1], "parse", "expected `,` or `]` after `]`, found the end of the reply", 46),
        (GOOD.replace("[1, 0, 2]", "[9, 0, 2]"), "type", "move.disk: expected a disk (int in 1..3), found 9", 7),
        (GOOD.replace(", []", ""), "type", "pegs: expected pegs (list[list[Disk]] of 3), found 2 items", 30),
        (GOOD.replace("3", "9" * 5000), "type", "the number `99999999999999999999…` has too many digits", 32),
        (GOOD + "\n" + GOOD[:20], "parse", "expected `next_state` after the line break, found `nex`", 65),
        ("x" * 1_000_001, "locate", "the reply is longer than 1,000,000 characters", 1_000_000),
    ],
)
def test_a_refusal_says_what_was_expected_where(reply: str, stage: str, message: str, offset: int | None) -> None:
    assert refusal(HANOI, reply) == Refused(stage, message, offset)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("type", "written", "typed"),
    [
        (IntType(), "-12", -12),
        (FloatType(), "1", 1.0),
        (FloatType(), "-1.5e3", -1500.0),
        (DecimalType(), "0.10", Decimal("0.1")),
        (DecimalType(), "1E+2", Decimal(100)),
        (BoolType(), "true", True),
        (DateType(), "2026-11-23", date(2026, 11, 23)),
        (EnumType(("debit", "credit")), "credit", "credit"),
        (EnumType(("a", "two words")), '"two words"', "two words"),
        (OptionalType(IntType()), "null", None),
        (OptionalType(EnumType(("null",))), '"null"', "null"),
        (StringType(), '"a \\"b\\" \\u00e9"', 'a "b" é'),
        (LINE, "raw, 'as it is'", "raw, 'as it is'"),
        (TEXT, "two\n\nlines", "two\n\nlines"),
        (ListType(EnumType(("a", "b"))), '["a", "b"]', ["a", "b"]),
        (MapType(DateType()), '{"x": "2026-11-23"}', {"x": date(2026, 11, 23)}),
        (TupleType((Member("a", IntType()), Member("b", DecimalType()))), "[1, 1.50]", (1, Decimal("1.5"))),
        (RecordType((Member("a", IntType()), Member("b", OptionalType(IntType())))), '{"a": 1}', {"a": 1, "b": None}),
    ],
)
def test_each_type_has_its_notation_in_a_hole(type: Type, written: str, typed: object) -> None:
    assert value(text("x = ", ("x", type)), f"x = {written}") == {"x": typed}


@pytest.mark.parametrize(
    ("type", "written", "message"),
    [
        (IntType(), "+1", "expected a x (an int) after `=`, found `+`"),
        (BoolType(), "True", "expected a x (`true` or `false`) after `=`, found `True`"),
        (FloatType(), ".5", "expected a x (a number) after `=`, found `.`"),
        (EnumType(("debit", "credit")), '"debit"', 'expected one of `debit`, `credit` after `=`, found `"debit"`'),
        (DateType(), "2026-02-30", "there is no day `2026-02-30`"),
        (StringType(), "bare", "expected a x (a string in quotes) after `=`, found `bare`"),
        (MapType(IntType()), '{"a": 1, "a": 2}', 'the key "a" occurs twice'),
        (RecordType((Member("a", IntType()),)), "{}", 'the member `"a"` is missing'),
        (RecordType((Member("a", IntType()),)), '{"b": 1}', 'expected `"a"` or `}` after `{`, found `"b"`'),
        (FloatType(), "1e999", "the number `1e999` is too large"),
        (StringType(), '"\\ud800"', "x: the string has half of a surrogate pair, which is no character"),
    ],
)
def test_other_spellings_are_refused(type: Type, written: str, message: str) -> None:
    assert refusal(text("x = ", ("x", type)), f"x = {written}").message == message


def test_a_text_ends_before_the_line_that_goes_on() -> None:
    notation = text("why: ", ("why", TEXT), "\nnext = ", ("n", IntType()))
    assert value(notation, "why: because\nof next = 3\n\n  next = 4") == {"why": "because\nof next = 3", "n": 4}
    assert refusal(notation, "why: a\nnext = 1\nnext = 2").message.startswith("expected the end of the reply")


def test_the_last_start_counts_even_if_an_earlier_one_would_do() -> None:
    assert refusal(HANOI, GOOD + "\nmove = later").stage == "parse"


def test_a_format_that_begins_with_a_hole_is_the_last_lines() -> None:
    notation = text(("a", IntType()), " of ", ("b", IntType()))
    assert value(notation, "Some words.\n3 of 4\n") == {"a": 3, "b": 4}
    assert refusal(notation, "3 of 4\nbye").stage == "parse"


def test_fenced_reads_the_last_block() -> None:
    place = Place("fenced")
    notation = text("n = ", ("n", IntType()))
    assert value(notation, "```\nn = 1\n```\nso\n```text\nn = 2\n```\nDone.", place) == {"n": 2}
    assert refusal(notation, "n = 1", place).message == "there is no fenced block (between lines of ```)"
    assert refusal(notation, "```\nn = 1", place).message == "the last fenced block is not closed"
    assert refusal(notation, "```\nn = 1\n```\n```\n\n```", place).message == "the last fenced block is empty"


def test_a_tag_is_looked_for_from_the_end() -> None:
    place = Place("tag", "answer")
    notation = text("n = ", ("n", IntType()))
    assert value(notation, "<answer>n = 1</answer> no: <answer>\nn = 2\n</answer> ok", place) == {"n": 2}
    assert refusal(notation, "n = 1", place).message == "there is no `<answer>`"
    assert refusal(notation, "<answer>n = 1", place) == Refused("locate", "`<answer>` without its `</answer>`", 0)


def test_whole_allows_nothing_else() -> None:
    notation = text("n = ", ("n", IntType()))
    assert value(notation, "\n n = 1 \n", Place("whole")) == {"n": 1}
    assert refusal(notation, "So:\nn = 1", Place("whole")).stage == "parse"


def test_a_json_object_has_its_members_in_any_order() -> None:
    notation = JsonObject(RecordType((Member("a", IntType()), Member("b", OptionalType(ListType(IntType()))))))
    assert value(notation, 'So:\n{\n  "b": [\n1],\n  "a": 1\n}') == {"a": 1, "b": [1]}
    assert value(notation, '{"a": 0}\n{"a": 1}') == {"a": 1, "b": None}
    assert refusal(notation, '{"a": 1, "a": 2}').message == 'the key "a" occurs twice'
    assert refusal(notation, '{"a": 1, "c": 2}').message == 'expected `"a"` or `"b"` after `,`, found `"c"`'
    assert refusal(notation, '{"b": null}').message == 'the member `"a"` is missing'
    assert refusal(notation, '{"a": 1.0}').message == "expected `,` or `}` after `1`, found `.`"


def test_a_nested_object_at_the_start_of_a_line_is_not_the_reply() -> None:
    item = RecordType((Member("a", IntType()),))
    notation = JsonObject(RecordType((Member("items", ListType(item)),)))
    assert value(notation, '{"items": [\n{"a": 1},\n{"a": 2}\n]}') == {"items": [{"a": 1}, {"a": 2}]}


def test_a_value_that_cannot_be_written_is_refused() -> None:
    notation = text("why: ", ("why", TEXT), "\nnext = ", ("n", IntType()))
    with pytest.raises(ValueRefused):
        reply_format(notation).render({"why": "a\nnext = 3", "n": 1})
    with pytest.raises(ValueRefused):
        reply_format(text("s ", ("s", StringType())), Place("tag", "x")).render({"s": "</x>"})
    with pytest.raises(ValueRefused):
        reply_format(HANOI).render({"move": (9, 0, 2), "pegs": [[], [], []]})


def test_a_huge_type_has_no_example() -> None:
    huge: Type = IntType()
    for _ in range(6):
        huge = ListType(huge, 1000, 1000)
    assert reply_format(text("x = ", ("x", huge))).example == ""


def test_other_white_space_is_exact() -> None:
    notation = text("a\u00a0b ", ("x", IntType()))
    assert value(notation, "a\u00a0b 1") == {"x": 1}
    assert refusal(notation, "a b 1").stage == "locate"


def test_odd_signs_in_a_format_are_taken_as_they_are() -> None:
    source = random.Random(1)
    signs = "\\/\"'#~^$.|?*+()[]{}<>@&%!é😀_a1-u0n \n\u00a0\u2028`:;=,x"
    for _ in range(60):
        before, after = ("".join(source.choice(signs) for _ in range(5)) for _ in range(2))
        notation = text(before, ("x", IntType()), after)
        if not check_notation(notation):
            format = reply_format(notation)
            assert isinstance(format, GeneratedFormat)
            reply = format.render({"x": -3})
            assert isinstance(format.read(reply), Parsed), (notation, reply)
            check_agreement(format, reply)
            check_agreement(format, mutate(reply, source))


HOSTILE = ["[", "{", '"', '\\"', "```\n", "\n", " ", "move = ", "move =\n", '{"a":', "[1,", "9", "\ud800", "\r", "<a>"]


@pytest.mark.parametrize("fragment", HOSTILE)
@pytest.mark.parametrize("before", ["", "move = ", "move = [", '{"a": '])
def test_hostile_replies_are_read_in_linear_time(fragment: str, before: str) -> None:
    reply = before + fragment * (200_000 // len(fragment))
    notation = JsonObject(RecordType((Member("a", ListType(StringType())),)))
    assert isinstance(reply_format(HANOI).read(reply), Refused)
    for place in (Place("end"), Place("whole"), Place("fenced"), Place("tag", "a")):
        assert isinstance(reply_format(notation, place).read(reply), Refused)


def test_sampling_breaks_and_changes_deterministically() -> None:
    format = reply_format(HANOI)
    good = {"move": (1, 0, 2), "pegs": [[3, 2], [], [1]]}
    broken = [corrupt(GOOD, random.Random(seed)) for seed in range(300)]
    assert broken == [corrupt(GOOD, random.Random(seed)) for seed in range(300)]
    refused = sum(isinstance(format.read(reply), Refused) for reply in broken)
    assert refused > 200
    near = [perturb(format.type, good, random.Random(seed)) for seed in range(300)]
    assert all(one != good for one in near)
    for one in near:
        format.render(one)


@pytest.mark.long
@pytest.mark.parametrize("number", range(8))
def test_100_000_mutated_replies_neither_crash_nor_hang(number: int) -> None:
    end, words = Place("end"), EnumType(("a", "a-b", "x y"))
    numbers = text("n = ", ("n", DecimalType()), "; ", ("d", DateType()))
    labels = text("x ", ("m", MapType(BoolType())), "\n- ", ("l", LINE))
    pegs = JsonObject(RecordType((Member("pegs", PEGS), Member("n", OptionalType(StringType())))))
    enums = JsonObject(RecordType((Member("e", EnumType(("a/b", "é"))), Member("d", DecimalType()))))
    notations: list[tuple[FormatText | JsonObject, Place, dict[str, object]]] = [
        (HANOI, Place("end"), {"move": (1, 0, 2), "pegs": [[3, 2], [], [1]]}),
        (HANOI, Place("fenced"), {"move": (1, 0, 2), "pegs": [[3, 2], [], [1]]}),
        (numbers, end, {"n": Decimal("1.5"), "d": "2026-11-23"}),
        (text("why: ", ("w", TEXT), "\nso ", ("e", words)), end, {"w": "a\nb", "e": "a-b"}),
        (text(("a", OptionalType(FloatType())), ", ", ("b", StringType())), end, {"a": 0.5, "b": 'q"\\é'}),
        (labels, Place("tag", "t"), {"m": {"k": True}, "l": "a b"}),
        (pegs, end, {"pegs": [[3], [], [1]], "n": "é"}),
        (enums, Place("whole"), {"e": "é", "d": 1}),
    ]
    notation, place, good = notations[number]
    format = reply_format(notation, place)
    assert isinstance(format, GeneratedFormat)
    reply = format.render(good)
    source = random.Random(number)
    for _ in range(12_500):
        check_agreement(format, mutate(reply, source))
