"""What a task is to those who run it: its inputs and its result, known before any step is checked.

Made from declarations alone, so that tasks may run one another, or themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from maker_dsl.diagnostics import Span
from maker_dsl.types.type import Type


@dataclass(frozen=True, slots=True)
class InputSignature:
    """An input of a task: its erased type, and where it is declared."""

    name: str
    type: Type
    is_required: bool
    span: Span


@dataclass(frozen=True, slots=True)
class TaskSignature:
    """A task as it is seen from a `run`; the result is NeverType where the task is too wrong to have one."""

    name: str
    span: Span
    inputs: tuple[InputSignature, ...]
    result: Type
    result_span: Span

    def input(self, name: str) -> InputSignature | None:
        """The input of that name."""
        return next((one for one in self.inputs if one.name == name), None)


@dataclass(frozen=True, slots=True)
class VisibleTasks:
    """The tasks that those of one file may run: its own, and those of the files that it uses."""

    tasks: Mapping[str, TaskSignature | None]
    """By name; None for a task that could not be read."""
    missing: tuple[str, ...]
    """The files that are used and not there: an unknown name may be one of their tasks."""
    is_complete: bool
    """False where a used file could be read in part only: an unknown name may stand in the rest."""
    elsewhere: Mapping[str, Span]
    """The tasks of files that belong to the task as well but are not used by this one, and where they stand."""
    above: frozenset[str]
    """Those of them that stand in files which use this one, directly or not: using them would be a circle."""
    needed: set[str] = field(default_factory=set)
    """The names that some `run` has asked for."""
