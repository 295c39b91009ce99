"""Programs: compiled once, bound to inputs; wrong inputs are refused with findings."""

from __future__ import annotations

from decimal import Decimal

import pytest

from maker_dsl.diagnostics import Source
from maker_dsl.expressions.errors import EvaluationError
from maker_dsl.expressions.fuel import shared_fuel, spend
from maker_dsl.judging import Flag, Vote, judge
from maker_dsl.language import InputRefused, Program, check_text
from maker_dsl.task import RawReply, Task, TaskError, VoteSettings
from maker_dsl.testing import failed_tests, run_test

TEXT = """
task adder {
  input first: int in 1..9
  input most: int in first.. = first * 2
  input note: string = "x"
  input kind: "plain" | "fancy" = "plain"
  input share: decimal? = null
  type Small = int in 0..most
  state { n: Small = first; sum: decimal = share ?? 1.5; seen: list[Small] = [] }
  invariant "seen grows": len(seen) <= 3
  done when n == 0
  result { sum = sum; words = [note, kind] }
  expect first steps
  step big when n > 5 {
    let left = most - n
    let change = n - reply.value
    prompt "{{ n }} {{ left }} {{ reply.format }}"
    reply "next = {value: Small}"
    flag "long": reply.tokens > 50
    rule "changes": change != 0
    update { n = reply.value; seen = seen + [n]; sum = sum + change }
    vote { ahead by 2 }
  }
  step small {
    prompt "{{ n }} {{ reply.format }}"
    reply json { value: int, why: string? }
    update { n = reply.value; sum = 10 // reply.value }
  }
  vote { ahead by 4; at most 40 samples; temperature 0 then 0.5; on value }
  reference big { value = n - 1; mistake { value = n - 2 } }
}
"""


@pytest.fixture(scope="module")
def program() -> Program:
    checked = check_text(Source("adder.maker", TEXT))
    assert checked.program is not None, checked.diagnostics
    return checked.program


def judged(task: Task, step: str, state: dict[str, object], text: str, tokens: int = 1) -> Vote | Flag:
    chosen = task.step(step)
    return judge(task, chosen, state, chosen.state_locals(state), RawReply(text, tokens, "stop"))


def test_inputs_are_described(program: Program) -> None:
    assert [(one.name, one.is_required, one.default) for one in program.inputs] == [
        ("first", True, None),
        ("most", False, "first * 2"),
        ("note", False, '"x"'),
        ("kind", False, '"plain"'),
        ("share", False, "null"),
    ]


def test_defaults_see_earlier_inputs(program: Program) -> None:
    task = program.bind({"first": 4})
    assert task.inputs == {"first": 4, "most": 8, "note": "x", "kind": "plain", "share": None}
    assert task.initial_state == {"n": 4, "sum": Decimal("1.5"), "seen": []}
    assert task.expected_steps == 4


def test_inputs_are_read_from_texts_by_type(program: Program) -> None:
    texts = {"first": "7", "note": "12", "kind": "fancy", "share": "0.10"}
    task = program.bind(program.read_inputs(texts))
    assert task.inputs == {"first": 7, "most": 14, "note": "12", "kind": "fancy", "share": Decimal("0.10")}
    assert program.read_inputs({"share": "null"}) == {"share": None}


@pytest.mark.parametrize(
    ("inputs", "code"),
    [
        ({}, "MK651"),
        ({"first": 3, "frist": 1}, "MK650"),
        ({"first": 0}, "MK652"),
        ({"first": 3, "most": 2}, "MK652"),
        ({"first": "three"}, "MK652"),
        ({"first": True}, "MK652"),
        ({"first": 3, "kind": "plian"}, "MK652"),
        ({"first": object()}, "MK652"),
        ({"first": 10**5000}, "MK652"),
    ],
)
def test_wrong_inputs_are_refused(program: Program, inputs: dict[str, object], code: str) -> None:
    with pytest.raises(InputRefused) as caught:
        program.bind(inputs)
    assert [one.code for one in caught.value.diagnostics] == [code]


def test_a_misspelt_input_is_met_with_its_name(program: Program) -> None:
    with pytest.raises(InputRefused) as caught:
        program.bind({"first": 3, "frist": 1})
    assert caught.value.diagnostics[0].help == "did you mean `first`?"


def test_texts_that_are_no_json_are_refused_by_the_type(program: Program) -> None:
    for text in ("NaN", "1e999", "[", "{", "0x10", "", "[" * 10_000):
        with pytest.raises(InputRefused):
            program.bind(program.read_inputs({"first": text}))


def test_a_step_votes_by_its_settings_over_the_tasks(program: Program) -> None:
    task = program.bind({"first": 3})
    assert task.step("big").vote == VoteSettings(2, 40, 0.0, 0.5)
    assert task.step("small").vote == VoteSettings(4, 40, 0.0, 0.5)


def test_votes_are_cast_on_what_is_named(program: Program) -> None:
    task = program.bind({"first": 3})
    state = task.initial_state
    one = judged(task, "small", state, '{"value": 2, "why": "a"}')
    other = judged(task, "small", state, '{"value": 2, "why": null}')
    third = judged(task, "small", state, '{"value": 1}')
    assert isinstance(one, Vote)
    assert isinstance(other, Vote)
    assert isinstance(third, Vote)
    assert one.key == other.key == "2"
    assert third.key == "1"


def test_all_of_a_state_is_assigned_at_once(program: Program) -> None:
    task = program.bind({"first": 8})
    verdict = judged(task, "big", task.initial_state, "next = 6")
    assert isinstance(verdict, Vote)
    assert verdict.state == {"n": 6, "sum": Decimal("3.5"), "seen": [8]}
    assert task.initial_state["seen"] == []


@pytest.mark.parametrize(
    ("text", "tokens", "name"),
    [
        ("next = 8", 1, "changes"),
        ("next = 6", 51, "long"),
        ("next = 99", 1, "out of range"),
        ("nothing", 1, "missing"),
    ],
)
def test_the_first_that_fails_names_the_flag(program: Program, text: str, tokens: int, name: str) -> None:
    task = program.bind({"first": 8})
    verdict = judged(task, "big", task.initial_state, text, tokens)
    assert isinstance(verdict, Flag)
    assert verdict.name == name


def test_what_a_reply_makes_impossible_flags_the_reply(program: Program) -> None:
    task = program.bind({"first": 3})
    verdict = judged(task, "small", task.initial_state, '{"value": 0}')
    assert isinstance(verdict, Flag)
    assert (verdict.stage, verdict.name) == ("update", "error")
    broken = {"n": 8, "sum": Decimal(1), "seen": [1, 2, 3]}
    invariant = judged(program.bind({"first": 8}), "big", broken, "next = 6")
    assert isinstance(invariant, Flag)
    assert (invariant.stage, invariant.name) == ("invariant", "seen grows")


def test_steps_are_chosen_by_the_state(program: Program) -> None:
    task = program.bind({"first": 3})
    assert task.next_step({**task.initial_state, "n": 6}).name == "big"
    assert task.next_step(task.initial_state).name == "small"
    assert task.is_done({**task.initial_state, "n": 0})


def test_the_result_has_its_own_type(program: Program) -> None:
    task = program.bind({"first": 3})
    assert task.result_codec.dump(task.result(task.initial_state)) == b'{"sum":1.5,"words":["x","plain"]}'


def test_references_and_mistakes(program: Program) -> None:
    step = program.bind({"first": 3}).step("big")
    assert step.reference is not None
    assert step.reference({"n": 6, "sum": Decimal(1), "seen": []}) == {"value": 5}
    assert [wrong({"n": 6, "sum": Decimal(1), "seen": []}) for wrong in step.mistakes] == [{"value": 4}]


def test_no_step_for_a_state_is_an_error_of_the_task() -> None:
    text = """task t { state { n: int = 3 } done when n == 0
      step go when n > 2 { prompt "{{ n }}" reply "{value: int}" update { n = reply.value } } }"""
    checked = check_text(Source("t.maker", text))
    assert checked.program is not None
    with pytest.raises(TaskError) as caught:
        checked.program.bind().next_step({"n": 1})
    assert caught.value.diagnostic.code == "MK392"


def test_the_main_task_is_named_like_the_file() -> None:
    one = """task NAME { state { n: int = 3 } done when n == 0
      step { prompt "{{ n }}" reply "{value: int}" update { n = reply.value } } }
    """
    text = one.replace("NAME", "first") + one.replace("NAME", "second")
    first = check_text(Source("dir/other.maker", text))
    second = check_text(Source("dir/second.maker", text))
    assert first.program is not None
    assert first.program.name == "first"
    assert second.program is not None
    assert second.program.name == "second"
    assert [program.name for program in second.programs] == ["first", "second"]


def test_failing_tests_say_what_differed() -> None:
    text = """task t { state { n: int = 3 } done when n == 0
      step go when n > 1 { prompt "{{ n }}" reply "next = {value: int}"
        rule "down": reply.value < n  update { n = reply.value } }
      test "accepted" { reply "next = 2" reject }
      test "flagged" { reply "next = 4" accept }
      test "other reason" { reply "next = x" reject "down" }
      test "new state" { reply "next = 2" accept then n == 1 }
      test "no step" { given { n = 1 } reply "next = 0" accept }
      test "step" { given { n = 1 } step go reply "next = 0" accept }
      test "then fails" { reply "next = 0" accept then 6 // n == 3 }
      test "fine" { reply "next = 2" accept then n == 2 }
    }"""
    checked = check_text(Source("t.maker", text))
    assert checked.program is not None, checked.diagnostics
    outcomes = {test.name: run_test(test) for test in checked.program.tests}
    assert outcomes.pop("fine").passed
    assert not any(outcome.passed for outcome in outcomes.values())
    assert "was accepted, not rejected" in outcomes["accepted"].why
    assert 'rejected for "down"' in outcomes["flagged"].why
    assert 'not rejected for "down" but rejected for "malformed"' in outcomes["other reason"].why
    assert "line 1, column 8" in outcomes["other reason"].why
    assert outcomes["new state"].why == '`n == 1` does not hold of the new state {"n": 2}'
    assert "no step applies" in outcomes["no step"].why
    assert "does not apply" in outcomes["step"].why
    assert "division by zero" in outcomes["then fails"].why
    assert [one.code for one in failed_tests(checked.program)] == ["MK460"] * 7
    with shared_fuel(0):
        with pytest.raises(EvaluationError):
            spend(1)
        assert failed_tests(checked.program) == (), "those for which fuel doesn't last are not called failed"
