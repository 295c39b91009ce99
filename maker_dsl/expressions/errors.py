"""How the language's expressions fail."""

from __future__ import annotations

from maker_dsl.diagnostics import Span


class EvaluationError(Exception):
    """An expression has no value: an index outside a list, a division by zero, a limit of the language passed.

    The message is in the words of the language; `span` is the place in the `.maker` file once it is known.
    """

    def __init__(self, message: str, span: Span | None = None) -> None:
        super().__init__(message)
        self.span = span


class CheckerTimeout(EvaluationError):
    """A checker of a plug-in took longer than it may."""
