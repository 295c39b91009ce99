"""What tests of task files share: following a task's reference to the end."""

from __future__ import annotations

from maker_dsl.judging import Vote, judge
from maker_dsl.task import RawReply, State, Task


def run_reference(task: Task, most: int = 1_000) -> tuple[State, int]:
    """The last state and the number of steps when every reply is the reference's, in its canonical text."""
    states = follow_reference(task, most)
    return states[-1], len(states) - 1


def follow_reference(task: Task, most: int = 1_000) -> list[State]:
    """All states from the first to the last when every reply is the reference's, in its canonical text."""
    states = [task.initial_state]
    while not task.is_done(states[-1]):
        state = states[-1]
        step = task.next_step(state)
        local = step.state_locals(state)
        step.render(state, local)
        assert step.reference is not None
        text = step.reply.render(step.reference(state))
        verdict = judge(task, step, state, local, RawReply(text, 1, "stop"))
        assert isinstance(verdict, Vote), verdict
        states.append(verdict.state)
        assert len(states) <= most + 1
    return states
