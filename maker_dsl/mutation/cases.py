"""Right replies to corrupt: those of a task's accepted tests, and the reference's on the way that it takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from random import Random

from maker_dsl.judging import Vote, judge
from maker_dsl.task import Locals, RawReply, State, Step, Task, TaskError, TaskTest
from maker_dsl.tokens import estimate_tokens
from maker_dsl.types.errors import ValueRefused

LONGEST_WALK = 200
"""So many steps of the reference's path are looked at."""

STATES_PER_WALK = 12
"""So many states of one path are taken: the first of each kind of step, the others by lot."""


@dataclass(frozen=True, slots=True)
class Case:
    """A right reply: where it is from, the state and step that it answers, its text, and the vote that it is."""

    origin: str
    task: Task
    step: Step
    state: State
    state_locals: Locals
    text: str
    right: Vote
    is_from_test: bool


def case_of_test(test: TaskTest) -> Case | None:
    """The reply of a test that accepts it; None where the test says `reject`, or fails."""
    if test.verdict != "accept":
        return None
    try:
        step = test.task.next_step(test.state) if test.step is None else test.task.step(test.step)
        if not isinstance(step, Step) or not step.applies(test.state):
            return None
        return _case(f'the test "{test.name}"', test.task, step, test.state, test.reply, is_from_test=True)
    except TaskError:
        return None


def cases_of_reference(task: Task, words: str, random: Random) -> list[Case]:
    """Some of the replies that the reference gives on its way; `words` say which inputs the task is bound to."""
    walked = list(_walk(task, words))
    first = {case.step.name: number for number, case in reversed(list(enumerate(walked)))}
    others = [number for number in range(len(walked)) if number not in first.values()]
    more = max(0, STATES_PER_WALK - len(first))
    chosen = {*first.values(), *random.sample(others, min(more, len(others)))}
    return [walked[number] for number in sorted(chosen)]


def distinct_tasks(default: Task | None, tests: Iterable[TaskTest], most: int = 6) -> list[tuple[Task, str]]:
    """The task over its default inputs and over those of its tests, each with words for the inputs."""
    found: dict[str, tuple[Task, str]] = {}
    for task in ([default] if default is not None else []) + [test.task for test in tests]:
        key = task.inputs_codec.dump(dict(task.inputs)).decode()
        words = "" if task is default else f" with {key}"
        found.setdefault(key, (task, words))
    return list(found.values())[:most]


def _walk(task: Task, words: str) -> Iterator[Case]:
    state = task.initial_state
    for number in range(1, LONGEST_WALK + 1):
        try:
            if task.is_done(state):
                return
            step = task.next_step(state)
            if not isinstance(step, Step) or step.reference is None:
                return
            text = step.reply.render(step.reference(state))
            case = _case(f"the reference at step {number:,}{words}", task, step, state, text, is_from_test=False)
        except (TaskError, ValueRefused):
            return
        if case is None:
            return
        yield case
        state = case.right.state


def _case(origin: str, task: Task, step: Step, state: State, text: str, *, is_from_test: bool) -> Case | None:
    local = step.state_locals(state)
    verdict = judge(task, step, state, local, RawReply(text, estimate_tokens(text), "stop"))
    if not isinstance(verdict, Vote):
        return None
    return Case(origin, task, step, state, local, text, verdict, is_from_test)
