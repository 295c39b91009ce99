"""Python names and calls that compiled expressions are made of."""

from __future__ import annotations

import ast
from decimal import Decimal

from maker_dsl.expressions.runtime import DECIMAL, HELPER


def load(name: str) -> ast.Name:
    """A name that is read."""
    return ast.Name(name, ast.Load())


def helper(name: str, *arguments: ast.expr) -> ast.Call:
    """A call of a run-time helper."""
    return ast.Call(load(HELPER + name), list(arguments), [])


def decimal_name(number: Decimal) -> str:
    """The global that holds a decimal constant: its text, made a name."""
    return DECIMAL + str(number).replace(".", "p").replace("-", "m").replace("+", "")


def decimal_text(name: str) -> str:
    """The text of the decimal that a global of `decimal_name` holds."""
    return name.removeprefix(DECIMAL).replace("p", ".").replace("m", "-")
