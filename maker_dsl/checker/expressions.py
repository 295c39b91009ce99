"""Checks expressions: names and types, with inference, over erased types."""

from __future__ import annotations

from maker_dsl.checker.scope import Path, Scope
from maker_dsl.checker.static import Typing
from maker_dsl.diagnostics import Problems
from maker_dsl.syntax import tree
from maker_dsl.types.type import Type


def check(
    expression: tree.Expression, scope: Scope, problems: Problems, typing: Typing, expected: Type | None = None
) -> Type:
    """Check one expression, wanted as `expected` if given, and note in `typing` what the compiler needs.

    Gives the type of its value (`expected` where that was given); NeverType where an error was reported.
    """
    raise NotImplementedError


def check_condition(expression: tree.Expression, scope: Scope, problems: Problems, typing: Typing) -> None:
    """Check an expression that is wanted as a condition: a bool, or a value that may be empty or null."""
    raise NotImplementedError


def not_null_paths(expression: tree.Expression, typing: Typing, holds: bool = True) -> frozenset[Path]:
    """The optional values that cannot be null where the checked condition holds (or fails)."""
    raise NotImplementedError
