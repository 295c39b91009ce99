"""What the checks of one task share: where findings go, its types, its scopes, what depends on what."""

from __future__ import annotations

from dataclasses import dataclass

from maker_dsl.checker.names import Names
from maker_dsl.checker.scope import Scope
from maker_dsl.checker.static import Typing
from maker_dsl.checker.traversal import Dependencies
from maker_dsl.checker.types import TypeResolver
from maker_dsl.diagnostics import Problems, Source
from maker_dsl.syntax import tree
from maker_dsl.types.type import Type

STANDARD_FLAGS = ("truncated", "filtered", "overlong", "missing", "malformed", "out of range", "timed out", "error")
"""Names of red flags that every task has, see `judging.Flag`."""


@dataclass(frozen=True, slots=True)
class TaskContext:
    """Made by `checker.task`, read by the checks of the parts."""

    source: Source
    problems: Problems
    unused: Problems
    """Warnings about what nothing uses; shown only if there are no errors, since a misspelt use hides a use."""
    typing: Typing
    types: TypeResolver
    dependencies: Dependencies
    names: Names
    defs: Scope
    """Defs alone."""
    inputs: Scope
    """Inputs and defs: what defs, bounds, initial values and vote settings see."""
    state: Scope
    """Inputs, defs and state fields."""
    input_types: dict[str, Type]
    state_types: dict[str, Type]
    invariants: tuple[tree.Invariant, ...]
