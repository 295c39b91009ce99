"""The one Python module that a task's expressions are compiled to, and its entries bound to inputs.

The parts of a task add their entries while the task is compiled, under names of their own, and call them when it is
bound.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import Any

from maker_dsl.checker.static import Typing
from maker_dsl.compiler.expressions import (
    Parameter,
    compile_condition,
    compile_definition,
    compile_function,
    compile_locals,
    compile_record,
    module_code,
)
from maker_dsl.diagnostics import Diagnostic, Label, Source, Span
from maker_dsl.expressions import runtime
from maker_dsl.expressions.errors import EvaluationError
from maker_dsl.syntax import tree
from maker_dsl.task import TaskError

Entry = Callable[..., Any]
"""A compiled expression; raises EvaluationError only."""

Fields = Iterable[tuple[str, tree.Expression]]


class Module:
    """Collects the entries of one task."""

    def __init__(self, typing: Typing, source: Source) -> None:
        self._typing = typing
        self._source = source
        self._functions: list[ast.FunctionDef] = []

    def value(self, name: str, parameters: Sequence[Parameter], expression: tree.Expression) -> str:
        """Add an entry that gives an expression's value; gives its name back."""
        self._functions.append(compile_function(name, parameters, expression, self._typing, self._source))
        return name

    def condition(
        self, name: str, parameters: Sequence[Parameter], expression: tree.Expression, *, negate: bool = False
    ) -> str:
        """Add an entry that says whether a condition holds."""
        made = compile_condition(name, parameters, expression, self._typing, self._source, negate=negate)
        self._functions.append(made)
        return name

    def record(
        self, name: str, parameters: Sequence[Parameter], fields: Fields, *, base: Parameter | None = None
    ) -> str:
        """Add an entry that gives a dict of fields."""
        self._functions.append(compile_record(name, parameters, fields, self._typing, self._source, base=base))
        return name

    def lets(self, name: str, parameters: Sequence[Parameter], lets: Fields) -> str:
        """Add an entry that gives the dict of `let`s."""
        self._functions.append(compile_locals(name, parameters, lets, self._typing, self._source))
        return name

    def definition(self, definition: tree.Definition) -> None:
        """Add a def, for the entries to call."""
        self._functions.append(compile_definition(definition, self._typing, self._source))

    def finish(self, functions: Mapping[str, Callable[..., Any]]) -> Compiled:
        """Compile all that was added; `functions` are there to be called like defs."""
        return Compiled(module_code(self._functions, self._source), self._source, functions)


@dataclass(frozen=True, slots=True)
class Compiled:
    """The module's code, not yet bound to inputs."""

    code: CodeType
    source: Source
    functions: Mapping[str, Callable[..., Any]]

    def bind(self, inputs: Mapping[str, Any]) -> Mapping[str, Entry]:
        """The entries by name over these inputs."""
        return runtime.bind(self.code, inputs, self.source, self.functions)


def explain_failure(error: EvaluationError, place: Span, what: str) -> Diagnostic:
    """The finding for an expression of the task itself that has no value; `what` is as in "the `when` of step `a`"."""
    return Diagnostic("MK390", f"{what} can't be computed", Label(error.span or place, str(error)))


def shown(number: float) -> str:
    """A number for a label: of a huge one the first digits."""
    text = str(number)
    return text if len(text) <= 30 else f"{text[:20]}… ({len(text):,} digits)"


def guarded(entry: Entry, place: Span, what: str) -> Entry:
    """An entry that raises TaskError, pointing into the file, where it has no value."""

    def call(*arguments: Any) -> Any:
        try:
            return entry(*arguments)
        except EvaluationError as error:
            raise TaskError(explain_failure(error, place, what)) from error

    return call
