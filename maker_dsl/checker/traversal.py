"""Walks over trees: every node below a node, and which names, defs and types it leads to.

Used wherever the checker asks what something depends on; loops instead of recursing, so that depth does no harm.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

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
            waiting.extend(getattr(one, name) for name in one.__struct_fields__ if name != "span")


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


_MAX_CYCLES = 100


def find_cycles(definitions: Iterable[tree.Definition], dependencies: Dependencies) -> tuple[tuple[str, ...], ...]:
    """Circles in which defs call one another, each with its first def at both ends: the first hundred found."""
    finished: set[str] = set()
    cycles: list[tuple[str, ...]] = []
    for start in definitions:
        # A dict, as it keeps the order and finds a name at once.
        path = {start.name.name: None} if start.name.name not in finished else {}
        waiting = [iter(dependencies.calls(start))] if path else []
        while waiting and len(cycles) < _MAX_CYCLES:
            callee = next(waiting[-1], None)
            if callee is None:
                waiting.pop()
                finished.add(path.popitem()[0])
            elif callee.name.name in path:
                names = [*path]
                cycles.append((*names[names.index(callee.name.name) :], callee.name.name))
            elif callee.name.name not in finished:
                path[callee.name.name] = None
                waiting.append(iter(dependencies.calls(callee)))
    return tuple(cycles)
