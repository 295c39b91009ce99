"""What is known of expressions before they run: their types, and how types relate.

All types here are *erased*: bounds (ranges, lengths, patterns) are ignored. `Typing` is what the expression checker
leaves for the compiler.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from maker_dsl.checker.scope import Binding, FunctionBinding
from maker_dsl.syntax import tree
from maker_dsl.types.type import Type

AnyNode = tree.Expression | tree.Generator


@dataclass(frozen=True, slots=True)
class Conversion:
    """A value of the type `before` is turned into one of `after` where it is used, such as an int into a decimal."""

    before: Type
    after: Type


@dataclass(slots=True)
class Typing:
    """What the checker found out about each node, by the node's identity; one for a whole task."""

    types: dict[int, Type] = field(default_factory=dict)
    """The type of each node before conversion."""
    conversions: dict[int, Conversion] = field(default_factory=dict)
    bindings: dict[int, Binding] = field(default_factory=dict)
    """What each `Name` means."""
    functions: dict[int, FunctionBinding] = field(default_factory=dict)
    """The def that a `Call` calls, or that the `Name` after `by=` names."""
    implementations: dict[int, str] = field(default_factory=dict)
    """The run-time name of the builtin that a `Call` calls."""
    _nodes: dict[int, object] = field(default_factory=dict)

    def set_type(self, node: AnyNode, type_: Type) -> Type:
        """Note the node's type; keeps the node alive, so that its identity stays its own."""
        self._nodes[id(node)] = node
        self.types[id(node)] = type_
        return type_

    def type_of(self, node: AnyNode) -> Type:
        """The type of the node's value as it is used, after conversion."""
        conversion = self.conversions.get(id(node))
        return conversion.after if conversion is not None else self.types[id(node)]


def written_int(node: AnyNode) -> int | None:
    """The int that a literal, perhaps with a sign, writes: `2`, `-1`."""
    match node:
        case tree.IntLiteral(value=value):
            return value
        case tree.Unary(operator="-", operand=tree.IntLiteral(value=value)):
            return -value
        case _:
            return None
