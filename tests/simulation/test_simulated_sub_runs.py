"""The simulated model behind a server knows the prompts of sub-runs, from the replies it gave or from the reference."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from random import Random

import pytest

from maker_dsl.api import load, loads
from maker_dsl.judging import Vote, judge
from maker_dsl.providers.port import PermanentError
from maker_dsl.simulation.model import SimulatedModel, require_references
from maker_dsl.simulation.rates import Rates
from maker_dsl.simulation.server.answering import Answered, Desk
from maker_dsl.simulation.server.places import Places, digest_prompt
from maker_dsl.simulation.server.wire import Ask
from maker_dsl.task import Prompt, RawReply, RunStep, SubTask, Task, Value


def way(task: Task) -> Iterator[tuple[Prompt, str]]:
    """Every prompt on the way of the reference, with its right reply."""
    yield from _way(task, [])


def _way(task: Task, result: list[Value]) -> Iterator[tuple[Prompt, str]]:
    state = task.initial_state
    while not task.is_done(state):
        step = task.next_step(state)
        local = step.state_locals(state)
        if isinstance(step, RunStep):
            results: dict[str, Value] = {}
            for run in step.runs:
                results[run.name] = yield from _results(run, run.inputs(state, local))
            state = step.update(state, local, results)
        else:
            assert step.reference is not None
            text = step.reply.render(step.reference(state))
            yield step.render(state, local), text
            verdict = judge(task, step, state, local, RawReply(text, 1, "stop"))
            assert isinstance(verdict, Vote)
            state = verdict.state
    result.append(task.result(state))


def _results(run: SubTask, inputs: Sequence[Mapping[str, Value]]) -> Iterator[tuple[Prompt, str]]:
    results: list[Value] = []
    for one in inputs:
        yield from _way(run.bind(one), results)
    return results if run.is_many else results[0]


TASKS = {
    "multiply": {"a": 739, "b": 4815},
    "sort": {"numbers": [n * 37 % 61 for n in range(40)]},
}


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("is_shuffled", [False, True], ids=["in order", "shuffled"])
def test_every_prompt_of_a_composed_task_is_answered(name: str, is_shuffled: bool) -> None:
    task = load(name, **TASKS[name])
    asked = list(way(task))
    assert len(asked) > 15
    if is_shuffled:
        Random(5).shuffle(asked)

    async def main() -> None:
        desk = Desk(task, Rates())
        for prompt, right in asked:
            answered = await desk.answer(Ask("sim", prompt))
            assert isinstance(answered, Answered), answered
            assert [one.text for one in answered.drawn] == [right]

    asyncio.run(main())


def test_the_first_prompts_of_what_is_run_are_known_without_a_search() -> None:
    task = load("multiply", a=79, b=48)
    model = SimulatedModel(task, Rates())
    places = Places(task, model)
    (cut, _), *_ = way(task)
    place = places.find(digest_prompt(cut))
    assert place is not None
    places.follow(place, places.answers(place, digest_prompt(cut)).right)
    for upper, digit in ((9, 4), (9, 8)):
        first = next(prompt for prompt, _ in way(task) if f"{upper} times {digit}, plus a carry of 0" in prompt.user)
        assert places.find(digest_prompt(first)) is not None


def test_a_step_without_a_reference_in_a_task_that_is_run_is_named_with_it() -> None:
    text = """
    task main {
      state { n: int = 0 }
      done when n > 0
      step { run one = other(); update { n = one.n } }
    }
    task other {
      state { n: int = 0 }
      done when n > 0
      step ask { prompt "{{ n }} plus one? {{ reply.format }}"; reply "n = {n: int}"; update { n = reply.n } }
    }
    """
    with pytest.raises(PermanentError, match="what `main` runs has none for step `ask` of the task `other`"):
        require_references(loads(text))
