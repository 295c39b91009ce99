"""The bundled tasks: they check clean, pass their tests, and their references lead through the judgement to the end."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from task_lab import run_reference

from maker_dsl.api import load as load_task
from maker_dsl.bundled import bundled_names
from maker_dsl.judging import Vote, judge
from maker_dsl.language import load
from maker_dsl.plugins.allowed import AllowedCheckers
from maker_dsl.task import RawReply
from maker_dsl.testing import failed_tests, run_test


@pytest.mark.parametrize("name", bundled_names("tasks"))
def test_bundled_task_checks_without_any_finding(name: str) -> None:
    checked = load(name)
    assert checked.diagnostics == ()
    assert checked.program is not None
    assert checked.program.name == name
    assert failed_tests(checked.program) == ()


@pytest.mark.parametrize("name", bundled_names("tasks"))
def test_bundled_task_has_passing_tests(name: str) -> None:
    program = load(name, AllowedCheckers(["algebra"])).program
    assert program is not None
    assert len(program.tests) >= 4
    for test in program.tests:
        assert run_test(test).passed, run_test(test)


@pytest.mark.parametrize("name", bundled_names("tasks"))
def test_bundled_task_is_in_the_list_with_its_inputs(name: str) -> None:
    listed = (Path(__file__).parents[2] / "docs" / "tasks.md").read_text(encoding="utf-8")
    inputs = ", ".join(f"`{one}`" for one in load_task(name).inputs)
    assert re.search(rf"^\| `{name}` \| .+ \| {inputs} \|$", listed, re.MULTILINE), (
        f"list it in docs/tasks.md, with {inputs}"
    )


@pytest.mark.parametrize("disks", range(1, 8))
def test_hanoi_ends_on_the_last_peg_in_the_fewest_moves(disks: int) -> None:
    task = load_task("hanoi", disks=disks)
    state, steps = run_reference(task)
    assert steps == 2**disks - 1 == task.expected_steps
    assert state["pegs"] == [[], [], list(range(disks, 0, -1))]


@pytest.mark.parametrize("disks", range(1, 8))
def test_hanoi_mistakes_pass_the_rules_and_are_wrong(disks: int) -> None:
    task = load_task("hanoi", disks=disks)
    (step,) = task.steps
    state = task.initial_state
    while not task.is_done(state):
        assert step.reference is not None
        right = step.reference(state)
        assert len(step.mistakes) == 2
        for mistake in step.mistakes:
            wrong = mistake(state)
            assert wrong != right
            verdict = judge(task, step, state, {}, RawReply(step.reply.render(wrong), 1, "stop"))
            assert isinstance(verdict, Vote), (state, wrong, verdict)
        verdict = judge(task, step, state, {}, RawReply(step.reply.render(right), 1, "stop"))
        assert isinstance(verdict, Vote)
        state = verdict.state


@pytest.mark.parametrize("start", [1, 2, 40])
def test_countdown_reaches_zero(start: int) -> None:
    state, steps = run_reference(load_task("countdown", start=start))
    assert (state, steps) == ({"n": 0}, start)


@pytest.mark.parametrize("known", [True, False])
def test_checkout_takes_each_kind_of_step(known: bool) -> None:
    task = load_task("checkout", is_known_customer=known)
    state, steps = run_reference(task)
    assert steps == task.expected_steps == 6
    result = task.result_codec.dump(task.result(state)).decode()
    assert '"total":117.42' in result
    assert ('"due":"2026-12-07"' in result) is known
    assert ('"payment":"invoice"' in result) is known
