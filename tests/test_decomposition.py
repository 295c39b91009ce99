"""The bundled tasks that decompose: right results whatever they are given, and with wrong replies among the votes."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
from task_lab import run_reference

from maker_dsl import RunOptions, load, run, verify
from maker_dsl.engine.theory import task_success
from maker_dsl.judging import Vote, judge
from maker_dsl.task import RawReply, RunStep, State, Step, Task


def solve(task: Task, runs: Path, wrong: float = 0.02, seed: int = 1) -> Any:
    """The result of a run with so many wrong replies."""
    report = run(task, overrides=[f"simulate.wrong={wrong}"], runs=runs, options=RunOptions(seed=seed))
    assert report.status == "done", report
    return report.result


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (0, 0),
        (0, 7),
        (7, 0),
        (9, 9),
        (10, 10),
        (99, 99),
        (1, 1000),
        (5003, 2001),
        (999_999, 999_999),
        (10**12 + 1, 12),
        (7, 10**30 + 3),
        (1234567890, 9876543210),
        (10**39 + 7, 3 * 10**19 + 11),
    ],
)
def test_products_are_right_along_the_reference(a: int, b: int) -> None:
    task = load("multiply", a=a, b=b)
    assert task.result(run_reference(task)[0]) == {"product": a * b}


@pytest.mark.parametrize(
    "numbers",
    [
        [],
        [5],
        [2, 1],
        [3, 1.5, 3, -2],
        [7] * 30,
        list(range(40)),
        list(range(40, 0, -1)),
        [Decimal("0.1"), Decimal("-0.05"), 10**30, -(10**30)] * 6,
        [n * 7919 % 211 for n in range(100)],
    ],
    ids=["none", "one", "two", "few", "equal", "sorted", "reversed", "far apart", "mixed"],
)
def test_lists_are_right_along_the_reference(numbers: list[Any]) -> None:
    task = load("sort", numbers=numbers)
    assert task.result(run_reference(task)[0]) == {"sorted": sorted(task.inputs["numbers"])}


def test_products_and_lists_are_right_with_wrong_replies(tmp_path: Path) -> None:
    random = Random(3)
    for seed in range(3):
        a, b = (random.randrange(10**9, 10**10) for _ in range(2))
        assert solve(load("multiply", a=a, b=b), tmp_path, seed=seed) == {"product": a * b}
    numbers = [Decimal(random.randint(-99, 99)) / 2 for _ in range(60)]
    assert solve(load("sort", numbers=numbers), tmp_path) == {"sorted": sorted(numbers)}
    found = verify("last", runs=tmp_path)
    assert found.mismatch is None
    assert not found.wrong_steps


@pytest.mark.long
@pytest.mark.timeout(120)
def test_many_products_and_long_lists_are_right_with_wrong_replies(tmp_path: Path) -> None:
    random = Random(4)
    for seed in range(12):
        a, b = (random.randrange(10**9, 10**10) for _ in range(2))
        assert solve(load("multiply", a=a, b=b), tmp_path, seed=seed) == {"product": a * b}
    for seed in range(3):
        numbers = [Decimal(random.randint(-1000, 1000)) for _ in range(500)]
        assert solve(load("sort", numbers=numbers), tmp_path, seed=seed) == {"sorted": sorted(numbers)}


def test_the_margin_makes_all_of_the_benchmark_right_but_once_in_a_thousand() -> None:
    steps = 45_000 + 35_000
    for name in ("multiply", "sort"):
        for step in load(name).steps:
            assert step.vote.ahead_by == 5
    assert task_success(0.98, 5, steps) > 0.999 > task_success(0.98, 4, steps)


def asked(task: Task) -> list[tuple[Task, Step, State]]:
    """Every step on the way of the reference that asks a model."""
    found: list[tuple[Task, Step, State]] = []
    state = task.initial_state
    while not task.is_done(state):
        step = task.next_step(state)
        local = step.state_locals(state)
        if isinstance(step, RunStep):
            results = {}
            for each in step.runs:
                (inputs,) = each.inputs(state, local)
                bound = each.bind(inputs)
                found += asked(bound)
                results[each.name] = bound.result(run_reference(bound)[0])
            state = step.update(state, local, results)
        else:
            assert step.reference is not None
            found.append((task, step, state))
            text = step.reply.render(step.reference(state))
            verdict = judge(task, step, state, local, RawReply(text, 1, "stop"))
            assert isinstance(verdict, Vote)
            state = verdict.state
    return found


@pytest.mark.parametrize(
    ("name", "inputs"),
    [("multiply", {"a": 7396, "b": 48015}), ("sort", {"numbers": [n * 7919 % 211 for n in range(60)]})],
)
def test_declared_mistakes_are_wrong_and_some_of_them_get_to_the_votes(name: str, inputs: dict[str, Any]) -> None:
    passed: dict[str, int] = {}
    for task, step, state in asked(load(name, **inputs)):
        assert step.reference is not None
        right = step.reference(state)
        key = f"{task.name}.{step.name}"
        passed.setdefault(key, 0)
        for mistake in step.mistakes:
            wrong = mistake(state)
            assert wrong != right, (key, state)
            text = step.reply.render(wrong)
            verdict = judge(task, step, state, step.state_locals(state), RawReply(text, 1, "stop"))
            passed[key] += isinstance(verdict, Vote)
    assert {key for key, count in passed.items() if count == 0} <= {"sort.few"}
