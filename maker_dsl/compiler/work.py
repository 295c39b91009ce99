"""How much work a piece of code is, each time it is carried out: the fuel for an item, or for a call of a def."""

from __future__ import annotations

from maker_dsl.checker.traversal import descendants
from maker_dsl.syntax import tree

_CONTAINER = 5
"""Making a container takes memory as well as time."""
_CALL = 4


def work(node: tree.Node) -> int:
    """The number of operations written in the expression; a long literal counts for its length."""
    return sum(map(_own_work, descendants(node)))


def _own_work(node: tree.Node) -> int:
    match node:
        case tree.StringLiteral(value=text):
            return 1 + len(text) // 64
        case tree.ListLiteral() | tree.RecordLiteral() | tree.MapLiteral():
            return _CONTAINER
        case tree.ListComprehension() | tree.MapComprehension() | tree.Generator():
            return _CONTAINER
        case tree.Call():
            return _CALL
        case tree.Identifier():
            return 0
        case _:
            return 1
