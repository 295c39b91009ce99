"""Gives Python `ast` nodes the positions of a `.maker` file, in Python's terms: lines, and columns in UTF-8 bytes."""

from __future__ import annotations

import ast
from typing import TypeVar

from maker_dsl.diagnostics import Source, Span

N = TypeVar("N", ast.expr, ast.stmt, ast.expr | ast.stmt)


def place(node: N, span: Span) -> N:
    """The node, at the place of the span."""
    node.lineno, node.col_offset = _position(span.source, span.start)
    node.end_lineno, node.end_col_offset = _position(span.source, span.end)
    return node


def _position(source: Source, offset: int) -> tuple[int, int]:
    position = source.position(offset)
    start = offset - position.column + 1
    before = source.text[start:offset]
    return position.line, len(before) if before.isascii() else len(before.encode("utf-8", "surrogatepass"))
