"""How much work a piece of code is, each time it is carried out: the fuel for an item, or for a call of a def."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from maker_dsl.syntax import tree


def work(node: tree.Node) -> int:
    """The number of operations written in the expression; a long literal counts for its length."""
    total = 0
    waiting: list[tree.Node] = [node]
    while waiting:
        current = waiting.pop()
        total += 1 + len(current.value) // 64 if isinstance(current, tree.StringLiteral) else 1
        waiting.extend(_parts(current))
    return total


def _parts(node: tree.Node) -> Iterator[tree.Node]:
    for field in fields(node):
        yield from _nodes(getattr(node, field.name))


def _nodes(value: object) -> Iterator[tree.Node]:
    if isinstance(value, tree.Node):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from _nodes(item)
