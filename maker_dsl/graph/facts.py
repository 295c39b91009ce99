"""What is known of a state without running anything: which values a field may have, which conditions hold.

A fact says of a *path* (a state field, a member of the reply) or of a condition (by its text) which constants it may
be, or which it is not. Facts only ever leave out what is impossible: where nothing is known, everything is possible.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from maker_dsl.checker.static import Typing
from maker_dsl.syntax import tree
from maker_dsl.types.type import BoolType, EnumType, NullType, OptionalType, Type

Constant = str | int | bool | None
Key = tuple[str, Constant]
"""A constant with its kind, so that `true` is not 1."""

TRUE: Key = ("bool", True)
FALSE: Key = ("bool", False)
NULL: Key = ("null", None)

MAX_VALUES = 40
"""A field that may have more values is not looked at value by value."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One of `among` where that is not None; none of `besides`."""

    among: frozenset[Key] | None = None
    besides: frozenset[Key] = frozenset()

    def also(self, other: Fact) -> Fact | None:
        """Both facts; None where they contradict each other."""
        besides = self.besides | other.besides
        if self.among is None and other.among is None:
            return Fact(None, besides)
        among = (self.among if other.among is None else other.among) or frozenset()
        if self.among is not None and other.among is not None:
            among = self.among & other.among
        among -= besides
        return Fact(among) if among else None

    def either(self, other: Fact) -> Fact:
        """What holds where one of the two does."""
        if self.among is not None and other.among is not None:
            among = self.among | other.among
            return Fact(among) if len(among) <= MAX_VALUES else ANYTHING
        if self.among is not None:
            return Fact(None, other.besides - self.among)
        if other.among is not None:
            return Fact(None, self.besides - other.among)
        return Fact(None, self.besides & other.besides)


ANYTHING = Fact()
Facts = Mapping[str, Fact]


def joined(left: Facts, right: Facts) -> Facts:
    """What holds in both."""
    both = {path: left[path].either(right[path]) for path in left.keys() & right.keys()}
    return {path: fact for path, fact in both.items() if fact != ANYTHING}


def fact_of_type(type_: Type) -> Fact:
    """What a value's type says of it."""
    match type_:
        case BoolType():
            return Fact(frozenset({TRUE, FALSE}))
        case EnumType(values=values) if len(values) < MAX_VALUES:
            return Fact(frozenset(("string", value) for value in values))
        case NullType():
            return Fact(frozenset({NULL}))
        case OptionalType(inner=inner):
            within = fact_of_type(inner)
            return Fact(within.among | {NULL}) if within.among is not None else ANYTHING
        case _:
            return Fact(None, frozenset({NULL}))


class Knowledge:
    """Works out conditions and values of one step from facts; `lets` are the step's locals by name."""

    def __init__(self, typing: Typing, lets: Mapping[str, tree.Expression]) -> None:
        self._typing = typing
        self._lets = lets

    def value(self, node: tree.Expression, facts: Facts) -> Fact:
        """What is known of an expression's value."""
        constant = constant_of(node)
        if constant is not None:
            return Fact(frozenset({constant}))
        let = self._let(node)
        if let is not None:
            return self.value(let, facts)
        known = self._typed(node)
        path = self._path(node)
        if path is not None and path in facts:
            return facts[path].also(known) or known
        if isinstance(node, tree.Conditional):
            yes = self.assume(node.condition, True, facts)
            no = self.assume(node.condition, False, facts)
            cases = [
                self.value(one, given) for one, given in ((node.then, yes), (node.otherwise, no)) if given is not None
            ]
            found = cases[0] if len(cases) == 1 else cases[0].either(cases[1]) if cases else ANYTHING
            return found.also(known) or known
        if known.among == frozenset({TRUE, FALSE}):
            cases_ = [
                key for key, truth in ((TRUE, True), (FALSE, False)) if self.assume(node, truth, facts) is not None
            ]
            return Fact(frozenset(cases_)) if cases_ else known
        return known

    def assume(self, node: tree.Expression, truth: bool, facts: Facts) -> Facts | None:
        """The facts where the condition is so; None where it can't be."""
        match node:
            case tree.BoolLiteral(value=value):
                return facts if value is truth else None
            case tree.Unary(operator="not", operand=operand):
                return self.assume(operand, not truth, facts)
            case tree.Binary(operator="and" | "or" as operator, left=left, right=right):
                if (operator == "and") is truth:
                    first = self.assume(left, truth, facts)
                    return None if first is None else self.assume(right, truth, first)
                first = self.assume(left, truth, facts)
                other = self.assume(left, not truth, facts)
                second = None if other is None else self.assume(right, truth, other)
                if first is None or second is None:
                    return second if first is None else first
                return joined(first, second)
            case tree.Compare(first=left, rest=((operator_, right),)) if operator_ in ("==", "!=", "in", "not in"):
                return self._compare(left, operator_, right, truth, facts)
        let = self._let(node)
        if let is not None:
            return self.assume(let, truth, facts)
        key = TRUE if truth else FALSE
        if isinstance(self._type(node), BoolType):
            return _with(facts, self._path(node) or text_of(node), Fact(frozenset({key})))
        return facts

    def _compare(
        self, left: tree.Expression, operator: str, right: tree.Expression, truth: bool, facts: Facts
    ) -> Facts | None:
        if constant_of(left) is not None and operator in ("==", "!="):
            left, right = right, left
        keys = _constants(right, many=operator in ("in", "not in"))
        path = self._path(left)
        is_equal = truth is (operator in ("==", "in"))
        if keys is not None:
            known = self.value(left, facts).also(Fact(keys) if is_equal else Fact(None, keys))
            if known is None or path is not None:
                return None if known is None or path is None else {**facts, path: known}
        text = f"{text_of(left)} {'==' if operator in ('==', '!=') else 'in'} {text_of(right)}"
        return _with(facts, text, Fact(frozenset({TRUE if is_equal else FALSE})))

    def _let(self, node: tree.Expression) -> tree.Expression | None:
        if not isinstance(node, tree.Name):
            return None
        binding = self._typing.bindings.get(id(node))
        return self._lets.get(node.name) if binding is not None and binding.kind == "let" else None

    def _path(self, node: tree.Expression) -> str | None:
        """A state field, or a member of the reply, as facts name it."""
        if isinstance(node, tree.Name):
            binding = self._typing.bindings.get(id(node))
            return node.name if binding is not None and binding.kind == "state" else None
        if isinstance(node, tree.FieldAccess) and isinstance(node.object, tree.Name):
            binding = self._typing.bindings.get(id(node.object))
            return text_of(node) if binding is not None and binding.kind == "reply" else None
        return None

    def _type(self, node: tree.Expression) -> Type | None:
        return self._typing.types.get(id(node))

    def _typed(self, node: tree.Expression) -> Fact:
        type_ = self._type(node)
        return ANYTHING if type_ is None else fact_of_type(type_)


def _with(facts: Facts, path: str, fact: Fact) -> Facts | None:
    known = facts.get(path, ANYTHING).also(fact)
    return None if known is None else {**facts, path: known}


def constant_of(node: tree.Expression) -> Key | None:
    """The constant that a literal writes."""
    match node:
        case tree.StringLiteral(value=text):
            return "string", text
        case tree.IntLiteral(value=number):
            return "int", number
        case tree.BoolLiteral(value=truth):
            return "bool", truth
        case tree.NullLiteral():
            return NULL
        case _:
            return None


def _constants(node: tree.Expression, *, many: bool) -> frozenset[Key] | None:
    items = node.items if many and isinstance(node, tree.ListLiteral) else () if many else (node,)
    keys = [constant_of(item) for item in items]
    return None if not keys or None in keys else frozenset(key for key in keys if key is not None)


def text_of(node: tree.Node) -> str:
    """An expression as written, on one line: the same text means the same as long as its fields don't change."""
    return " ".join(node.span.text.split())
