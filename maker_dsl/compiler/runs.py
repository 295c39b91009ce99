"""Compiles steps that run tasks: once per task file to entries, then per set of inputs to `task.RunStep`s."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from maker_dsl.checker.checked import CheckedRun, CheckedRunStep
from maker_dsl.checker.places import head
from maker_dsl.compiler.binding import Binding, InputRefused
from maker_dsl.compiler.module import Entry, Module, explain_failure, guarded
from maker_dsl.diagnostics import Diagnostic, Label, Span
from maker_dsl.expressions.errors import EvaluationError
from maker_dsl.task import Invariant, Locals, RunStep, State, SubTask, Task, TaskError, Value, ValueCodec
from maker_dsl.types.errors import ValueRefused


class Bindable(Protocol):
    """A task that can be bound to inputs: a program."""

    def bind(self, inputs: Mapping[str, object] | None = None) -> Task:
        """The task over these inputs; raises InputRefused."""
        ...


@dataclass(frozen=True, slots=True)
class RunStepPlan:
    """A step compiled but not yet bound: the names of its entries; `inputs` has one for each `run`."""

    checked: CheckedRunStep
    when: str | None
    lets: str | None
    inputs: tuple[str, ...]
    result_lets: str | None
    update: str


def plan_run_step(checked: CheckedRunStep, index: int, module: Module) -> RunStepPlan:
    """Add a step's entries to the module. Results are found where `let`s are: in `local`."""
    prefix = f"step_{index}"
    lets = [(let.name, let.value) for let in checked.lets]
    late = [(let.name, let.value) for let in checked.result_lets]
    updates = [(one.name.name, one.value) for one in checked.update.assignments]
    return RunStepPlan(
        checked=checked,
        when=None if checked.when is None else module.condition(f"{prefix}_when", ("state",), checked.when),
        lets=module.lets(f"{prefix}_lets", ("state",), lets) if lets else None,
        inputs=tuple(
            module.value(f"{prefix}_run_{number}", ("state", "local"), run.inputs)
            for number, run in enumerate(checked.runs)
        ),
        result_lets=module.lets(f"{prefix}_result_lets", ("state", "local"), late) if late else None,
        update=module.record(f"{prefix}_update", ("state", "local"), updates, base="state"),
    )


def bind_run_step(
    plan: RunStepPlan,
    tasks: Mapping[str, Bindable],
    state_codec: ValueCodec,
    invariants: Sequence[tuple[Invariant, Span]],
    binding: Binding,
) -> RunStep:
    """A step over one set of inputs; `invariants` come with their places."""
    checked, entries = plan.checked, binding.entries
    what = f"step `{checked.name}`"
    return RunStep(
        name=checked.name,
        applies=_always
        if plan.when is None or checked.when is None
        else guarded(entries[plan.when], checked.when.span, f"the `when` of {what}"),
        state_locals=_no_locals
        if plan.lets is None
        else guarded(entries[plan.lets], checked.lets[0].value.span, f"a `let` of {what}"),
        runs=tuple(_bind_run(run, entries[name], tasks) for run, name in zip(checked.runs, plan.inputs, strict=True)),
        update=_bind_update(plan, state_codec, invariants, entries),
    )


def _always(_state: State) -> bool:
    return True


def _no_locals(_state: State) -> Locals:
    return {}


def _bind_run(run: CheckedRun, entry: Entry, tasks: Mapping[str, Bindable]) -> SubTask:
    declaration = run.declaration
    inputs = guarded(entry, declaration.task.span, f"the inputs of `{run.task}`")

    def bind(given: Mapping[str, object]) -> Task:
        try:
            return tasks[run.task].bind(given)
        except InputRefused as refused:
            raise TaskError(_refusal(run, refused.diagnostics[0])) from refused

    return SubTask(
        name=run.name,
        task=run.task,
        is_many=declaration.each is not None,
        inputs=lambda state, local: tuple(inputs(state, local)),
        bind=bind,
    )


def _refusal(run: CheckedRun, finding: Diagnostic) -> Diagnostic:
    """Why a task can't be run with these inputs, at the argument that is wrong, else at the task's name."""
    arguments = {one.name.name: one for one in run.declaration.arguments}
    argument = arguments.get(finding.secondary[0].span.text) if finding.code == "MK652" else None
    if argument is not None:
        title = f"`{run.task}` refuses the input `{argument.name.name}`: {finding.primary.text}"
        return Diagnostic("MK393", title, Label(argument.value.span, "this is its value"), finding.secondary)
    title = f"`{run.task}` can't be run with these inputs: {finding.title}"
    return Diagnostic(
        "MK393", title, Label(run.declaration.task.span), (finding.primary, *finding.secondary), finding.help
    )


def _bind_update(
    plan: RunStepPlan,
    state_codec: ValueCodec,
    invariants: Sequence[tuple[Invariant, Span]],
    entries: Mapping[str, Entry],
) -> Callable[[State, Locals, Mapping[str, Value]], State]:
    checked = plan.checked
    what = f"step `{checked.name}`"
    place = head(checked.update.span)
    compute = guarded(entries[plan.update], place, f"the `update` of {what}")
    late = None
    if plan.result_lets is not None:
        late = guarded(entries[plan.result_lets], checked.result_lets[0].value.span, f"a `let` of {what}")

    def update(state: State, local: Locals, results: Mapping[str, Value]) -> State:
        known: dict[str, Any] = {**local, **results}
        if late is not None:
            known = late(state, known)
        try:
            new: State = state_codec.validate(compute(state, known))
        except ValueRefused as error:
            raise TaskError(_misfit(checked, error)) from error
        for invariant, span in invariants:
            try:
                holds = invariant.holds(new)
            except EvaluationError as error:
                raise TaskError(explain_failure(error, span, "the invariant")) from error
            if not holds:
                title = f"the new state of {what} breaks the invariant “{invariant.why}”"
                raise TaskError(Diagnostic("MK394", title, Label(place), (Label(span, "this does not hold"),)))
        return new

    return update


def _misfit(checked: CheckedRunStep, error: ValueRefused) -> Diagnostic:
    field = error.path.split(".")[0].split("[")[0]
    assigned = {one.name.name: one.value.span for one in checked.update.assignments}
    title = f"the new state of step `{checked.name}` doesn't fit its type"
    label = error.message if error.path == field else str(error)
    return Diagnostic("MK394", title, Label(assigned.get(field, head(checked.update.span)), label))
