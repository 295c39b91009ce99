"""How many tokens a right reply may have: no rendered reply has more, whatever counts its tokens."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reply_strategies import notations, text
from type_strategies import values

from maker_dsl.api import loads
from maker_dsl.judging import Flag, Vote, judge
from maker_dsl.replies.format import reply_format
from maker_dsl.replies.longest import REASONING_TOKENS, longest_tokens
from maker_dsl.replies.notation import JsonObject, LarkGrammar, Notation, Place
from maker_dsl.task import RawReply
from maker_dsl.types.errors import ValueRefused
from maker_dsl.types.type import EnumType, IntType, ListType, Member, OptionalType, RecordType, StringType

DIGIT = IntType(0, 9)
WHOLE = Place("whole")


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_no_right_reply_has_more_bytes_than_its_tokens_may_be(data: st.DataObject) -> None:
    notation, place = data.draw(notations())
    most = longest_tokens(notation, place)
    format = reply_format(notation, place)
    assert format.longest_tokens == most
    if most is None:
        return
    try:
        rendered = format.render(data.draw(values(format.type)))
    except ValueRefused:
        return
    reasoning = 0 if place.kind == "whole" else REASONING_TOKENS
    assert len(rendered.encode()) + reasoning < most


def bound(notation: Notation) -> int | None:
    return longest_tokens(notation, WHOLE)


def one(type: object) -> RecordType:
    return RecordType((Member("a", type),))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("notation", "length"),
    [
        (text("next = ", ("a", DIGIT)), len("next = 9")),
        (text(("a", EnumType(("x", "two words"))), "!"), len('"two words"!')),
        (text(("a", StringType(max_length=5, raw="line"))), 20),
        (text(("a", OptionalType(DIGIT))), len("null")),
        (LarkGrammar('start: "a=" a\na: DIGITS\nDIGITS: /[0-9]{1,3}/', one(IntType())), 2 + 4 * 3),
        (LarkGrammar('start: "a=" a\na: DIGITS\nDIGITS: /[0-9]+/', one(DIGIT)), 3),
        (LarkGrammar('start: "a=" a b?\na: "x" | "yy"\nb: "!"', one(StringType())), 5),
    ],
)
def test_the_bound_is_that_of_types_and_grammar(notation: Notation, length: int) -> None:
    assert bound(notation) == length + length // 2 + 16


@pytest.mark.parametrize(
    "notation",
    [
        text("next = ", ("a", IntType())),
        text(("a", DIGIT), ("b", StringType(raw="text"))),
        JsonObject(one(ListType(DIGIT))),
        LarkGrammar('start: "a=" a\na: /[0-9]+/', one(IntType())),
        LarkGrammar("start: a+\na: /[0-9]/", one(ListType(DIGIT))),
        LarkGrammar('start: "(" start ")" | a\na: /[0-9]/', one(DIGIT)),
        JsonObject(one(ListType(DIGIT, 0, 10**9))),
    ],
)
def test_a_reply_of_any_length_has_no_bound(notation: Notation) -> None:
    assert bound(notation) is None


TASK = """
task t {
  state { n: int in 0..99 = 9 }
  done when n == 0
  step {
    prompt "{{ n }} {{ reply.format }}"
    reply "next = {value: int in 0..99}" WHERE
    rule "goes down": reply.value == n - 1
    CHECK
    update { n = reply.value }
  }
}
"""


def verdict(reply: str, tokens: int, where: str = "", check: str = "") -> Vote | Flag:
    task = loads(TASK.replace("WHERE", where).replace("CHECK", check))
    (step,) = task.steps
    return judge(task, step, task.initial_state, {}, RawReply(reply, tokens, "stop"))


def test_a_reply_that_is_longer_than_any_right_one_is_flagged() -> None:
    long = verdict("well " * 900 + "\nnext = 8", 904)
    assert isinstance(long, Flag)
    assert (long.stage, long.name) == ("finish", "overlong")
    assert "779 tokens" in long.detail
    assert isinstance(verdict("well " * 700 + "\nnext = 8", 704), Vote)


def test_hidden_thinking_does_not_make_a_reply_too_long() -> None:
    assert isinstance(verdict("next = 8", 5_000), Vote)
    assert isinstance(verdict("next = 8", 5_000, "whole"), Vote)


def test_where_nothing_may_come_before_there_is_no_room_for_reasoning() -> None:
    padded = "next =" + " " * 40 + "8"
    assert isinstance(verdict(padded, 20, "whole"), Vote)
    flag = verdict(padded, 40, "whole")
    assert isinstance(flag, Flag)
    assert flag.name == "overlong"


def test_a_flag_of_the_tasks_own_goes_instead() -> None:
    assert isinstance(verdict("well " * 900 + "\nnext = 8", 904, check='flag "long": reply.tokens > 2000'), Vote)
    short = verdict("well well\nnext = 8", 5, check='flag "long": reply.tokens > 4')
    assert isinstance(short, Flag)
    assert short.name == "long"
    through_let = 'let length = reply.tokens\nflag "long": length > 2000'
    assert isinstance(verdict("well " * 900 + "\nnext = 8", 904, check=through_let), Vote)


@pytest.mark.parametrize(("where", "most"), [("whole", 29), ("", 779), ("fenced", 791), ('in tag "answer"', 808)])
def test_the_room_of_a_reply_goes_by_where_it_stands(where: str, most: int) -> None:
    (step,) = loads(TASK.replace("WHERE", where).replace("CHECK", "")).steps
    assert step.max_tokens == step.overlong_above == most
