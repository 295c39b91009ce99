"""What the mutation check finds: the rules that are missing, and nothing where none is."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import pytest

from maker_dsl.diagnostics import Source
from maker_dsl.judging import Vote, judge
from maker_dsl.language import Program, check_text, load
from maker_dsl.mutation.cases import Case, collect_cases
from maker_dsl.mutation.survey import BY_THE_FORM, CASE_SECONDS, Survey, survey
from maker_dsl.task import RawReply
from maker_dsl.tokens import estimate_tokens
from maker_dsl.types.errors import ValueRefused

ORDER = """
task order {{
  type Line = {{ item: string up to 20, pieces: int in 1..99 }}
  state {{ lines: list[Line] = []; note: string = ""; n: int = 0 }}
  done when n == 5
  step {{
    prompt "List it. {{{{ n }}}} {{{{ lines }}}} {{{{ reply.format }}}}"
    reply json {{ lines: list[Line], urgent: bool, note: string }}
    {rules}
    update {{ lines = reply.lines; note = {note}; n = n + 1 }}
    {vote}
  }}
  reference {{ lines = [{{ item: "tea", pieces: 2 }}, {{ item: "cup", pieces: 1 }}]; urgent = false; note = "n" }}
}}
"""
SAME_ITEMS = 'rule "the items": [line.item for line in reply.lines] == ["tea", "cup"]'
SAME_PIECES = 'rule "the pieces": [line.pieces for line in reply.lines] == [2, 1]'
NOT_URGENT = 'rule "not urgent": not reply.urgent'
NOTE = 'rule "the note": reply.note == "n"'


def program(text: str) -> Program:
    checked = check_text(Source("order.maker", text))
    assert checked.program is not None, [one.title for one in checked.diagnostics]
    return checked.program


def cases(one: Program, seed: int = 0) -> list[Case]:
    return collect_cases(one.bind(), one.tests, seed).cases


def order(*rules: str, note: str = "reply.note", vote: str = "") -> Survey:
    return survey(cases(program(ORDER.format(rules="\n    ".join(rules), note=note, vote=vote))), 0, lambda: 0.0)


def leaks(found: Survey) -> set[tuple[str, str]]:
    return {(group.kind, group.field) for group in found.leaks}


def test_strong_rules_let_nothing_through() -> None:
    found = order(SAME_ITEMS, SAME_PIECES, NOT_URGENT, NOTE)
    assert leaks(found) == set()
    assert found.share_caught == 1.0
    assert found.tried > 50
    assert found.caught_by["the items"] > 0
    assert found.caught_by[BY_THE_FORM] > 0


@pytest.mark.parametrize(
    ("without", "expected"),
    [
        (SAME_PIECES, {("off by one", "lines[].pieces")}),
        (NOT_URGENT, {("other value", "urgent")}),
        (NOTE, {("empty", "note")}),
        (SAME_ITEMS, {("empty", "lines[].item"), ("truncate", "lines[].item")}),
    ],
)
def test_a_missing_rule_shows_in_its_field(without: str, expected: set[tuple[str, str]]) -> None:
    rules = [rule for rule in (SAME_ITEMS, SAME_PIECES, NOT_URGENT, NOTE) if rule != without]
    assert leaks(order(*rules)) == expected


def test_without_any_rule_every_kind_gets_through() -> None:
    found = order()
    assert {kind for kind, _ in leaks(found)} == {
        "drop",
        "duplicate",
        "swap",
        "empty",
        "off by one",
        "other value",
        "truncate",
    }
    example = next(group.example for group in found.leaks if (group.kind, group.field) == ("drop", "lines"))
    assert example is not None
    assert (len(example.right["lines"]), len(example.value["lines"]), len(example.state["lines"])) == (2, 1, 1)
    assert not example.is_harmless


def test_what_leads_to_the_same_state_is_told_apart() -> None:
    found = order(SAME_ITEMS, SAME_PIECES, NOT_URGENT, note='"fixed"')
    assert leaks(found) == {("empty", "note")}
    assert all(group.example is not None and group.example.is_harmless for group in found.leaks)


def test_what_votes_as_the_right_reply_does_is_no_corruption() -> None:
    narrow = order(SAME_ITEMS, SAME_PIECES, NOT_URGENT, note='"fixed"', vote="vote { on lines }")
    assert leaks(narrow) == set()
    assert "note" not in {group.field for group in narrow.groups.values()}


def test_a_seed_gives_the_same_survey() -> None:
    one, other = order(), order()
    assert one.groups.keys() == other.groups.keys()
    assert [group.passed for group in one.leaks] == [group.passed for group in other.leaks]


def test_a_case_that_takes_too_long_is_cut_short_with_a_note() -> None:
    ticks = count(0.0, CASE_SECONDS / 4)
    some = cases(program(ORDER.format(rules="", note="reply.note", vote="")))[:1]
    found = survey(some, 0, lambda: next(ticks))
    assert found.notes == [
        f"the reference at step 1: only 4 of {n} corruptions were tried in 10 s"
        for n in [int(found.notes[0].split(" of ")[1].split()[0])]
    ]
    assert 0 < found.tried <= 4


def test_every_example_really_passes_the_judgement() -> None:
    task = program(ORDER.format(rules="", note="reply.note", vote="")).bind()
    step = task.step("step")
    found = order()
    for group in found.leaks:
        example = group.example
        assert example is not None
        raw = RawReply(example.text, estimate_tokens(example.text), "stop")
        verdict = judge(task, step, task.initial_state, step.state_locals(task.initial_state), raw)
        assert isinstance(verdict, Vote)
        assert (verdict.value, verdict.value == example.right) == (example.value, False)


@pytest.mark.parametrize(
    "name", ["blocks_world", "checker_jumping", "checkout", "countdown", "hanoi", "river_crossing"]
)
def test_the_rules_of_a_bundled_task_catch_every_corruption(name: str) -> None:
    one = load(name).program
    assert one is not None
    found = survey(cases(one), 0, lambda: 0.0)
    assert leaks(found) == set()
    assert found.tried > 50


def test_the_tests_replies_keep_what_stands_around_them() -> None:
    one = load("checkout").program
    assert one is not None
    tagged = next(case for case in cases(one) if "<answer>" in case.text and case.is_from_test)
    found = survey([tagged], 0, lambda: 0.0)
    assert found.groups["ship", "other value", "kind"].tried == 2
    assert found.caught_by["the pieces fit"] == 2


def test_the_reference_is_followed_through_every_kind_of_step() -> None:
    one = load("checkout").program
    assert one is not None
    walked = collect_cases(one.bind(), (), 0).cases
    assert [case.step.name for case in walked] == ["price_line", "price_line", "price_line", "ship", "pay", "confirm"]
    long = load("countdown").program
    assert long is not None
    far = collect_cases(long.bind({"start": 100_000}), (), 0).cases
    assert len(far) == 12
    assert far[0].origin == "the reference at step 1"


def test_a_way_that_ends_early_is_told_with_its_reason() -> None:
    refused = ORDER.format(rules='rule "soon": n < 2', note="reply.note", vote="")
    found = collect_cases(program(refused).bind(), (), 0)
    assert len(found.cases) == 2
    assert found.notes == ["the reference's way was followed up to step 3: its reply is refused for “soon”"]


def test_a_test_that_fails_is_left_out_with_a_note() -> None:
    failing = ORDER.format(rules=NOT_URGENT, note="reply.note", vote="").rstrip().removesuffix("}") + (
        'test "urgent" { reply """{"lines": [], "urgent": true, "note": ""}""" accept }\n}'
    )
    one = program(failing)
    found = collect_cases(one.bind(), one.tests, 0)
    assert found.notes == ['the test "urgent" was left out: it fails']
    assert not any(case.is_from_test for case in found.cases)


def test_a_plug_in_that_is_not_allowed_is_told() -> None:
    one = load("derivation").program
    assert one is not None
    found = collect_cases(one.bind(), one.tests, 0)
    assert found.unallowed is not None
    assert "`algebra`" in found.unallowed.title


TAGGED = """
task tagged {
  state { name: string = "" }
  done when name != ""
  step {
    prompt "Who? {{ reply.format }}"
    reply "{name: line}" in tag "answer"
    rule "it is Ann": reply.name == "Ann"
    update { name = reply.name }
  }
  test "Ann" { reply "<answer>Ann</answer>" accept }
}
"""


def test_what_no_text_can_say_is_left_out_with_a_note() -> None:
    (case,) = cases(program(TAGGED))
    format = case.step.reply

    class Wordless:
        type = format.type
        read = staticmethod(format.read)

        @staticmethod
        def render(value: dict[str, str]) -> str:
            if value["name"] == "An":
                raise ValueRefused("", "no text of the grammar was found for this value")
            return format.render(value)

    found = survey([replace(case, step=replace(case.step, reply=Wordless()))], 0, lambda: 0.0)
    assert found.notes == ['the test "Ann": left out, since no text of the form was found for them: 1']
    assert found.groups["step", "truncate", "name"].tried == 1


def test_a_value_that_can_not_be_written_again_is_corrupted_as_text() -> None:
    one = load("countdown").program
    assert one is not None
    case = cases(one)[0]
    format = case.step.reply

    class Unwritable:
        type = format.type
        read = staticmethod(format.read)

        @staticmethod
        def render(value: object) -> str:
            raise ValueRefused("", "no text of the grammar was found for this value")

    found = survey([replace(case, step=replace(case.step, reply=Unwritable()))], 0, lambda: 0.0)
    assert found.notes == [f"{case.origin}: its value can't be written again, so only its text was corrupted"]
    assert found.groups["step", "off by one", "the text"].tried == 2
