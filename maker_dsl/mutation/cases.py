"""Right replies to corrupt: those of a task's accepted tests, and the reference's on the way that it takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from maker_dsl.compiler.checkers import UNALLOWED
from maker_dsl.diagnostics import Diagnostic
from maker_dsl.judging import Flag, Vote, judge
from maker_dsl.task import Locals, RawReply, RunStep, State, Step, Task, TaskError, TaskTest
from maker_dsl.tokens import estimate_tokens
from maker_dsl.types.errors import ValueRefused

LONGEST_WALK = 200
"""So many steps of the reference's path are looked at."""

STATES_PER_WALK = 12
"""So many states of one path are taken: the first of each kind of step, the others by lot."""

MOST_WALKS = 6
"""Over so many different inputs the reference is followed."""

LONGEST_WORDS = 80


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


@dataclass(slots=True)
class Collection:
    """All right replies that were found, and what kept others from being."""

    cases: list[Case] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unallowed: Diagnostic | None = None
    """The plug-in that the task needs, where it is not allowed."""


def collect_cases(default: Task | None, tests: Sequence[TaskTest], seed: int) -> Collection:
    """The right replies of a task's tests, and of its reference over its default inputs and those of the tests."""
    found = Collection()
    for test in tests:
        if test.verdict == "accept":
            _add_test(test, found)
    for task, words in _distinct_tasks(default, tests):
        found.cases += _chosen(list(_walk(task, words, found)), Random(f"{seed} walk"))
    return found


def _add_test(test: TaskTest, found: Collection) -> None:
    why = "it fails"
    try:
        step = test.task.next_step(test.state) if test.step is None else test.task.step(test.step)
        if isinstance(step, Step) and step.applies(test.state):
            case = _case(f'the test "{test.name}"', test.task, step, test.state, test.reply, is_from_test=True)
            if isinstance(case, Case):
                found.cases.append(case)
                return
    except TaskError as error:
        why = _take_error(error, found)
    found.notes.append(f'the test "{test.name}" was left out: {why}')


def _distinct_tasks(default: Task | None, tests: Sequence[TaskTest]) -> list[tuple[Task, str]]:
    """The task over its default inputs and over those of its tests, each with words for the inputs."""
    found: dict[str, tuple[Task, str]] = {}
    for task in ([default] if default is not None else []) + [test.task for test in tests]:
        key = task.inputs_codec.dump(dict(task.inputs)).decode()
        found.setdefault(key, (task, "" if task is default else f" with {_shortened(key)}"))
    return list(found.values())[:MOST_WALKS]


def _chosen(walked: list[Case], random: Random) -> list[Case]:
    first = {case.step.name: number for number, case in reversed(list(enumerate(walked)))}
    others = [number for number in range(len(walked)) if number not in first.values()]
    more = max(0, STATES_PER_WALK - len(first))
    chosen = {*first.values(), *random.sample(others, min(more, len(others)))}
    return [walked[number] for number in sorted(chosen)]


def _walk(task: Task, words: str, found: Collection) -> Iterator[Case]:
    """The reference's replies, from the initial state on; a note says why they end before the task does."""
    state = task.initial_state
    for number in range(1, LONGEST_WALK + 1):
        try:
            if task.is_done(state):
                return
            step = task.next_step(state)
            if isinstance(step, RunStep):
                why = f"step `{step.name}` runs {' and '.join(f'`{name}`' for name in step.tasks)}"
            elif step.reference is None:
                return
            else:
                text = step.reply.render(step.reference(state))
                case = _case(f"the reference at step {number:,}{words}", task, step, state, text, is_from_test=False)
                if isinstance(case, Case):
                    yield case
                    state = case.right.state
                    continue
                why = f"its reply is refused for “{case.name}”"
        except TaskError as error:
            why = _take_error(error, found)
        except ValueRefused as error:
            why = f"it gives no reply of the step's form: {error}"
        found.notes.append(f"the reference's way{words} was followed up to step {number:,}: {why}")
        return


def _take_error(error: TaskError, found: Collection) -> str:
    if error.diagnostic.code == UNALLOWED:
        found.unallowed = error.diagnostic
    return error.diagnostic.title


def _case(origin: str, task: Task, step: Step, state: State, text: str, *, is_from_test: bool) -> Case | Flag:
    local = step.state_locals(state)
    verdict = judge(task, step, state, local, RawReply(text, estimate_tokens(text), "stop"))
    if isinstance(verdict, Flag):
        return verdict
    return Case(origin, task, step, state, local, text, verdict, is_from_test)


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_WORDS else text[: LONGEST_WORDS - 1] + "…"
