"""Binds compiled expressions to a task's inputs and runs them: fuel, and errors in the language's words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import CodeType
from typing import Any

from maker_dsl.diagnostics import Source


def bind(code: CodeType, inputs: Mapping[str, Any], source: Source) -> dict[str, Callable[..., Any]]:
    """The entries of a module by name, over these inputs (all, or those that the entries called will need).

    Cheap (some microseconds): done for every record of a data file. An entry raises EvaluationError only.
    """
    raise NotImplementedError
