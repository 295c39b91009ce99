"""What the checker hands to the compiler: a task whose names and types are known to be right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

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
class CheckedStep:
    """A step with all its parts; `reply_type` is erased."""

    name: str
    declaration: tree.Step
    when: tree.Expression | None
    lets: tuple[CheckedLet, ...]
    system: CheckedTemplate | None
    prompt: CheckedTemplate
    reply: tree.Reply
    grammar: str | None
    reply_type: RecordType
    checks: tuple[tree.Check, ...]
    update: tree.Update
    vote: tuple[tree.VoteSetting, ...]
    vote_on: CheckedOn | None
    reference: tree.Reference | None
    reference_lets: tuple[CheckedLet, ...]


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
    steps: tuple[CheckedStep, ...]
    vote: tuple[tree.VoteSetting, ...]
    tests: tuple[tree.Test, ...]
    typing: Typing

    @property
    def name(self) -> str:
        """The task's name."""
        return self.declaration.name.name
