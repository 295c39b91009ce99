"""Makes concrete types: type expressions with their bounds computed from the inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, assert_never

from maker_dsl.checker.traversal import descendants
from maker_dsl.checker.types import literal_number
from maker_dsl.compiler.module import Entry, Module, explain_failure
from maker_dsl.diagnostics import Problems
from maker_dsl.expressions.errors import EvaluationError
from maker_dsl.syntax import tree
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


class Bounds:
    """The computed bounds of a task's types: which entry of the module gives which."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self.entries: dict[int, str] = {}

    def add(self, expression: tree.TypeExpression) -> None:
        """Compile the computed bounds that stand in a type expression."""
        for node in descendants(expression):
            bounds: tuple[tree.Expression | None, ...] = ()
            match node:
                case tree.TypeRange(low=low, high=high) | tree.TypeList(low=low, high=high):
                    bounds = (low, high)
                case tree.TypeString(max_length=max_length):
                    bounds = (max_length,)
            for bound in bounds:
                if bound is not None and literal_number(bound) is None and id(bound) not in self.entries:
                    name = f"bound_{len(self.entries)}"
                    self.entries[id(bound)] = self._module.value(name, (), bound)


class ConcreteTypes:
    """Concrete types over one set of inputs; findings about bounds go to `problems`."""

    def __init__(
        self,
        declarations: Mapping[str, tree.TypeDeclaration],
        bounds: Bounds,
        entries: Mapping[str, Entry],
        problems: Problems,
    ) -> None:
        self._declarations = declarations
        self._bounds = bounds
        self._entries = entries
        self._problems = problems
        self._declared: dict[str, Type] = {}

    def resolve(self, expression: tree.TypeExpression) -> Type:
        """The concrete type of a type expression; NeverType where a bound can't be computed."""
        match expression:
            case tree.TypeName(name=name):
                return self._named(name)
            case tree.TypeRange():
                return self._range(expression)
            case tree.TypeString(pattern=pattern, max_length=max_length):
                length = None if max_length is None else self._length(max_length)
                return StringType(pattern=None if pattern is None else pattern.value, max_length=length)
            case tree.TypeEnum(values=values):
                return EnumType(tuple(value.value for value in values))
            case tree.TypeList(item=item, low=low, high=high):
                least = None if low is None else self._length(low)
                most = least if high is low else None if high is None else self._length(high)
                self._compare(least, most, low, high, "no length is in this range")
                return ListType(self.resolve(item), least, most)
            case tree.TypeMap(value=value):
                return MapType(self.resolve(value))
            case tree.TypeRecord(members=members):
                return RecordType(self.members(members))
            case tree.TypeTuple(places=places):
                return TupleType(self.members(places))
            case tree.TypeOptional(inner=inner):
                type_ = self.resolve(inner)
                return type_ if isinstance(type_, OptionalType | NeverType) else OptionalType(type_)
            case _:
                assert_never(expression)

    def members(self, members: tuple[tree.TypeMember, ...]) -> tuple[Member, ...]:
        """The concrete types of named members."""
        return tuple(Member(member.name.name, self.resolve(member.type)) for member in members)

    def _named(self, name: str) -> Type:
        match name:
            case "int":
                return IntType()
            case "float":
                return FloatType()
            case "decimal":
                return DecimalType()
            case "bool":
                return BoolType()
            case "string":
                return StringType()
            case "date":
                return DateType()
            case "line":
                return StringType(raw="line")
            case "text":
                return StringType(raw="text")
        if name not in self._declared:
            self._declared[name] = replace(self.resolve(self._declarations[name].type), alias=name)
        return self._declared[name]

    def _range(self, expression: tree.TypeRange) -> Type:
        kind: type = {"int": int, "float": float, "decimal": Decimal}[expression.base.name]
        least = None if expression.low is None else self._number(expression.low, kind)
        most = None if expression.high is None else self._number(expression.high, kind)
        self._compare(least, most, expression.low, expression.high, "this range is empty")
        match expression.base.name:
            case "int":
                return IntType(least, most)
            case "float":
                return FloatType(least, most)
        return DecimalType(least, most)

    def _number(self, bound: tree.Expression, kind: type) -> Any:
        number = literal_number(bound)
        if number is not None:
            return kind(number)
        try:
            return self._entries[self._bounds.entries[id(bound)]]()
        except EvaluationError as error:
            finding = explain_failure(error, bound.span, "this bound")
            self._problems.add("MK361", finding.title, finding.primary.span, finding.primary.text)
            return None

    def _length(self, bound: tree.Expression) -> int | None:
        length: int | None = self._number(bound, int)
        if length is not None and length < 0:
            self._problems.add("MK352", "a length can't be negative", bound.span, f"this is {length}")
            return None
        return length

    def _compare(
        self, least: Any, most: Any, low: tree.Expression | None, high: tree.Expression | None, title: str
    ) -> None:
        if least is not None and most is not None and low is not None and high is not None and least > most:
            self._problems.add("MK351", title, low.span.to(high.span), f"{least} is more than {most}")
