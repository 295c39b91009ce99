"""Runs the tests in task files. Pure; used by `maker test` and by pytest.

A test's reply goes through the same judgement as a model's. It counts as ended by itself (`reply.finish` is `stop`),
and its length in tokens is estimated (`tokens`).
"""

from __future__ import annotations

from dataclasses import dataclass

from maker_dsl.compiler.binding import InputRefused
from maker_dsl.compiler.checkers import UNALLOWED
from maker_dsl.compiler.program import Program
from maker_dsl.diagnostics import Diagnostic, Label, Source
from maker_dsl.diagnostics.source import Position
from maker_dsl.expressions.fuel import is_out_of_fuel
from maker_dsl.judging import Flag, Verdict, judge
from maker_dsl.language import Checked
from maker_dsl.task import RawReply, RunStep, State, Step, TaskError, TaskTest
from maker_dsl.templates.notation import json_notation
from maker_dsl.tokens import estimate_tokens


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a test went: `differences` is empty when it passed; `offset` is a place in the test's reply."""

    name: str
    differences: tuple[str, ...]
    offset: int | None = None
    verdict: Verdict | None = None
    unallowed: Diagnostic | None = None
    """The plug-in that the test needs, where it is not allowed."""

    @property
    def passed(self) -> bool:
        """Whether all was as the test says."""
        return not self.differences

    @property
    def why(self) -> str:
        """What differed, in one text; empty when the test passed."""
        return "; ".join(self.differences)


@dataclass(frozen=True, slots=True)
class FileTest:
    """A test as people find it: its program, its name (with the task's where a file has several), its place."""

    program: Program
    test: TaskTest
    name: str
    place: Position


def tests_of(checked: Checked) -> tuple[FileTest, ...]:
    """All tests that stand in a checked file, in the order of its tasks; raises InputRefused for one without sense."""
    own = [program for program in checked.programs if program.source.name == checked.source.name]
    found = [(program, test) for program in own for test in program.tests]
    is_alone = len({program.name for program, _ in found}) < 2
    return tuple(
        FileTest(
            program,
            test,
            test.name if is_alone else f"{program.name}: {test.name}",
            program.source.position(program.test_place(test.name).start),
        )
        for program, test in found
    )


def failure_text(file: str, name: str, why: str) -> str:
    """A failed test for people: the same for `maker test` and pytest."""
    return f"FAILED {file}: {name}\n    {why}"


def run_test(test: TaskTest) -> Outcome:
    """Judge the test's reply in its state and compare with what it expects; never raises."""
    try:
        step = test.task.next_step(test.state) if test.step is None else test.task.step(test.step)
        if not isinstance(step, Step):
            return Outcome(test.name, (_runs_tasks(step),))
        if not step.applies(test.state):
            return Outcome(test.name, (f"step `{step.name}` does not apply in the given state",))
        return _judge(test, step)
    except TaskError as error:
        found = error.diagnostic
        if found.code == UNALLOWED:
            return Outcome(test.name, (f"{found.title}; {found.help}",), unallowed=found)
        label = found.primary.text
        return Outcome(test.name, (f"{found.title}: {label}" if label else found.title,))


def _runs_tasks(step: RunStep) -> str:
    names = " and ".join(f"`{name}`" for name in step.tasks)
    return f"step `{step.name}` runs {names} and asks no model, so there is no reply to judge: test what it runs"


def failed_tests(program: Program) -> tuple[Diagnostic, ...]:
    """The tests of a program that fail, as findings in its file; raises InputRefused when one makes no sense.

    Tests that need a plug-in which is not allowed are left out, and those for which shared fuel doesn't last.
    """
    found: list[Diagnostic] = []
    try:
        tests = program.tests
    except InputRefused:
        if is_out_of_fuel():
            return ()
        raise
    for test in tests:
        outcome = run_test(test)
        if is_out_of_fuel():
            break
        if not outcome.passed and outcome.unallowed is None:
            label = Label(program.test_place(test.name), outcome.why)
            found.append(Diagnostic("MK460", f'the test "{test.name}" fails', label))
    return tuple(found)


def _judge(test: TaskTest, step: Step) -> Outcome:
    raw = RawReply(test.reply, estimate_tokens(test.reply), "stop")
    verdict = judge(test.task, step, test.state, step.state_locals(test.state), raw)
    if isinstance(verdict, Flag):
        return _compare_flag(test, verdict)
    if test.verdict == "reject":
        why = "" if test.reason is None else f' for "{test.reason}"'
        leads = f"the reply was accepted, not rejected{why}; it leads to {_show(verdict.state)}"
        return Outcome(test.name, (leads,), None, verdict)
    failed = [
        f"`{text}` does not hold of the new state {_show(verdict.state)}"
        for text, holds in test.then
        if not holds(verdict.state)
    ]
    return Outcome(test.name, tuple(failed), None, verdict)


def _compare_flag(test: TaskTest, flag: Flag) -> Outcome:
    found = f'rejected for "{flag.name}": {flag.detail}'
    if flag.offset is not None:
        at = Source("the reply", test.reply).position(flag.offset)
        found += f" (line {at.line}, column {at.column} of the reply)"
    if test.verdict == "accept":
        return Outcome(test.name, (f"the reply was not accepted but {found}",), flag.offset, flag)
    if test.reason is not None and test.reason != flag.name:
        return Outcome(test.name, (f'not rejected for "{test.reason}" but {found}',), flag.offset, flag)
    return Outcome(test.name, (), flag.offset, flag)


def _show(state: State) -> str:
    return json_notation(state)
