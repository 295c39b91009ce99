"""The bundled tasks, rehearsed: in process, and over HTTP by a client that follows whatever passes."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping

import aiohttp
import pytest

from maker_dsl.api import load
from maker_dsl.judging import Flag, Verdict, Vote, judge
from maker_dsl.providers.port import Draw, Question
from maker_dsl.simulation.model import SimulatedModel
from maker_dsl.simulation.rates import Rates
from maker_dsl.simulation.server import SimulationServer
from maker_dsl.task import Finish, RawReply, State, Task

TASKS: list[tuple[str, Mapping[str, object]]] = [
    ("countdown", {"start": 40}),
    ("hanoi", {"disks": 5}),
    ("checkout", {}),
    ("blocks_world", {"size": 5}),
]
NAMES = [name for name, _ in TASKS]
TASKS_WITH_DEAD_ENDS: list[tuple[str, Mapping[str, object]]] = [
    ("checker_jumping", {"size": 3}),
    ("river_crossing", {"size": 4}),
]
"""Tasks in which a wrong decision can't be made good again."""
ALL_TASKS = [*TASKS, *TASKS_WITH_DEAD_ENDS]
FINISHES: dict[str, Finish] = {"stop": "stop", "length": "length"}


def judged(task: Task, state: State, raw: RawReply) -> Verdict:
    step = task.next_step(state)
    return judge(task, step, state, step.state_locals(state), raw)


@pytest.mark.parametrize(("name", "inputs"), ALL_TASKS, ids=[name for name, _ in ALL_TASKS])
def test_the_reference_leads_to_the_end_and_every_reply_is_what_it_should_be(
    name: str, inputs: Mapping[str, object]
) -> None:
    task = load(name, **inputs)
    model = SimulatedModel(task, Rates(wrong=0.2, malformed=0.2, overlong=0.2, truncated=0.2), 1)
    state, index = task.initial_state, 0
    kinds: Counter[str] = Counter()
    while not task.is_done(state):
        question = Question(index, task.next_step(state), state)
        right: Vote | None = None
        for slot in range(30):
            drawn = model.draw(question, Draw(slot, 0), 750)
            kinds[drawn.kind] += 1
            verdict = judged(task, state, RawReply(drawn.text, drawn.tokens, drawn.finish))
            if drawn.kind == "right":
                assert isinstance(verdict, Vote)
                right = verdict
            elif drawn.kind in ("overlong", "truncated"):
                assert isinstance(verdict, Flag)
                assert verdict.name == "truncated"
            elif drawn.kind == "malformed":
                assert isinstance(verdict, Flag)
                assert verdict.stage in ("locate", "parse", "type")
            elif isinstance(verdict, Vote) and right is not None:
                assert verdict.key != right.key
        assert right is not None
        state, index = right.state, index + 1
    assert index == task.expected_steps
    assert set(kinds) == {"right", "wrong", "malformed", "overlong", "truncated"}


@pytest.mark.parametrize(
    ("name", "flag"), [("hanoi", "too long"), ("river_crossing", "overlong"), ("blocks_world", "overlong")]
)
def test_a_reply_that_rambles_is_flagged_even_where_nothing_cuts_it_off(name: str, flag: str) -> None:
    task = load(name)
    model = SimulatedModel(task, Rates(overlong=1))
    for slot in range(20):
        drawn = model.draw(Question(0, task.next_step(task.initial_state), task.initial_state), Draw(slot, 0))
        verdict = judged(task, task.initial_state, RawReply(drawn.text, drawn.tokens, drawn.finish))
        assert isinstance(verdict, Flag)
        assert verdict.name == flag


def test_the_mistakes_of_hanoi_pass_its_rules() -> None:
    task = load("hanoi", disks=6)
    model = SimulatedModel(task, Rates(wrong=1, agree=1))
    reference = SimulatedModel(task, Rates())
    state = task.initial_state
    for index in range(60):
        question = Question(index, task.next_step(state), state)
        wrong = model.draw(question, Draw(0, 0))
        right = reference.draw(question, Draw(0, 0))
        votes = [judged(task, state, RawReply(drawn.text, drawn.tokens, drawn.finish)) for drawn in (wrong, right)]
        assert isinstance(votes[0], Vote)
        assert isinstance(votes[1], Vote)
        assert votes[0].key != votes[1].key
        state = votes[1].state


@pytest.mark.parametrize(("name", "inputs"), TASKS, ids=NAMES)
def test_the_server_knows_every_state_that_a_client_comes_to(name: str, inputs: Mapping[str, object]) -> None:
    task = load(name, **inputs)

    async def follow(session: aiohttp.ClientSession, url: str, state: State, steps: int) -> State:
        for _ in range(steps):
            if task.is_done(state):
                break
            step = task.next_step(state)
            prompt = step.render(state, step.state_locals(state))
            messages = [{"role": "system", "content": prompt.system}] if prompt.system is not None else []
            messages.append({"role": "user", "content": prompt.user})
            async with session.post(f"{url}/v1/chat/completions", json={"messages": messages, "n": 20}) as response:
                body = await response.json()
                assert response.status == 200, body
            raws = [
                RawReply(choice["message"]["content"], 10, FINISHES[choice["finish_reason"]])
                for choice in body["choices"]
            ]
            votes = [verdict for raw in raws if isinstance(verdict := judged(task, state, raw), Vote)]
            state = votes[0].state
        return state

    async def main() -> None:
        async with aiohttp.ClientSession() as session:
            async with SimulationServer(task, Rates(wrong=0.5, malformed=0.1, truncated=0.1)) as server:
                await follow(session, server.url, task.initial_state, 40)
            async with SimulationServer(task, Rates()) as server:
                halfway = await follow(session, server.url, task.initial_state, (task.expected_steps or 0) // 2)
            async with SimulationServer(task, Rates(malformed=0.2)) as restarted:
                assert task.is_done(await follow(session, restarted.url, halfway, 40))

    asyncio.run(main())
