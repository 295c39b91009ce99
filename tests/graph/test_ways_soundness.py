"""Nothing that happens is missing from the possible ways: random small tasks, carried out with random replies."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from maker_dsl.diagnostics import Source
from maker_dsl.graph.model import DONE, START
from maker_dsl.graph.ways import possible_ways
from maker_dsl.judging import Flag, judge
from maker_dsl.language import check_text
from maker_dsl.task import RawReply, Step, TaskError

PHASES = ["one", "two", "end"]
FIELDS = {
    "phase": ['"one"', '"two"', '"end"', '"two" if reply.b else phase', '"end" if f else "one"'],
    "f": ["true", "false", "reply.b", "not f", "n > 2", 'phase == "two"', "yes", "reply.b and f"],
    "x": ["null", "true", "reply.b", "f", "x"],
    "n": ["0", "3", "n + 1", "n", "(n + 2) % 5"],
    "k": ["null", '"b"', "reply.k", '"a" if reply.b else null', "k"],
}
CHECKS = ["", 'rule "r": reply.b or f', 'flag "f": reply.b', 'rule "r": reply.k == "a"', 'rule "y": yes']
HEAD = """task t {
type Kind = "a" | "b"
state { phase: "one" | "two" | "end" = "one"; f: bool = false; x: bool? = null; n: int = 0; k: Kind? = null }
"""


@st.composite
def conditions(draw: st.DrawFn, depth: int = 2) -> str:
    if depth and draw(st.booleans()):
        operator = draw(st.sampled_from(["and", "or", "and", "not"]))
        left, right = draw(conditions(depth - 1)), draw(conditions(depth - 1))
        return f"not ({left})" if operator == "not" else f"({left} {operator} {right})"
    return draw(
        st.sampled_from(
            [
                *(f'phase {sign} "{phase}"' for phase in PHASES for sign in ("==", "!=")),
                *(
                    "f",
                    "not f",
                    "n > 2",
                    "n == 3",
                    "n != 0",
                    "x == null",
                    "x != null",
                    'k == "a"',
                    'k != "a"',
                    "k == null",
                ),
                *(
                    'phase in ["one", "end"]',
                    'phase not in ["one"]',
                    "n in [0, 1]",
                    "(x ?? false)",
                    "x == true",
                    "f == false",
                ),
            ]
        )
    )


@st.composite
def tasks(draw: st.DrawFn) -> str:
    count = draw(st.integers(1, 4))
    steps = []
    for number in range(count):
        updates = draw(st.lists(st.sampled_from(sorted(FIELDS)), min_size=1, unique=True))
        assignments = "; ".join(f"{name} = {draw(st.sampled_from(FIELDS[name]))}" for name in updates)
        # The last always applies, so that something always goes on.
        when = f"when {draw(conditions())}" if number < count - 1 else ""
        steps.append(
            f"step s{number} {when} {{ let yes = reply.b or n == 3; {draw(st.sampled_from(CHECKS))}\n"
            'prompt "{{ n }} {{ reply.format }}"; reply json { b: bool, k: Kind }\n'
            f"update {{ {assignments} }} }}\n"
        )
    done = draw(st.sampled_from(['phase == "end"', "n == 3 and f", 'k == "b"', "x == true"]))
    return HEAD + f"done when {done}\n" + "".join(steps) + "}\n"


@given(tasks(), st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_every_way_that_is_taken_is_possible(text: str, seed: int) -> None:
    program = check_text(Source("t.maker", text)).program
    if program is None:
        return
    possible = possible_ways(program.checked)
    chance = random.Random(seed)
    task = program.bind()
    for _ in range(10):
        state, source = task.initial_state, START
        for _ in range(8):
            try:
                target = DONE if task.is_done(state) else task.next_step(state).name
            except TaskError:
                break
            assert (source, target) in possible, text
            if target == DONE:
                break
            step = task.step(target)
            assert isinstance(step, Step)
            reply = f'{{"b": {chance.choice(["true", "false"])}, "k": "{chance.choice("ab")}"}}'
            verdict = judge(task, step, state, step.state_locals(state), RawReply(reply, 5, "stop"))
            if not isinstance(verdict, Flag):
                state, source = verdict.state, target
