"""What a reply may have where nobody says, and whether prompts and replies fit a model."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from engine_lab import countdown, memory_world, new_run, right

from maker_dsl import api
from maker_dsl.api import load, loads
from maker_dsl.diagnostics import Diagnostic, Severity
from maker_dsl.engine.fit import Model, PromptTokens, largest_state, misfits, prompt_tokens
from maker_dsl.engine.policy import Setting
from maker_dsl.engine.settings import RunOptions, SettingsRefused, resolve
from maker_dsl.engine.start import ProviderSetup
from maker_dsl.providers.profile import Profile
from maker_dsl.providers.scripted import ScriptedProvider
from maker_dsl.task import Task
from maker_dsl.tokens import estimate_tokens

NOTHING = RunOptions()

GROWN = {"words": ["word word word word "] * 50, "more": [1, 2, 3], "n": 1, "is_new": False}
"""The largest state of `later` in TASK: `n` stays within the words."""

TASK = """
task t {
  state {
    words: list[string up to 20] of 0..50 = []
    more: list[int] = [1, 2, 3]
    n: int in 0..999 = 1
    is_new: bool = true
  }
  done when n == 0
  step add when is_new {
    prompt "{{ words }} {{ more }} {{ n }} {{ reply.format }}"
    reply "next = {value: int in 0..99}" whole
    update { n = reply.value; is_new = false }
  }
  step later {
    let first = words[n]
    prompt "{{ first }} {{ n }} {{ reply.format }}"
    reply "next = {value: int}"
    update { n = reply.value }
  }
  reference add { value = n + 41 }
}
"""


NEVER = TASK.replace("words[n]", "words[n + 50]")
"""The same, and `later` has no prompt whatever the words are."""


def room(task: Task, asked: RunOptions = NOTHING, profile: RunOptions = NOTHING) -> dict[str, Setting[int | None]]:
    steps = resolve(task, ScriptedProvider(right), asked, profile).steps
    return {name: policy.max_tokens for name, policy in steps.items()}


def test_each_step_has_room_for_its_longest_right_reply_unless_somebody_says_otherwise() -> None:
    task = loads(TASK)
    assert room(task) == {"add": Setting(29, "task"), "later": Setting(750, "task")}
    said = room(task, profile=RunOptions(max_tokens=60))
    assert said == {"add": Setting(60, "profile"), "later": Setting(60, "profile")}
    assert room(task, RunOptions(max_tokens=70), RunOptions(max_tokens=60))["add"] == Setting(70, "command line")


def test_a_limit_on_money_needs_a_bound_on_replies() -> None:
    asked = RunOptions(max_total_tokens=1_000)
    with pytest.raises(SettingsRefused) as refused:
        resolve(countdown(), ScriptedProvider(right), asked, NOTHING)
    assert refused.value.diagnostics[0].code == "MK551"
    assert resolve(loads(TASK), ScriptedProvider(right), asked, NOTHING).max_tokens is None


def test_a_call_asks_for_as_many_tokens_as_its_step_may_have() -> None:
    seen: set[tuple[str, int | None]] = set()

    def watching(request: Any) -> str:
        seen.add((request.question.step.name, request.max_tokens))
        return right(request)

    task = countdown(4, kinds=2)
    rooms = {"odd": 11, "step": None}
    steps = tuple(replace(step, max_tokens=rooms[step.name]) for step in task.steps)
    task = replace(task, steps=steps, next_step=lambda state: next(one for one in steps if one.applies(state)))
    run_with(task, ScriptedProvider(watching))
    assert seen == {("odd", 11), ("step", None)}


def run_with(task: Task, provider: ScriptedProvider) -> None:
    async def go() -> None:
        report = await new_run(task, ProviderSetup(provider), memory_world()).go()
        assert report.status == "done"

    asyncio.run(go())


def test_the_largest_state_is_as_large_as_types_allow_and_else_as_at_the_start() -> None:
    state = largest_state(loads(TASK))
    assert state == {"words": ["word word word word "] * 50, "more": [1, 2, 3], "n": 999, "is_new": False}


def test_a_prompt_is_measured_where_it_is_asked_and_where_it_can_be() -> None:
    task = loads(TASK)
    add, later = task.steps
    sizes = prompt_tokens(task, add)
    assert sizes.initial is not None
    assert sizes.largest is not None
    assert sizes.largest > sizes.initial + 50 * 4
    indexed = prompt_tokens(task, later)
    assert indexed.initial is None
    written = later.wordings[0].render(GROWN, later.state_locals(GROWN))
    assert indexed.largest == estimate_tokens(written.user)
    never = loads(NEVER)
    assert prompt_tokens(never, never.steps[1]) == PromptTokens(None, None)


def found(task: Task, context: int | None, most: int | None = None) -> list[Diagnostic]:
    return list(misfits(task, lambda _step: Model("small", context, most)))


def test_a_prompt_that_does_not_fit_is_a_warning_at_its_step() -> None:
    task = loads(NEVER)
    size = prompt_tokens(task, task.steps[0]).largest or 0
    assert found(task, size + 29) == []
    (warning,) = found(task, size + 28)
    assert (warning.code, warning.severity) == ("MK556", Severity.WARNING)
    assert warning.primary.span.text == "add"
    assert f"in the largest state its prompt has about {size:,} tokens, and a reply may have 29" in str(warning.primary)
    assert warning.title.endswith(f"about {size + 29:,} tokens of {size + 28:,}")
    assert found(task, None) == []
    assert len(found(task, size + 29, most=30)) == 1


def test_a_limit_below_the_references_reply_is_a_warning() -> None:
    task = loads(TASK)
    (warning,) = found(task, None, most=2)
    assert warning.code == "MK557"
    assert warning.title.endswith("about 3 tokens, and `max_tokens` is 2")
    assert found(task, None, most=3) == []


def test_the_default_never_cuts_a_right_reply_of_a_large_puzzle() -> None:
    for name in ("checker_jumping", "river_crossing", "blocks_world"):
        task = load(name, size=100)
        (step,) = task.steps
        assert step.reference is not None
        reply = step.reply.render(step.reference(task.initial_state))
        assert step.max_tokens is not None
        assert len(reply.encode()) + 750 < step.max_tokens


def test_a_step_on_a_profile_of_its_own_is_held_against_that() -> None:
    text = NEVER.replace("step add when is_new {", 'step add when is_new {\n with profile "strong"')
    task = loads(text)
    small, large = (Profile(name="p", model="m", context_tokens=tokens) for tokens in (50, 5_000))
    assert api.misfits(task, large, {"strong": large}) == ()
    assert [one.code for one in api.misfits(task, large, {"strong": small})] == ["MK556"]
    assert api.misfits(task, small, {"strong": large}) == ()
