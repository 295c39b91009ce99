"""The puzzles of "The Illusion of Thinking": their references against solvers written here, and runs to the end."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from task_lab import follow_reference, run_reference

from maker_dsl import api
from maker_dsl.api import load
from maker_dsl.judging import Vote, judge
from maker_dsl.language import InputRefused
from maker_dsl.task import RawReply, State, Task

Crossing = tuple[frozenset[str], str]
"""Who is on the left bank, and where the boat is."""


# Checker jumping ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [*range(1, 9), 20])
def test_checkers_change_sides_in_the_fewest_moves(size: int) -> None:
    task = load("checker_jumping", size=size)
    state, steps = run_reference(task)
    assert steps == (size + 1) ** 2 - 1 == task.expected_steps
    assert state["row"] == ["B"] * size + ["_"] + ["R"] * size


def checker_moves(row: str) -> Iterable[tuple[str, int, int]]:
    """The puzzle's legal moves, written down a second time: color, from, to."""
    gap = row.index("_")
    for color, other, back in (("R", "B", -1), ("B", "R", 1)):
        near, far = gap + back, gap + 2 * back
        if 0 <= near < len(row) and row[near] == color:
            yield color, near, gap
        if 0 <= far < len(row) and row[far] == color and row[near] == other:
            yield color, far, gap


@pytest.mark.parametrize("size", [1, 2, 3])
def test_the_rules_of_checkers_pass_the_legal_moves_and_no_others(size: int) -> None:
    task = load("checker_jumping", size=size)
    (step,) = task.steps
    seen, waiting = set(), deque(["R" * size + "_" + "B" * size])
    while waiting:
        row = waiting.popleft()
        if row in seen:
            continue
        seen.add(row)
        state = {"row": list(row), "last": None}
        legal = set(checker_moves(row))
        for color in "RB":
            for source in range(len(row)):
                for target in range(len(row)):
                    cells = list(row)
                    cells[source], cells[target] = "_", color
                    text = step.reply.render({"move": [color, source, target], "row": cells})
                    passes = isinstance(judge(task, step, state, step.state_locals(state), raw(text)), Vote)
                    assert passes == ((color, source, target) in legal), (row, text)
                    if passes:
                        waiting.append("".join(cells))
    assert "B" * size + "_" + "R" * size in seen


# River crossing ----------------------------------------------------------------------------------------------------


def is_safe(people: Iterable[str]) -> bool:
    agents = {one[2:] for one in people if one[0] == "A"}
    return not agents or all(one[2:] in agents for one in people if one[0] == "a")


def fewest_crossings(size: int, boat: int) -> int | None:
    """The length of the shortest solution, by searching all states; None where there is none."""
    everyone = frozenset(letter + str(i) for i in range(1, size + 1) for letter in ("a_", "A_"))
    start: Crossing = (everyone, "left")
    far = {start: 0}
    waiting = deque([start])
    while waiting:
        left, at = here = waiting.popleft()
        if not left:
            return far[here]
        bank = left if at == "left" else everyone - left
        for seats in range(1, boat + 1):
            for passengers in combinations(sorted(bank), seats):
                new_left = left - set(passengers) if at == "left" else left | set(passengers)
                there: Crossing = (new_left, "right" if at == "left" else "left")
                if there not in far and all(map(is_safe, (passengers, new_left, everyone - new_left))):
                    far[there] = far[here] + 1
                    waiting.append(there)
    return None


@pytest.mark.parametrize("size", range(1, 6))
@pytest.mark.parametrize("boat", [1, 2, 3])
def test_a_boat_is_refused_where_a_search_finds_no_way(size: int, boat: int) -> None:
    fewest = fewest_crossings(size, boat)
    if fewest is None:
        with pytest.raises(InputRefused) as refused:
            load("river_crossing", size=size, boat=boat)
        assert refused.value.diagnostics[0].code == "MK652"
    elif boat <= 2 * size:
        state, steps = run_reference(load("river_crossing", size=size, boat=boat))
        assert steps == fewest
        assert not state["left"]


def test_three_seats_are_refused_for_six_pairs() -> None:
    with pytest.raises(InputRefused):
        load("river_crossing", size=6, boat=3)


@pytest.mark.parametrize(("size", "boat"), [(3, 4), (4, 4), (5, 4), (6, 4), (7, 4)])
def test_four_seats_take_everyone_over_in_the_fewest_crossings(size: int, boat: int) -> None:
    _, steps = run_reference(load("river_crossing", size=size, boat=boat))
    assert steps == 2 * size - 3
    if size <= 5:
        assert steps == fewest_crossings(size, boat)


@pytest.mark.parametrize("boat", range(4, 25))
@pytest.mark.parametrize("size", [2, 3, 6, 11, 12])
def test_any_larger_boat_takes_everyone_over_as_expected(size: int, boat: int) -> None:
    if boat > 2 * size:
        with pytest.raises(InputRefused):
            load("river_crossing", size=size, boat=boat)
        return
    task = load("river_crossing", size=size, boat=boat)
    states = follow_reference(task)
    assert len(states) - 1 == task.expected_steps
    for before, after in pairwise(states):
        moved = set(before["left"]) ^ set(after["left"])
        assert 0 < len(moved) <= boat
        assert all(map(is_safe, (moved, after["left"], after["right"])))
    assert len(states[-1]["right"]) == 2 * size


# Blocks world ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [*range(2, 13), 27, 30])
def test_blocks_come_to_the_interleaved_goal_in_the_expected_moves(size: int) -> None:
    task = load("blocks_world", size=size)
    state, steps = run_reference(task)
    assert steps == task.expected_steps
    assert state["now"] == task.inputs["goal"]


def test_the_default_blocks_are_laid_out_as_in_the_paper() -> None:
    inputs = load("blocks_world", size=6).inputs
    assert inputs["start"] == [["A", "B", "C"], ["D", "E", "F"], []]
    assert inputs["goal"] == [["F", "C", "E", "B", "D", "A"], [], []]
    assert load("blocks_world", size=5).inputs["goal"] == [["E", "C", "D", "B", "A"], [], []]
    assert load("blocks_world", size=28).inputs["start"][1][-3:] == ["Z", "A1", "B1"]


@st.composite
def layouts(draw: st.DrawFn) -> Mapping[str, Any]:
    size, stacks = draw(st.integers(2, 8)), draw(st.integers(3, 5))
    labels = "ABCDEFGH"[:size]

    def layout() -> list[list[str]]:
        where = draw(st.lists(st.integers(0, stacks - 1), min_size=size, max_size=size))
        piled: list[list[str]] = [[] for _ in range(stacks)]
        for block, stack in zip(draw(st.permutations(labels)), where, strict=True):
            piled[stack].append(block)
        return piled

    return {"size": size, "stacks": stacks, "start": layout(), "goal": layout()}


PROGRAM = api.read_task("blocks_world").program


@settings(max_examples=150, deadline=None)
@given(layouts())
def test_the_strategy_of_blocks_reaches_every_goal_from_every_start(inputs: Mapping[str, Any]) -> None:
    assert PROGRAM is not None
    task = PROGRAM.bind(inputs)
    states = follow_reference(task, 200)
    for before, after in pairwise(states):
        lengths = [len(new) - len(old) for old, new in zip(before["now"], after["now"], strict=True)]
        assert sorted(lengths) == [-1, *[0] * (inputs["stacks"] - 2), 1]
        source, target = lengths.index(-1), lengths.index(1)
        assert after["now"][target] == before["now"][target] + before["now"][source][-1:]
        assert after["now"][source] == before["now"][source][:-1]
    assert states[-1]["now"] == inputs["goal"]


@pytest.mark.parametrize(
    ("inputs", "says"),
    [
        ({"start": [["A", "B"], [], []]}, "`size` is the number of blocks"),
        ({"size": 2, "start": [["A", "A"], [], []]}, "`size` is the number of blocks"),
        ({"goal": [["A", "B", "C", "E"], [], []]}, "the goal has the blocks of the start"),
    ],
)
def test_a_layout_that_can_not_be_is_refused(inputs: Mapping[str, Any], says: str) -> None:
    with pytest.raises(InputRefused) as refused:
        load("blocks_world", **inputs)
    assert says in api.render(refused.value.diagnostics)


# All of them -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "inputs", "steps"),
    [
        ("checker_jumping", {"size": 2}, 8),
        ("checker_jumping", {"size": 12}, 168),
        ("river_crossing", {"size": 2}, 5),
        ("river_crossing", {"size": 3}, 11),
        ("river_crossing", {"size": 5}, 11),
        ("river_crossing", {"size": 20}, 37),
        ("river_crossing", {"size": 20, "boat": 7}, 19),
        ("blocks_world", {"size": 3}, 6),
        ("blocks_world", {"size": 16}, 80),
    ],
)
def test_a_run_with_wrong_and_malformed_replies_ends_right(
    name: str, inputs: Mapping[str, int], steps: int, tmp_path: Path
) -> None:
    task = load(name, **inputs)
    bad = ("simulate.wrong=0.1", "simulate.malformed=0.05", "simulate.seed=3")
    report = api.run(task, overrides=bad, runs=tmp_path, options=api.RunOptions(ahead_by=4))
    assert (report.status, report.steps) == ("done", steps)
    right, _ = run_reference(task)
    assert report.result == right
    verification = api.verify(report.run, runs=tmp_path)
    assert verification.is_good
    assert verification.wrong_steps == 0


def raw(text: str) -> RawReply:
    return RawReply(text, 1, "stop")


def mistakes_that_vote(task: Task, state: State) -> int:
    step = task.next_step(state)
    local = step.state_locals(state)
    assert step.reference is not None
    right = step.vote_key(step.reference(state))
    verdicts = [judge(task, step, state, local, raw(step.reply.render(wrong(state)))) for wrong in step.mistakes]
    return sum(isinstance(verdict, Vote) and verdict.key != right for verdict in verdicts)


@pytest.mark.parametrize(
    ("name", "inputs"),
    [("checker_jumping", {"size": 4}), ("river_crossing", {"size": 9}), ("blocks_world", {"size": 7})],
)
def test_some_mistakes_pass_the_rules_and_only_votes_can_find_them(name: str, inputs: Mapping[str, int]) -> None:
    task = load(name, **inputs)
    states = follow_reference(task)[:-1]
    assert sum(mistakes_that_vote(task, state) > 0 for state in states) >= len(states) // 3
