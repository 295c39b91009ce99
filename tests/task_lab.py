"""What tests of task files share: following a task's reference to the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from maker_dsl.judging import Vote, judge
from maker_dsl.task import RawReply, RunStep, State, SubTask, Task, Value


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
        if isinstance(step, RunStep):
            results = {run.name: _results_of(run, run.inputs(state, local), most) for run in step.runs}
            states.append(step.update(state, local, results))
            continue
        step.render(state, local)
        assert step.reference is not None
        text = step.reply.render(step.reference(state))
        verdict = judge(task, step, state, local, RawReply(text, 1, "stop"))
        assert isinstance(verdict, Vote), verdict
        states.append(verdict.state)
        assert len(states) <= most + 1
    return states


def _results_of(run: SubTask, inputs: Sequence[Mapping[str, Value]], most: int) -> Value:
    tasks = [run.bind(one) for one in inputs]
    results = [task.result(run_reference(task, most)[0]) for task in tasks]
    return results if run.is_many else results[0]
