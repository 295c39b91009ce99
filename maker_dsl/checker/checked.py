"""What the checker hands to the compiler: a task whose names and types are known to be right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from maker_dsl.checker.scope import FunctionBinding
from maker_dsl.checker.static import Typing
from maker_dsl.checker.templates import CheckedTemplate
from maker_dsl.diagnostics import Source
from maker_dsl.syntax import tree
from maker_dsl.types.type import RecordType, Type


@dataclass(frozen=True, slots=True)
class CheckedInput:
    """An input with its erased type."""

    declaration: tree.Input
    type: Type

    @property
    def name(self) -> str:
        """The name under which callers give it."""
        return self.declaration.name.name


@dataclass(frozen=True, slots=True)
class CheckedLet:
    """A `let` of a step or reference; with `looks_at_reply` it exists only once there is a reply."""

    name: str
    value: tree.Expression
    type: Type
    looks_at_reply: bool


@dataclass(frozen=True, slots=True)
class CheckedOn:
    """`vote { on e }` as it applies to one step, with the type of what must be shared."""

    value: tree.Expression
    type: Type


@dataclass(frozen=True, slots=True)
class CheckedWording:
    """A `prompt variant`."""

    name: str
    template: CheckedTemplate


@dataclass(frozen=True, slots=True)
class CheckedVote:
    """What the `vote` blocks of a task say."""

    settings: tuple[tree.VoteSetting, ...]
    ladder: tuple[tree.Rung, ...]


@dataclass(frozen=True, slots=True)
class CheckedStep:
    """A step with all its parts; `reply_type` is erased."""

    name: str
    declaration: tree.Step
    when: tree.Expression | None
    lets: tuple[CheckedLet, ...]
    system: CheckedTemplate | None
    prompt: CheckedTemplate
    variants: tuple[CheckedWording, ...]
    profile: tree.Text | None
    format_prompt: CheckedTemplate | None
    """The template of `then format with`, if it has one."""
    reply: tree.Reply
    grammar: str | None
    reply_type: RecordType
    checks: tuple[tree.Check, ...]
    update: tree.Update
    vote: tuple[tree.VoteSetting, ...]
    ladder: tuple[tree.Rung, ...]
    """Its own, or else the task's."""
    vote_on: CheckedOn | None
    reference: tree.Reference | None
    reference_lets: tuple[CheckedLet, ...]


@dataclass(frozen=True, slots=True)
class CheckedRun:
    """A `run` of a step; `inputs` gives a list with the inputs of each sub-run."""

    name: str
    task: str
    declaration: tree.Run
    inputs: tree.Expression


@dataclass(frozen=True, slots=True)
class CheckedRunStep:
    """A step that runs tasks; `result_lets` are those of its `let`s that look at results."""

    name: str
    declaration: tree.Step
    when: tree.Expression | None
    lets: tuple[CheckedLet, ...]
    runs: tuple[CheckedRun, ...]
    result_lets: tuple[CheckedLet, ...]
    update: tree.Update


@dataclass(frozen=True, slots=True)
class CheckedChecker:
    """A function that a plug-in provides, with its erased types."""

    declaration: tree.Checker
    function: FunctionBinding

    @property
    def name(self) -> str:
        """The name under which the task calls it, and the plug-in offers it."""
        return self.function.name

    @property
    def plugin(self) -> str:
        """The plug-in's name."""
        return self.declaration.plugin.value


@dataclass(frozen=True, slots=True)
class CheckedResult:
    """What the run yields: assignments with their inferred types."""

    assignments: tuple[tree.Assignment, ...]
    type: RecordType


@dataclass(frozen=True, slots=True)
class CheckedTask:
    """One task of a file, ready to be compiled."""

    source: Source
    declaration: tree.TaskDeclaration
    about: str | None
    inputs: tuple[CheckedInput, ...]
    types: Mapping[str, tree.TypeDeclaration]
    definitions: tuple[tree.Definition, ...]
    state: tree.StateBlock
    invariants: tuple[tree.Invariant, ...]
    done: tree.DoneWhen
    result: CheckedResult | None
    expect: tree.Expect | None
    steps: tuple[CheckedStep | CheckedRunStep, ...]
    """In the order of the file."""
    vote: tuple[tree.VoteSetting, ...]
    tests: tuple[tree.Test, ...]
    typing: Typing
    checkers: tuple[CheckedChecker, ...] = ()

    @property
    def name(self) -> str:
        """The task's name."""
        return self.declaration.name.name

    @property
    def asking_steps(self) -> tuple[CheckedStep, ...]:
        """The steps that ask a model."""
        return tuple(step for step in self.steps if isinstance(step, CheckedStep))

    @property
    def runs(self) -> tuple[CheckedRun, ...]:
        """The `run`s of all its steps."""
        return tuple(run for step in self.steps if isinstance(step, CheckedRunStep) for run in step.runs)
