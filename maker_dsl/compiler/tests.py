"""Compiles tests: the state they give, and what they expect of the new one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from maker_dsl.checker.places import head
from maker_dsl.compiler.module import Entry, Module, explain_failure, guarded
from maker_dsl.diagnostics import Problems
from maker_dsl.expressions.errors import EvaluationError
from maker_dsl.syntax import tree
from maker_dsl.task import Task, TaskTest
from maker_dsl.types.errors import ValueRefused


@dataclass(frozen=True, slots=True)
class TestPlan:
    """A test's entries; `inputs` is bound to nothing, the others to the test's inputs."""

    __test__ = False

    test: tree.Test
    inputs: str | None
    given: str | None
    then: tuple[str, ...]


def plan_test(test: tree.Test, index: int, module: Module) -> TestPlan:
    """Add a test's entries to the module."""
    prefix = f"test_{index}"
    inputs = [(one.name.name, one.value) for one in test.inputs]
    given = [(one.name.name, one.value) for one in test.given]
    return TestPlan(
        test=test,
        inputs=module.record(f"{prefix}_inputs", (), inputs) if inputs else None,
        given=module.record(f"{prefix}_given", (), given) if given else None,
        then=tuple(
            module.condition(f"{prefix}_then_{number}", ("state",), condition)
            for number, condition in enumerate(test.then)
        ),
    )


def test_inputs(plan: TestPlan, unbound: Mapping[str, Entry], problems: Problems) -> Mapping[str, Any]:
    """The inputs that a test's `with` gives."""
    if plan.inputs is None:
        return {}
    try:
        values: Mapping[str, Any] = unbound[plan.inputs]()
    except EvaluationError as error:
        finding = explain_failure(error, plan.test.inputs[0].span, "the `with` of this test")
        problems.add("MK361", finding.title, finding.primary.span, finding.primary.text)
        return {}
    return values


def bind_test(plan: TestPlan, task: Task, entries: Mapping[str, Entry], problems: Problems) -> TaskTest | None:
    """A test over its task; a given state that is none is reported."""
    test = plan.test
    state = task.initial_state
    if plan.given is not None:
        try:
            state = task.state_codec.validate({**state, **entries[plan.given]()})
        except EvaluationError as error:
            finding = explain_failure(error, test.given[0].span, "the given state")
            problems.add("MK361", finding.title, finding.primary.span, finding.primary.text)
            return None
        except ValueRefused as error:
            field = error.path.split(".")[0].split("[")[0]
            place = next((one.value.span for one in test.given if one.name.name == field), test.given[0].span)
            problems.add("MK360", "the given state doesn't fit its type", place, str(error))
            return None
        for invariant in task.invariants:
            try:
                holds = invariant.holds(state)
            except EvaluationError:
                holds = False
            if not holds:
                title = f'the given state breaks the invariant "{invariant.why}"'
                span = test.given[0].span.to(test.given[-1].span)
                problems.add("MK360", title, span, help="no run ever gets into this state")
                return None
    return TaskTest(
        name=test.name.value,
        task=task,
        state=state,
        step=None if test.step is None else test.step.name,
        reply=test.reply.value,
        verdict=test.verdict,
        reason=None if test.reason is None else test.reason.value,
        then=tuple(
            (condition.span.text, _condition(entries[name], condition))
            for condition, name in zip(test.then, plan.then, strict=True)
        ),
    )


def _condition(entry: Entry, condition: tree.Expression) -> Callable[[Any], bool]:
    def holds(state: Any) -> Any:
        try:
            return entry(state)
        except TypeError as error:
            # A `then` may look into an optional field; the checker lets nothing else through that could end here.
            raise EvaluationError("something that it looks into is null") from error

    return guarded(holds, head(condition.span), "this `then`")
