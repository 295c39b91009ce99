"""Walks over trees: every node below a node, and which names, defs and types it leads to.

Used wherever the checker asks what something depends on; loops instead of recursing, so that depth does no harm.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields

from maker_dsl.syntax import tree


def descendants(root: tree.Node) -> Iterator[tree.Node]:
    """The node itself and every node below it."""
    waiting: list[object] = [root]
    while waiting:
        one = waiting.pop()
        if isinstance(one, tuple):
            waiting.extend(one)
        elif isinstance(one, tree.Node):
            yield one
            waiting.extend(getattr(one, field.name) for field in fields(one) if field.name != "span")


class Dependencies:
    """What expressions and types of one task lead to, through defs and declared types."""

    def __init__(
        self, definitions: Mapping[str, tree.Definition], declarations: Mapping[str, tree.TypeDeclaration]
    ) -> None:
        self._definitions = definitions
        self._declarations = declarations

    def names(self, *roots: tree.Node) -> frozenset[str]:
        """The plain names (of inputs, state, lets) that these nodes look at, in the end."""
        return frozenset(node.name for node in self._reached(roots) if isinstance(node, tree.Name))

    def calls(self, definition: tree.Definition) -> tuple[tree.Definition, ...]:
        """The defs that a def's body names directly."""
        return tuple(self._called(definition.body))

    def _called(self, root: tree.Node) -> Iterator[tree.Definition]:
        for node in descendants(root):
            match node:
                case tree.Call(function=function) if function.name in self._definitions:
                    yield self._definitions[function.name]
                case tree.Name(name=name) if name in self._definitions:
                    yield self._definitions[name]

    def _reached(self, roots: Iterable[tree.Node]) -> Iterator[tree.Node]:
        waiting = list(roots)
        seen: set[int] = set()
        while waiting:
            for node in descendants(waiting.pop()):
                yield node
                follow: tree.Node | None = None
                match node:
                    case tree.Call(function=function):
                        follow = self._definitions.get(function.name)
                    case tree.Name(name=name):
                        follow = self._definitions.get(name)
                    case tree.TypeName(name=name):
                        follow = self._declarations.get(name)
                if follow is not None and id(follow) not in seen:
                    seen.add(id(follow))
                    waiting.append(follow.body if isinstance(follow, tree.Definition) else follow)


def find_cycle(start: tree.Definition, dependencies: Dependencies) -> tuple[str, ...] | None:
    """The names along which a def leads back to itself, itself first and last; None where it does not."""
    came_from: dict[str, tree.Definition | None] = {}
    waiting = [(callee, start) for callee in dependencies.calls(start)]
    while waiting:
        callee, caller = waiting.pop(0)
        if callee is start:
            path = [start.name.name]
            step: tree.Definition | None = caller
            while step is not None and step is not start:
                path.append(step.name.name)
                step = came_from.get(step.name.name)
            path.append(start.name.name)
            return tuple(reversed(path))
        if callee.name.name not in came_from:
            came_from[callee.name.name] = caller
            waiting.extend((further, callee) for further in dependencies.calls(callee))
    return None
