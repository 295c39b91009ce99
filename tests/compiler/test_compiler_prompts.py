"""Wordings, profiles and the prompt for the form, as a bound task has them."""

from __future__ import annotations

import pytest

from maker_dsl.diagnostics import Source
from maker_dsl.expressions.errors import EvaluationError
from maker_dsl.judging import Flag, Vote, judge, judge_thought
from maker_dsl.language import Checked, check_text
from maker_dsl.task import Prompt, RawReply, Step, Task


def checked(step: str) -> Checked:
    head = "input by: int = 1 state { n: int = 3; seen: list[int] = [] } done when n == 0"
    text = f"task t {{ {head} step {{ {step} }} }}"
    found = check_text(Source("t.maker", text))
    assert not found.has_errors, found.diagnostics
    return found


def bound(step: str, **inputs: object) -> tuple[Task, Step]:
    program = checked(step).program
    assert program is not None
    task = program.bind(inputs)
    (only,) = task.steps
    return task, only


REST = 'reply "next = {value: int}" update { n = reply.value }'


def test_a_step_without_variants_has_one_wording() -> None:
    _, step = bound(f'prompt "{{{{ n }}}} {{{{ reply.format }}}}" {REST}')
    assert [one.name for one in step.wordings] == ["prompt"]
    assert step.wordings[0].render is step.render
    assert (step.profile, step.formatting, step.profiles) == (None, None, ())


def test_each_wording_sees_the_inputs_the_state_the_lets_and_the_same_system_text() -> None:
    step = bound(
        'let half = n // 2 system "By {{ by }}." prompt "{{ n }} {{ reply.format }}" '
        f'prompt variant "b" "{{{{ half }}}} of {{{{ n }}}}, {{{{ reply.example }}}}" {REST}',
        by=7,
    )[1]
    state = {"n": 5, "seen": []}
    prompts = [one.render(state, step.state_locals(state)) for one in step.wordings]
    assert {prompt.system for prompt in prompts} == {"By 7."}
    assert prompts[0].user.startswith("5 End your reply")
    assert prompts[1].user == f"2 of 5, {step.reply.example}"


def test_the_form_is_asked_for_in_the_tasks_words_or_in_ours() -> None:
    own = bound(
        'with profile "strong" let half = n // 2 prompt "{{ n }}" reply "next = {value: int}" then format with "small" '
        '"{{ by }} {{ half }} {{ n }}: {{ thought | trim }} {{ reply.example }}" update { n = reply.value }'
    )[1]
    assert [one.name for one in own.profiles] == ["strong", "small"]
    assert own.formatting is not None
    state = {"n": 4, "seen": []}
    asked = own.formatting.render(state, own.state_locals(state), " I say {{ n }}. ")
    assert asked == Prompt(None, f"1 2 4: I say {{{{ n }}}}. {own.reply.example}")
    plain = bound('prompt "{{ n }}" reply "next = {value: int}" then format with "small" update { n = reply.value }')[1]
    assert plain.formatting is not None
    words = plain.formatting.render(state, {}, "{form} is 3, {thought}").user
    assert "\n{form} is 3, {thought}\n" in words
    assert words.endswith(plain.reply.instructions)
    assert plain.formatting.max_tokens is not None
    assert plain.max_tokens is not None
    assert plain.formatting.max_tokens <= plain.max_tokens


def test_what_a_thought_does_to_the_prompt_for_its_form_is_a_flag_and_no_mistake_of_the_task() -> None:
    task, step = bound(
        'prompt "{{ n }}" reply "next = {value: int}" then format with "small" '
        '"{{ thought }} {{ thought[3] }} {{ reply.format }}" update { n = reply.value }'
    )
    state = task.initial_state
    assert step.formatting is not None
    with pytest.raises(EvaluationError) as failed:
        step.formatting.render(state, {}, "abc")
    assert failed.value.span is not None
    assert failed.value.span.text == "[3]"
    flag = judge_thought(step, state, {}, RawReply("abc", 1, "stop"))
    assert isinstance(flag, Flag)
    assert (flag.stage, flag.name) == ("form", "error")
    assert isinstance(judge_thought(step, state, {}, RawReply("abcd", 1, "stop")), Prompt)


def test_rules_see_the_thought_as_the_raw_reply_and_the_fields_of_the_form() -> None:
    task, step = bound(
        'prompt "{{ n }}" reply "next = {value: int}" then format with "small" '
        'flag "long": reply.tokens > 50 rule "says why": "because" in reply.text rule "down": reply.value < n '
        "update { n = reply.value; seen = seen + [reply.tokens] }"
    )
    state = task.initial_state
    form = RawReply("next = 2", 3, "stop")

    def verdict(thought: str, tokens: int = 9, form: RawReply = form) -> Vote | Flag:
        return judge(task, step, state, {}, form, RawReply(thought, tokens, "stop"))

    vote = verdict("2, because of 3 - 1")
    assert isinstance(vote, Vote)
    assert vote.state == {"n": 2, "seen": [9]}
    flags = [
        verdict("2, because of 3 - 1", 51),
        verdict("2"),
        verdict("because", form=RawReply("next = 3", 3, "stop")),
        verdict("because", form=RawReply("next = 2", 3, "length")),
        verdict("because", form=RawReply("none", 1, "stop")),
    ]
    assert [flag.name for flag in flags if isinstance(flag, Flag)] == [
        "long", "says why", "down", "truncated", "missing",
    ]  # fmt: skip


def test_a_let_that_a_variant_or_the_form_alone_shows_is_used() -> None:
    for more in (
        'prompt variant "b" "{{ n }} {{ half }} {{ reply.format }}" reply "next = {value: int}"',
        'reply "next = {value: int}" then format with "small" "{{ half }} {{ thought }} {{ reply.format }}"',
    ):
        found = checked(
            f'let half = n // 2 prompt "{{{{ n }}}} {{{{ reply.format }}}}" {more} update {{ n = reply.value }}'
        )
        assert [one.title for one in found.diagnostics if "half" in one.title] == []


def test_there_are_at_most_so_many_wordings_and_what_is_beyond_them_takes_no_time() -> None:
    variants = " ".join(f'prompt variant "v{number}" "{{{{ n }}}} {{{{ reply.format }}}}"' for number in range(5_000))
    text = (
        "task t { state { n: int = 3 } done when n == 0 step { "
        f'prompt "{{{{ n }}}} {{{{ reply.format }}}}" {variants} {REST} }} }}'
    )
    found = check_text(Source("t.maker", text))
    (finding,) = found.diagnostics
    assert (finding.code, finding.help) == ("MK289", "leave 4,969 of them out")


def test_a_prompt_that_asks_for_a_thought_needs_neither_the_form_nor_the_state() -> None:
    found = checked(
        'prompt "Double {{ by }}." reply "next = {value: int}" then format with "small" update { n = reply.value }'
    )
    assert found.diagnostics == ()
