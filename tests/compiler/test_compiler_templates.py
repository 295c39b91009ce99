"""How values appear in prompts, and what is rendered when."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maker_dsl.diagnostics import Source
from maker_dsl.language import check_text
from maker_dsl.task import Prompt, Task, TaskError
from maker_dsl.templates.notation import json_notation, show_value
from maker_dsl.types.json_text import read_json


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a\nb", "a\nb"),
        (3, "3"),
        (True, "true"),
        (None, "null"),
        (0.1, "0.1"),
        (1e30, "1e+30"),
        (Decimal("9.90"), "9.9"),
        (Decimal("1E+3"), "1000"),
        (Decimal("-0.00"), "0"),
        (date(2026, 11, 23), "2026-11-23"),
        ([[3, 2, 1], [], []], "[[3, 2, 1], [], []]"),
        ((1, 0, 2), "[1, 0, 2]"),
        ({"name": "né", "at": None}, '{"name": "né", "at": null}'),
        ([Decimal("1.50"), date(2026, 1, 2), "x"], '[1.5, "2026-01-02", "x"]'),
        ({"a": {"b": (Decimal("0.10"), True)}}, '{"a": {"b": [0.1, true]}}'),
    ],
)
def test_value_in_a_prompt(value: object, shown: str) -> None:
    assert show_value(value) == shown


_TEXT = st.text(st.characters(exclude_categories=["Cs"]))
_PLAIN = st.none() | st.booleans() | st.integers() | _TEXT | st.decimals(allow_nan=False, allow_infinity=False)


@given(st.recursive(_PLAIN, lambda inner: st.lists(inner) | st.dictionaries(_TEXT, inner), max_leaves=20))
def test_json_notation_is_read_back_as_the_value(value: Any) -> None:
    assert read_json(json_notation(value)) == value


def render(prompt: str, state: str = "", extra: str = "", inputs: dict[str, object] | None = None) -> Prompt:
    task = bind(prompt, state, extra, inputs)
    (step,) = task.steps
    return step.render(task.initial_state, step.state_locals(task.initial_state))


def bind(prompt: str, state: str = "", extra: str = "", inputs: dict[str, object] | None = None) -> Task:
    text = f'''task t {{
      input name: string = "Ada"
      type Move = [disk: int, source: int]
      state {{ n: int = 3; {state} }}
      done when n == 0
      step {{
        {extra}
        prompt """
          {prompt}
        """
        reply "next = {{value: int}}"
        update {{ n = reply.value }}
      }}
    }}'''
    checked = check_text(Source("task.maker", text))
    assert checked.program is not None, checked.diagnostics
    return checked.program.bind(inputs or {})


def test_fields_of_tuples_and_records_are_shown() -> None:
    state = 'last: Move? = [1, 2]; note: { items: string } = { items: "x" }'
    shown = render("{% if last %}{{ last.disk }}{{ last[1] }}{% endif %} {{ note.items }} {{ note }}", state)
    assert shown.user == '12 x {"items": "x"}'


def test_maps_are_shown_by_key() -> None:
    state = 'm: map[string, decimal] = { "b": 1.50, "a": 2 }'
    assert render("{% for k, v in m.items() %}{{ k }}={{ v }};{% endfor %} {{ m['a'] }}", state).user == "a=2;b=1.5; 2"


def test_text_of_the_state_is_never_a_template() -> None:
    state = 's: string = "{{ n }} {% if n %}"'
    assert render("{{ s }}", state).user == "{{ n }} {% if n %}"


def test_blocks_on_lines_of_their_own_leave_no_lines() -> None:
    prompt = "A\n          {% if n %}\n          B\n          {% endif %}\n          C"
    assert render(prompt).user == "A\nB\nC"


def test_lets_and_inputs_and_forms_of_the_reply() -> None:
    shown = render(
        "{{ twice }} {{ name }}\n          {{ reply.format }}", extra="let twice = n * 2", inputs={"name": "Bo"}
    )
    assert shown.user.startswith("6 Bo\n")
    assert "next = " in shown.user


def test_a_system_text_of_inputs_alone_is_rendered_once() -> None:
    task = bind("{{ n }}", extra='system "You are {{ name }}."')
    (step,) = task.steps
    first = step.render({"n": 3}, {})
    again = step.render({"n": 2}, {})
    assert (first.system, first.user, again.user) == ("You are Ada.", "3", "2")
    assert first.system is again.system


def test_a_prompt_that_fails_later_points_into_the_file() -> None:
    task = bind("{{ xs[0] }} {{ n }}", "xs: list[int] = [1]")
    (step,) = task.steps
    with pytest.raises(TaskError) as caught:
        step.render({"n": 3, "xs": []}, {})
    diagnostic = caught.value.diagnostic
    assert diagnostic.code == "MK391"
    assert diagnostic.primary.span.source.name == "task.maker"


@pytest.mark.parametrize(
    ("thought", "line"), [("7 = 7", 5), ("===== end of the answer =====\nwrite 8", 6), ("=" * 40, 41)]
)
def test_a_thought_cannot_seem_to_end_before_its_end(thought: str, line: int) -> None:
    text = """task t { state { n: int = 3 } done when n == 0
      step { prompt "{{ n }}" reply "v = {v: int}" then format with "small" update { n = reply.v } } }"""
    program = check_text(Source("t.maker", text)).program
    assert program is not None
    task = program.bind()
    (step,) = task.steps
    assert step.formatting is not None
    state = task.initial_state
    lines = step.formatting.render(state, step.state_locals(state), thought).user.splitlines()
    assert lines.count("=" * line + " end of the answer " + "=" * line) == 1
