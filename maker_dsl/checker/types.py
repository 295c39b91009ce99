"""Resolves type expressions to erased types, and checks their bounds.

Bounds may depend on inputs, so that only literal ones are compared here; `compiler.types` makes concrete types once
the inputs are known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import assert_never

from maker_dsl.checker.expressions import check
from maker_dsl.checker.names import PRIMITIVE_TYPES, refuse_doubled
from maker_dsl.checker.scope import Scope
from maker_dsl.checker.static import Typing
from maker_dsl.checker.traversal import descendants
from maker_dsl.diagnostics import Label, Problems, Span, did_you_mean
from maker_dsl.syntax import tree
from maker_dsl.syntax.foreign_types import TYPES
from maker_dsl.types.patterns import BadPattern, check_pattern, pattern
from maker_dsl.types.type import (
    BoolType,
    DateType,
    DecimalType,
    EnumType,
    FloatType,
    IntType,
    ListType,
    MapType,
    Member,
    NeverType,
    OptionalType,
    RecordType,
    StringType,
    TupleType,
    Type,
)

_PRIMITIVES: dict[str, Type] = {
    "int": IntType(),
    "float": FloatType(),
    "decimal": DecimalType(),
    "bool": BoolType(),
    "string": StringType(),
    "date": DateType(),
}


MAX_TYPE_PARTS = 1_000
"""How many parts a type may have when the names of types in it are written out."""

MAX_TYPE_DEPTH = 50
"""How many levels of parts in parts a type may have, written out."""


@dataclass(frozen=True, slots=True)
class _Size:
    """How many parts a type has, and how many declared types lie in one another, written out."""

    parts: int
    depth: int

    @property
    def is_too_large(self) -> bool:
        return self.parts > MAX_TYPE_PARTS or self.depth > MAX_TYPE_DEPTH


class TypeResolver:
    """Erased types of one task's type expressions; remembers which declared types were used."""

    def __init__(self, declarations: Mapping[str, tree.TypeDeclaration], problems: Problems) -> None:
        self._declarations = declarations
        self._problems = problems
        self._resolved: dict[str, Type] = {}
        self._resolving: list[str] = []
        self._sizes: dict[str, _Size] = {}
        self._has_reported_size = False
        self.used: set[str] = set()

    def declared(self, name: str) -> Type:
        """The erased type of a declaration, which need not count as used."""
        if name in self._resolved:
            return self._resolved[name]
        declaration = self._declarations[name]
        self._resolving.append(name)
        type_ = self.erase(declaration.type)
        self._resolving.pop()
        self._resolved[name] = replace(type_, alias=name)
        return self._resolved[name]

    def erase(self, expression: tree.TypeExpression, *, in_format_text: bool = False) -> Type:
        """The erased type of an expression; NeverType where something was reported."""
        match expression:
            case tree.TypeName():
                return self._named(expression, in_format_text)
            case tree.TypeRange(base=base):
                if base.name in ("int", "float", "decimal"):
                    return _PRIMITIVES[base.name]
                label = "a range needs `int`, `float` or `decimal`"
                self._problems.add("MK353", f"`{base.name}` has no range", base.span, label)
                return NeverType()
            case tree.TypeString():
                return StringType()
            case tree.TypeEnum(values=values):
                self._enum(values)
                return EnumType(tuple(dict.fromkeys(value.value for value in values)))
            case tree.TypeList(item=item):
                return ListType(self.erase(item))
            case tree.TypeMap(key=key, value=value):
                if not (isinstance(key, tree.TypeName) and key.name == "string"):
                    title = "the keys of a map are strings"
                    self._problems.add("MK354", title, key.span, help="write `map[string, …]`")
                return MapType(self.erase(value))
            case tree.TypeRecord(members=members):
                return RecordType(self.members(members, "the member"))
            case tree.TypeTuple(places=places):
                return TupleType(self.members(places, "the place"))
            case tree.TypeOptional(inner=inner):
                type_ = self.erase(inner)
                return type_ if isinstance(type_, OptionalType | NeverType) else OptionalType(type_)
            case _:
                assert_never(expression)

    def members(self, members: tuple[tree.TypeMember, ...], what: str) -> tuple[Member, ...]:
        """The erased types of named members, doubled names reported."""
        refuse_doubled((member.name for member in members), "MK253", what, self._problems)
        first = {member.name.name: member for member in reversed(members)}
        return tuple(Member(m.name.name, self.erase(m.type)) for m in members if first[m.name.name] is m)

    def _named(self, expression: tree.TypeName, in_format_text: bool) -> Type:
        name = expression.name
        if name in _PRIMITIVES:
            return _PRIMITIVES[name]
        if name == "line" or name == "text":
            if in_format_text:
                return StringType(raw="line" if name == "line" else "text")
            title = f"`{name}` is only for format texts"
            self._problems.add("MK274", title, expression.span, help="write `string`")
            return StringType()
        if name not in self._declarations:
            listed = ", ".join(f"`{one}`" for one in PRIMITIVE_TYPES)
            help = did_you_mean(
                name,
                [*PRIMITIVE_TYPES, *self._declarations],
                f"the language has {listed}, `list[…]`, `map[string, …]`; others are declared with `type`",
            )
            if name in TYPES:
                help = f"write {TYPES[name]}"
            self._problems.add("MK255", f"there is no type `{name}`", expression.span, help=help)
            return NeverType()
        self.used.add(name)
        if name not in self._resolving and self._declared_size(name).is_too_large:
            if not self._has_reported_size:
                title = f"the type `{name}` is too large"
                label = f"written out, it has more than {MAX_TYPE_PARTS:,} parts, or {MAX_TYPE_DEPTH} levels"
                self._problems.add("MK355", title, self._declarations[name].name.span, label)
                self._has_reported_size = True
            return NeverType()
        if name in self._resolving:
            circle = " → ".join(f"`{one}`" for one in [*self._resolving[self._resolving.index(name) :], name])
            also = [Label(self._declarations[name].name.span, "declared here")]
            title = f"the type `{name}` contains itself"
            help = "types can't be recursive: keep the parts in a list or map and refer to them by key"
            self._problems.add("MK256", title, expression.span, circle, also=also, help=help)
            return NeverType()
        return self.declared(name)

    def _declared_size(self, name: str, level: int = 0) -> _Size:
        """The size of a declared type; each type is measured once, so that doubling again and again takes no time."""
        if level > MAX_TYPE_DEPTH:
            return _Size(0, level)
        if name not in self._sizes:
            self._sizes[name] = _Size(0, 0)  # while it is measured: a type in itself is reported elsewhere
            parts = list(descendants(self._declarations[name].type))
            names = [part.name for part in parts if isinstance(part, tree.TypeName)]
            inner = [self._declared_size(one, level + 1) for one in names if one in self._declarations]
            count = len(parts) + sum(one.parts for one in inner)
            depth = 1 + max((one.depth for one in inner), default=0)
            self._sizes[name] = _Size(min(count, MAX_TYPE_PARTS + 1), depth)
        return self._sizes[name]

    def _enum(self, values: tuple[tree.Text, ...]) -> None:
        first: dict[str, Span] = {}
        for value in values:
            if value.value in first:
                also = [Label(first[value.value], "first here")]
                title = f'"{value.value}" stands twice'
                self._problems.add("MK254", title, value.span, "a second time here", also=also)
            first.setdefault(value.value, value.span)


def check_bounds(expression: tree.TypeExpression, scope: Scope, problems: Problems, typing: Typing) -> None:
    """Check ranges, lengths and patterns of a type expression, itself not following declared types."""
    for node in descendants(expression):
        match node:
            case tree.TypeRange(base=base, low=low, high=high) if base.name in ("int", "float", "decimal"):
                for bound in (low, high):
                    if bound is not None:
                        check(bound, scope, problems, typing, _PRIMITIVES[base.name])
                _compare(low, high, "this range is empty", problems)
            case tree.TypeList(low=low, high=high):
                _lengths(low, high, scope, problems, typing)
            case tree.TypeString(pattern=regex, max_length=max_length):
                if regex is not None:
                    _check_pattern(regex, problems)
                _lengths(None, max_length, scope, problems, typing)


def _lengths(
    low: tree.Expression | None, high: tree.Expression | None, scope: Scope, problems: Problems, typing: Typing
) -> None:
    bounds = [low] if low is high else [low, high]
    for bound in bounds:
        if bound is None:
            continue
        check(bound, scope, problems, typing, IntType())
        number = literal_number(bound)
        if number is not None and number < 0:
            problems.add("MK352", "a length can't be negative", bound.span)
            return
    _compare(low, high, "no length is in this range", problems)


def _compare(low: tree.Expression | None, high: tree.Expression | None, title: str, problems: Problems) -> None:
    if low is None or high is None:
        return
    least, most = literal_number(low), literal_number(high)
    if least is not None and most is not None and least > most:
        help = f"the lower end goes first: `{high.span.text}..{low.span.text}`"
        problems.add("MK351", title, low.span.to(high.span), f"{least} is more than {most}", help=help)


def _check_pattern(text: tree.Text, problems: Problems) -> None:
    problem = check_pattern(text.value)
    if problem is None:
        return
    place = text.span
    try:
        pattern(text.value)
    except BadPattern as bad:
        place = text.part(bad.offset, bad.offset + 1)
    problems.add("MK364", "this pattern can't be read", place, problem)


def literal_number(expression: tree.Expression) -> Decimal | None:
    """The number that an expression writes out, with its sign; None where it must be computed."""
    match expression:
        case tree.IntLiteral(value=value):
            return Decimal(value)
        case tree.FractionLiteral(text=text):
            try:
                return Decimal(text.replace("_", ""))
            except InvalidOperation:
                return None
        case tree.Unary(operator="-", operand=operand):
            number = literal_number(operand)
            return None if number is None else -number
    return None


def contains_never(type_: Type) -> bool:
    """Whether a part of the type was reported as wrong."""
    match type_:
        case NeverType():
            return True
        case OptionalType(inner=inner):
            return contains_never(inner)
    for name in ("item", "value"):
        inner_type = getattr(type_, name, None)
        if inner_type is not None:
            return contains_never(inner_type)
    members = getattr(type_, "members", None) or getattr(type_, "places", None) or ()
    return any(contains_never(member.type) for member in members)
