"""Turns checked expressions into Python `ast` nodes that carry the `.maker` file's positions.

At run time names are found thus: inputs and defs are globals of the bound module; a state field is `state["f"]`, a
let `local["x"]`, a reply field `reply["f"]`, `reply.text` is `raw.text`. So an entry's parameters are any of `state`,
`local`, `reply`, `raw`, in the order in which it is called. Everything else is mangled.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from types import CodeType
from typing import Literal

from maker_dsl.checker.static import Typing
from maker_dsl.diagnostics import Source
from maker_dsl.syntax import tree

Parameter = Literal["state", "local", "reply", "raw"]


def compile_function(
    name: str, parameters: Sequence[Parameter], expression: tree.Expression, typing: Typing, source: Source
) -> ast.FunctionDef:
    """An entry that gives the expression's value."""
    raise NotImplementedError


def compile_condition(
    name: str,
    parameters: Sequence[Parameter],
    expression: tree.Expression,
    typing: Typing,
    source: Source,
    *,
    negate: bool = False,
) -> ast.FunctionDef:
    """An entry that gives a bool: whether the condition holds, or with `negate` whether it fails."""
    raise NotImplementedError


def compile_record(
    name: str,
    parameters: Sequence[Parameter],
    fields: Iterable[tuple[str, tree.Expression]],
    typing: Typing,
    source: Source,
    *,
    base: Parameter | None = None,
) -> ast.FunctionDef:
    """An entry that gives a dict of the fields, over a copy of the dict `base` if given (`update`: base="state")."""
    raise NotImplementedError


def compile_locals(
    name: str,
    parameters: Sequence[Parameter],
    lets: Iterable[tuple[str, tree.Expression]],
    typing: Typing,
    source: Source,
) -> ast.FunctionDef:
    """An entry that gives the dict of lets, each seeing the earlier ones; over a copy of `local` if a parameter."""
    raise NotImplementedError


def compile_definition(definition: tree.Definition, typing: Typing, source: Source) -> ast.FunctionDef:
    """A def; not an entry, callable from expressions only."""
    raise NotImplementedError


def module_code(functions: Sequence[ast.FunctionDef], source: Source) -> CodeType:
    """The code of one module with all functions of a task; `expressions.runtime.bind` runs it."""
    raise NotImplementedError
