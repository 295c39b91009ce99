"""The simulated model where a thought is put into form by a second call, and where a step has several wordings."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maker_dsl.api import loads
from maker_dsl.providers.port import Draw, Question, Request
from maker_dsl.simulation.model import SimulatedModel
from maker_dsl.simulation.rates import Rates
from maker_dsl.simulation.server.answering import Answered, Desk, Unknown
from maker_dsl.simulation.server.wire import Ask
from maker_dsl.simulation.thinking import NO_ANSWER, answer_in, think_aloud
from maker_dsl.task import Parsed, Prompt, Step, Task

TEXT = '''
task down {
  state { n: int = 9 }
  done when n == 0
  step {
    prompt "The number is {{ n }}. Subtract one."
    prompt variant "other" "What comes before {{ n }}?"
    reply "next = {value: int}" then format with "small" """
      Of {{ n }}: {{ thought }}
      {{ reply.format }}
    """
    rule "down": reply.value < n
    update { n = reply.value }
  }
  reference { value = n - 1; mistake { value = n - 2 } }
}
'''
SAMPLES = 3_000


@pytest.fixture(scope="module")
def task() -> Task:
    return loads(TEXT)


def step_of(task: Task) -> Step:
    (step,) = task.steps
    return step


def prompt_for(task: Task, n: int, wording: int = 0) -> Prompt:
    return step_of(task).wordings[wording].render({"n": n}, {})


def form_of(task: Task, n: int, thought: str) -> Prompt:
    formatting = step_of(task).formatting
    assert formatting is not None
    return formatting.render({"n": n}, {}, thought)


@given(st.text(), st.text())
def test_an_answer_is_found_again_in_the_thought_and_in_a_prompt_around_it(before: str, after: str) -> None:
    thought = think_aloud("next = 3\nand more")
    assert answer_in(thought) == "next = 3\nand more"
    assert answer_in(f"{before}\n{thought}\n{after}") == "next = 3\nand more"
    assert answer_in("I have no idea") is None


def test_wrong_and_cut_off_samples_are_so_in_the_thought_and_malformed_ones_in_the_form(task: Task) -> None:
    model = SimulatedModel(task, Rates(wrong=0.2, malformed=0.15, overlong=0.1, truncated=0.1, agree=1.0), 3)
    asked = Question(0, step_of(task), {"n": 9})
    seen: Counter[str] = Counter()
    for slot in range(SAMPLES):
        draw = Draw(slot, 0)
        thought = model.draw_half(Request(asked, Prompt(None, ""), 0.1, 2_000, (draw,), phase="thought"), draw)
        if thought.finish == "length":
            seen["truncated"] += 1
            assert thought.kind == "truncated"
            continue
        text = thought.text
        form = model.draw_half(Request(asked, Prompt(None, ""), 0.0, 20, (draw,), phase="form", thought=text), draw)
        read = step_of(task).reply.read(form.text)
        if not isinstance(read, Parsed):
            seen["malformed"] += 1
            assert (thought.kind, form.kind) == ("right", "malformed")
        elif read.value["value"] == 7:
            seen["wrong"] += 1
            assert (thought.kind, form.kind) == ("wrong", "copied")
        else:
            assert read.value["value"] == 8
            seen["overlong" if thought.tokens > 750 else "right"] += 1
    expected = {"wrong": 0.2, "malformed": 0.15, "overlong": 0.1, "truncated": 0.1, "right": 0.45}
    for kind, share in expected.items():
        assert abs(seen[kind] / SAMPLES - share) < 4 * (share * (1 - share) / SAMPLES) ** 0.5


def test_a_thought_of_another_model_is_copied_as_it_is_or_has_no_answer(task: Task) -> None:
    model = SimulatedModel(task, Rates(), 0)
    asked, draw = Question(0, step_of(task), {"n": 9}), Draw(0, 0)

    def form(thought: str) -> str:
        return model.draw_half(
            Request(asked, Prompt(None, ""), 0.0, None, (draw,), phase="form", thought=thought), draw
        ).text

    assert form(think_aloud("next = 1234")) == "next = 1234"
    assert form("It is 8, I think.") == NO_ANSWER


def ask(desk: Desk, prompt: Prompt, replies: int = 1) -> list[str]:
    fate = asyncio.run(desk.answer(Ask("sim", prompt, replies)))
    assert isinstance(fate, Answered), fate
    return [drawn.text for drawn in fate.drawn]


def test_a_server_knows_the_prompts_of_all_wordings_and_where_thoughts_lead(task: Task) -> None:
    desk = Desk(task, Rates(), 0)
    for n, wording in ((9, 1), (8, 0), (7, 1)):
        (thought,) = ask(desk, prompt_for(task, n, wording))
        assert answer_in(thought) == f"next = {n - 1}"
        assert ask(desk, form_of(task, n, thought)) == [f"next = {n - 1}"]


def test_a_server_puts_thoughts_of_another_server_into_form(task: Task) -> None:
    thinking, forming = Desk(task, Rates(wrong=1.0, agree=1.0), 0), Desk(task, Rates(), 5)
    (thought,) = ask(thinking, prompt_for(task, 9))
    assert ask(forming, form_of(task, 9, thought), 2) == ["next = 7", "next = 7"]


def test_a_server_fails_to_put_thoughts_into_form_as_often_as_it_should(task: Task) -> None:
    desk = Desk(task, Rates(malformed=0.3), 1)
    texts = ask(desk, form_of(task, 9, think_aloud("next = 8")), 1_000)
    unreadable = sum(not isinstance(step_of(task).reply.read(text), Parsed) for text in texts)
    assert abs(unreadable - 300) < 4 * (1_000 * 0.3 * 0.7) ** 0.5


@pytest.mark.parametrize("prompt", [lambda: Prompt(None, "Of 9: it is 8, surely."), lambda: Prompt(None, "Hello?")])
def test_a_prompt_without_a_thought_of_its_own_is_unknown(task: Task, prompt: Callable[[], Prompt]) -> None:
    fate = asyncio.run(Desk(task, Rates(), 0).answer(Ask("sim", prompt())))
    assert isinstance(fate, Unknown)
