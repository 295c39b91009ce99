"""A task compiled once, and how it is bound to inputs to become a `task.Task`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from maker_dsl.checker.checked import CheckedInput, CheckedRunStep, CheckedTask
from maker_dsl.compiler.binding import Binding, InputRefused, Remembered
from maker_dsl.compiler.checkers import NO_CHECKERS, BoundCheckers
from maker_dsl.compiler.inputs import InputPlan, bind_inputs, read_input
from maker_dsl.compiler.module import Entry, Module, explain_failure, guarded, shown
from maker_dsl.compiler.runs import RunStepPlan, bind_run_step, plan_run_step
from maker_dsl.compiler.steps import StepPlan, bind_step, outline_step, plan_step
from maker_dsl.compiler.tests import TestPlan, bind_test, plan_test, test_inputs
from maker_dsl.compiler.types import Bounds, ConcreteTypes
from maker_dsl.compiler.votes import plan_settings
from maker_dsl.diagnostics import Diagnostic, Label, Problems, Source, Span
from maker_dsl.expressions.errors import EvaluationError
from maker_dsl.expressions.fuel import is_out_of_fuel, shared_fuel
from maker_dsl.expressions.limits import MAX_STATE_CHARACTERS, MAX_STATE_ITEMS
from maker_dsl.expressions.measure import measure
from maker_dsl.task import (
    Invariant,
    ReplyFormat,
    RunStep,
    State,
    Step,
    Task,
    TaskError,
    TaskOutline,
    TaskTest,
    Value,
    ValueCodec,
)
from maker_dsl.types.codec import codec
from maker_dsl.types.errors import ValueRefused
from maker_dsl.types.type import Member, RecordType, Type

_MAX_STEPS = 2**63 - 1


@dataclass(frozen=True, slots=True)
class TaskInput:
    """An input for people and callers: its erased type, and its default as the author wrote it."""

    name: str
    type: Type
    default: str | None
    place: Span

    @property
    def is_required(self) -> bool:
        """Whether it has no default."""
        return self.default is None


class Program:
    """One task of a file, checked and compiled; `bind` is cheap, so that thousands of records can be bound."""

    def __init__(
        self,
        checked: CheckedTask,
        whole_text: str | None = None,
        programs: Mapping[str, Program] | None = None,
        checkers: BoundCheckers = NO_CHECKERS,
    ) -> None:
        """Compile a task; `whole_text` is its file's text with the grammars and files that it names in it.

        `programs` are those that it may run, by name; they have to be there when it is bound.
        """
        self._checked = checked
        self._programs = {self.name: self} if programs is None else programs
        self._outlines: tuple[TaskOutline, ...] | None = None
        self._own_outline = TaskOutline(
            self.name,
            tuple(outline_step(step) for step in checked.asking_steps),
            checkers.versions,
            checkers.unallowed,
        )
        self._checkers = checkers
        self._whole_text = checked.source.text if whole_text is None else whole_text
        module = Module(checked.typing, checked.source)
        self._bounds = Bounds(module)
        self._plan_types()
        for definition in checked.definitions:
            module.definition(definition)
        self._inputs = tuple(_plan_input(one, index, module) for index, one in enumerate(checked.inputs))
        fields = [(field.name.name, field.initial) for field in checked.state.fields]
        self._initial = tuple(
            module.value(f"initial_{index}", (), initial) for index, (_, initial) in enumerate(fields)
        )
        self._invariants = tuple(
            module.condition(f"invariant_{index}", ("state",), one.condition)
            for index, one in enumerate(checked.invariants)
        )
        self._done = module.condition("done", ("state",), checked.done.condition)
        result = checked.result
        self._result = (
            None
            if result is None
            else module.record("result", ("state",), [(one.name.name, one.value) for one in result.assignments])
        )
        self._expect = None if checked.expect is None else module.value("expect", (), checked.expect.count)
        self._vote = plan_settings(checked.vote, "vote", module)
        self._steps: tuple[StepPlan | RunStepPlan, ...] = tuple(
            plan_run_step(one, index, module)
            if isinstance(one, CheckedRunStep)
            else plan_step(one, index, module, self._bounds)
            for index, one in enumerate(checked.steps)
        )
        self._tests = tuple(plan_test(one, index, module) for index, one in enumerate(checked.tests))
        self._module = module.finish(checkers.functions)
        self._formats: Remembered[ReplyFormat] = Remembered()
        self._codecs: Remembered[ValueCodec] = Remembered()

    @property
    def name(self) -> str:
        """The task's name."""
        return self._checked.name

    @property
    def about(self) -> str | None:
        """What the task says about itself."""
        return self._checked.about

    @property
    def source(self) -> Source:
        """The file."""
        return self._checked.source

    @property
    def place(self) -> Span:
        """Where the task begins in its file: its name."""
        return self._checked.declaration.name.span

    @property
    def inputs(self) -> tuple[TaskInput, ...]:
        """The inputs in the order of the file."""
        return tuple(
            TaskInput(
                one.name,
                one.type,
                None if one.declaration.default is None else one.declaration.default.span.text,
                one.declaration.name.span,
            )
            for one in self._checked.inputs
        )

    @property
    def whole_text(self) -> str:
        """All that the task is, in one text: its file with the grammars and files that it names."""
        return self._whole_text

    @property
    def checked(self) -> CheckedTask:
        """What it was compiled from."""
        return self._checked

    @property
    def programs(self) -> Mapping[str, Program]:
        """The programs that it may run, directly or not, by name, and itself; perhaps others too."""
        return self._programs

    @property
    def outlines(self) -> tuple[TaskOutline, ...]:
        """This task, and all that it may run, directly or not."""
        if self._outlines is None:
            found: dict[str, Program] = {self.name: self}
            waiting = [self]
            for program in waiting:
                for run in program.checked.runs:
                    if run.task not in found:
                        found[run.task] = self._programs[run.task]
                        waiting.append(found[run.task])
            self._outlines = tuple(one._own_outline for one in found.values())
        return self._outlines

    def test_place(self, name: str) -> Span:
        """Where the test of that name begins; raises KeyError."""
        for test in self._checked.tests:
            if test.name.value == name:
                return test.name.span
        raise KeyError(name)

    @property
    def tests(self) -> tuple[TaskTest, ...]:
        """The tests, each over a task bound to its inputs; raises InputRefused when one makes no sense."""
        problems = Problems()
        tests = self.bind_tests(problems)
        if problems.has_errors:
            raise InputRefused(problems.sorted())
        return tests

    def read_inputs(self, texts: Mapping[str, str]) -> dict[str, object]:
        """Input values from texts, as `--set name=text` gives them; unknown names are left for `bind` to refuse."""
        known = {one.name: one for one in self._checked.inputs}
        return {name: read_input(known[name], text) if name in known else text for name, text in texts.items()}

    def bind(self, inputs: Mapping[str, object] | None = None) -> Task:
        """The task over these inputs (decoded JSON or typed values); raises InputRefused."""
        problems = Problems()
        task = self.try_bind(inputs or {}, problems)
        if task is None:
            raise InputRefused(problems.sorted())
        return task

    def try_bind(self, inputs: Mapping[str, object], problems: Problems) -> Task | None:
        """The task over these inputs, or None with what is wrong in `problems`."""
        try:
            with shared_fuel():
                return self._bind(inputs, problems)
        except InputRefused:
            return None
        except TaskError as error:
            problems.extend([error.diagnostic])
            return None

    def bind_tests(self, problems: Problems) -> tuple[TaskTest, ...]:
        """The tests that can be bound; what is wrong with the others goes to `problems`."""
        unbound = self._module.bind({})
        bound: list[TaskTest] = []
        tasks: dict[str, tuple[Task | None, Problems]] = {}
        for plan in self._tests:
            if is_out_of_fuel():
                break
            values = test_inputs(plan, unbound, problems)
            key = repr(sorted(values.items(), key=lambda item: item[0]))
            if key not in tasks:
                found = Problems()
                tasks[key] = (self.try_bind(values, found), found)
                problems.extend(_moved_to_test(one, plan) for one in found)
            task = tasks[key][0]
            if task is None:
                continue
            test = bind_test(plan, task, self._module.bind(task.inputs), problems)
            if test is not None:
                bound.append(test)
        return tuple(bound)

    def _plan_types(self) -> None:
        checked = self._checked
        for one in checked.inputs:
            self._bounds.add(one.declaration.type)
        for declaration in checked.types.values():
            self._bounds.add(declaration.type)
        for field in checked.state.fields:
            self._bounds.add(field.type)

    def _bind(self, given: Mapping[str, object], problems: Problems) -> Task:
        checked = self._checked

        def types_over(entries: Mapping[str, Entry]) -> ConcreteTypes:
            return ConcreteTypes(checked.types, self._bounds, entries, problems)

        bound = bind_inputs(self._inputs, given, self._module, types_over, self._codec, problems)
        if problems.has_errors:
            raise InputRefused(problems.sorted())
        entries = self._module.bind(bound.values)
        binding = Binding(bound.values, entries, types_over(entries), problems, self._codec, self._formats)
        state_type = RecordType(
            tuple(Member(field.name.name, binding.types.resolve(field.type)) for field in checked.state.fields)
        )
        binding.stop_on_errors()
        state_codec = self._codec("state", state_type)
        initial = self._initial_state(binding, state_codec)
        invariants = self._bind_invariants(binding, initial)
        state_names = frozenset(field.name.name for field in checked.state.fields)
        placed = tuple(zip(invariants, (one.condition.span for one in checked.invariants), strict=False))
        steps = tuple(
            bind_run_step(plan, self._programs, state_codec, placed, binding)
            if isinstance(plan, RunStepPlan)
            else bind_step(plan, self._vote, state_names, binding)
            for plan in self._steps
        )
        expected = self._expected_steps(binding)
        binding.stop_on_errors()
        return Task(
            name=self.name,
            about=self.about,
            source_name=self.source.name,
            source_text=self._whole_text,
            inputs=bound.values,
            inputs_codec=self._codec("inputs", RecordType(bound.members)),
            state_codec=state_codec,
            initial_state=initial,
            steps=tuple(step for step in steps if isinstance(step, Step)),
            invariants=invariants,
            is_done=guarded(entries[self._done], checked.done.condition.span, "`done when`"),
            result=self._bind_result(entries),
            result_codec=state_codec if checked.result is None else self._codec("result", checked.result.type),
            expected_steps=expected,
            next_step=_next_step(steps, checked),
            run_steps=tuple(step for step in steps if isinstance(step, RunStep)),
            outlines=self.outlines,
        )

    def _codec(self, place: str, type_: Type) -> ValueCodec:
        """The codec of a type; per place, since equal types may bear different names in messages."""
        return self._codecs.get((place, type_), lambda: codec(type_))

    def _initial_state(self, binding: Binding, state_codec: ValueCodec) -> State:
        fields = self._checked.state.fields
        values: dict[str, Value] = {}
        for field, entry in zip(fields, self._initial, strict=True):
            try:
                values[field.name.name] = binding.entries[entry]()
            except EvaluationError as error:
                what = f"the initial value of `{field.name.name}`"
                finding = explain_failure(error, field.initial.span, what)
                binding.problems.add("MK361", finding.title, finding.primary.span, finding.primary.text)
                if is_out_of_fuel():
                    break
        binding.stop_on_errors()
        try:
            state: State = state_codec.validate(values)
        except ValueRefused as error:
            name = error.path.split(".")[0].split("[")[0]
            place = next((one.initial.span for one in fields if one.name.name == name), fields[0].span)
            title = f"the initial value of `{name}` doesn't fit its type"
            binding.problems.add("MK357", title, place, error.message if error.path == name else str(error))
            raise InputRefused(binding.problems.sorted()) from error
        items, characters = measure(values)
        for count, most, what in ((items, MAX_STATE_ITEMS, "items"), (characters, MAX_STATE_CHARACTERS, "characters")):
            if count > most:
                label = f"{count:,} {what} in all, {most:,} are allowed"
                binding.problems.add("MK361", "the initial state is too large", _state_place(self._checked), label)
        binding.stop_on_errors()
        return state

    def _bind_invariants(self, binding: Binding, initial: State) -> tuple[Invariant, ...]:
        made: list[Invariant] = []
        for one, name in zip(self._checked.invariants, self._invariants, strict=True):
            holds = binding.entries[name]
            made.append(Invariant(one.why.value, holds))
            try:
                broken = not holds(initial)
            except EvaluationError as error:
                finding = explain_failure(error, one.condition.span, "the invariant")
                binding.problems.add("MK361", finding.title, finding.primary.span, finding.primary.text)
                if is_out_of_fuel():
                    break
                continue
            if broken:
                also = [Label(_state_place(self._checked), "the initial state")]
                title = "the initial state breaks an invariant"
                binding.problems.add("MK358", title, one.condition.span, "this does not hold", also=also)
        return tuple(made)

    def _bind_result(self, entries: Mapping[str, Entry]) -> Callable[[State], Value]:
        result = self._checked.result
        if self._result is None or result is None:
            return lambda state: state
        return guarded(entries[self._result], result.assignments[0].span, "the result")

    def _expected_steps(self, binding: Binding) -> int | None:
        expect = self._checked.expect
        if self._expect is None or expect is None:
            return None
        try:
            count: int = binding.entries[self._expect]()
        except EvaluationError as error:
            finding = explain_failure(error, expect.count.span, "the number of expected steps")
            binding.problems.add("MK361", finding.title, finding.primary.span, finding.primary.text)
            return None
        if count < 0:
            title = "a number of steps can't be negative"
            binding.problems.add("MK362", title, expect.count.span, f"this is {shown(count)}")
        elif count > _MAX_STEPS:
            title = "this number of steps is too large: at most 2 ** 63 - 1 can be expected"
            binding.problems.add("MK362", title, expect.count.span, f"this is {shown(count)}")
        return count


def _plan_input(one: CheckedInput, index: int, module: Module) -> InputPlan:
    default = one.declaration.default
    return InputPlan(one, None if default is None else module.value(f"default_{index}", (), default))


def _state_place(checked: CheckedTask) -> Span:
    fields = checked.state.fields
    return fields[0].span.to(fields[-1].span) if fields else checked.state.span


def _next_step(steps: tuple[Step | RunStep, ...], checked: CheckedTask) -> Callable[[State], Step | RunStep]:
    def next_step(state: State) -> Step | RunStep:
        for step in steps:
            if step.applies(state):
                return step
        raise TaskError(
            Diagnostic(
                "MK392",
                "no step applies in this state, and the task is not done",
                Label(checked.done.condition.span, "this does not hold yet"),
                help="add a step without `when` at the end, or widen a `when`",
            )
        )

    return next_step


def _moved_to_test(diagnostic: Diagnostic, plan: TestPlan) -> Diagnostic:
    """A finding about values that a test's `with` gives has no place in the file but the test."""
    if diagnostic.primary.span.source is plan.test.span.source:
        return diagnostic
    place = plan.test.inputs[0].span.to(plan.test.inputs[-1].span) if plan.test.inputs else plan.test.name.span
    return Diagnostic(diagnostic.code, diagnostic.title, Label(place, diagnostic.primary.text), help=diagnostic.help)
