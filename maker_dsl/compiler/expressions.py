"""Turns checked expressions into Python `ast` nodes that carry the `.maker` file's positions.

At run time names are found thus: inputs and defs are globals of the bound module; a state field is `state["f"]`, a
let `local["x"]`, a reply field `reply["f"]`, `reply.text` is `raw.text`. So an entry's parameters are any of `state`,
`local`, `reply`, `raw`, in the order in which it is called. Everything else is mangled, see `expressions.runtime`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from types import CodeType
from typing import Literal

from maker_dsl.checker.static import Typing
from maker_dsl.compiler.names import decimal_text, helper, load
from maker_dsl.compiler.nodes import ExpressionCompiler
from maker_dsl.compiler.positions import place
from maker_dsl.compiler.work import work
from maker_dsl.diagnostics import Source, Span
from maker_dsl.expressions.runtime import DECIMAL, DEF, ENTRY, LOCAL
from maker_dsl.syntax import tree

Parameter = Literal["state", "local", "reply", "raw"]


def compile_function(
    name: str, parameters: Sequence[Parameter], expression: tree.Expression, typing: Typing, source: Source
) -> ast.FunctionDef:
    """An entry that gives the expression's value."""
    return _function(ENTRY + name, parameters, [ast.Return(ExpressionCompiler(typing).value(expression))], source)


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
    compiler = ExpressionCompiler(typing)
    value = compiler.boolean(expression)
    if negate:
        value = ast.UnaryOp(ast.Not(), compiler.condition(expression))
    return _function(ENTRY + name, parameters, [ast.Return(value)], source)


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
    compiler = ExpressionCompiler(typing)
    keys: list[ast.expr | None] = []
    values: list[ast.expr] = []
    if base is not None:
        keys.append(None)
        values.append(load(base))
    for field, expression in fields:
        keys.append(ast.Constant(field))
        values.append(compiler.value(expression))
    return _function(ENTRY + name, parameters, [ast.Return(ast.Dict(keys, values))], source)


def compile_locals(
    name: str,
    parameters: Sequence[Parameter],
    lets: Iterable[tuple[str, tree.Expression]],
    typing: Typing,
    source: Source,
) -> ast.FunctionDef:
    """An entry that gives the dict of lets, each seeing the earlier ones; over a copy of `local` if a parameter."""
    compiler = ExpressionCompiler(typing)
    start = ast.Dict([None], [load("local")]) if "local" in parameters else ast.Dict([], [])
    body: list[ast.stmt] = [ast.Assign([ast.Name("local", ast.Store())], start)]
    for let, expression in lets:
        target = ast.Subscript(load("local"), ast.Constant(let), ast.Store())
        body.append(ast.Assign([target], compiler.value(expression)))
    body.append(ast.Return(load("local")))
    return _function(ENTRY + name, parameters, body, source)


def compile_definition(definition: tree.Definition, typing: Typing, source: Source) -> ast.FunctionDef:
    """A def; not an entry, callable from expressions only. Each call costs what its body does."""
    compiler = ExpressionCompiler(typing, bounds_sums=True)
    cost = ast.Expr(helper("spend", ast.Constant(work(definition.body) + 4)))
    place(cost, definition.span)
    names = [LOCAL + parameter.name.name for parameter in definition.parameters]
    body: list[ast.stmt] = [cost, ast.Return(compiler.value(definition.body))]
    return _function(DEF + definition.name.name, names, body, source, definition.span)


def module_code(functions: Sequence[ast.FunctionDef], source: Source) -> CodeType:
    """The code of one module with all functions of a task; `expressions.runtime.bind` runs it."""
    decimals = sorted(
        {
            node.id
            for function in functions
            for node in ast.walk(function)
            if isinstance(node, ast.Name) and node.id.startswith(DECIMAL)
        }
    )
    body: list[ast.stmt] = [
        ast.fix_missing_locations(
            ast.Assign([ast.Name(name, ast.Store())], helper("decimal", ast.Constant(decimal_text(name))))
        )
        for name in decimals
    ]
    module = ast.Module([*body, *functions], [])
    return compile(module, source.name, "exec", dont_inherit=True)


def _function(
    name: str, parameters: Sequence[str], body: list[ast.stmt], source: Source, span: Span | None = None
) -> ast.FunctionDef:
    arguments = ast.arguments([], [ast.arg(parameter) for parameter in parameters], None, [], [], None, [])
    function = ast.FunctionDef(name, arguments, body, [], None, None)
    place(function, span or Span(source, 0, 0))
    return ast.fix_missing_locations(function)
