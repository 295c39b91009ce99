"""Signatures of builtins, written as authors read them, and matched against the types of arguments.

`sorted(list: list[T], *, by: def(T) -> O, reverse?: bool) -> list[T]`: single capitals stand for any type (`N` for a
number, `O` for a type with an order); `?` after a name marks what may be left out; after `*` come keyword arguments;
`*more: T` takes any number. Besides the language's types there are `condition` (what may stand after `if`) and
`pattern` (a regular expression, written out).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from maker_dsl.checker.relations import is_assignable, is_condition, is_orderable, join, strip_optional
from maker_dsl.types.type import (
    BoolType,
    DateType,
    DecimalType,
    FloatType,
    IntType,
    ListType,
    MapType,
    Member,
    NeverType,
    NullType,
    OptionalType,
    StringType,
    TupleType,
    Type,
)


@dataclass(frozen=True, slots=True)
class Variable:
    """`T`: any type, the same wherever it stands."""

    name: str

    def admits(self, type_: Type) -> bool:
        """Whether the variable may stand for the type."""
        match self.name:
            case "N":
                return isinstance(type_, IntType | FloatType | DecimalType | NeverType)
            case "O":
                return is_orderable(type_)
            case _:
                return True


@dataclass(frozen=True, slots=True)
class ListPattern:
    """`list[T]`."""

    item: Pattern


@dataclass(frozen=True, slots=True)
class MapPattern:
    """`map[string, T]`."""

    value: Pattern


@dataclass(frozen=True, slots=True)
class OptionalPattern:
    """`T?`."""

    inner: Pattern


@dataclass(frozen=True, slots=True)
class TuplePattern:
    """`[index: int, item: T]`; in results only."""

    places: tuple[tuple[str, Pattern], ...]


@dataclass(frozen=True, slots=True)
class DefPattern:
    """`def(T) -> O`: the name of a def with one parameter."""

    parameter: Pattern
    result: Pattern


@dataclass(frozen=True, slots=True)
class ConditionPattern:
    """`condition`."""


@dataclass(frozen=True, slots=True)
class RegexPattern:
    """`pattern`."""


@dataclass(frozen=True, slots=True)
class AnyPattern:
    """`value`: a value of any type."""


Pattern = (
    Type
    | Variable
    | ListPattern
    | MapPattern
    | OptionalPattern
    | TuplePattern
    | DefPattern
    | ConditionPattern
    | RegexPattern
    | AnyPattern
)

Solution = dict[str, Type]
"""What each variable stands for."""

_PLAIN: dict[str, Pattern] = {
    "int": IntType(),
    "float": FloatType(),
    "decimal": DecimalType(),
    "bool": BoolType(),
    "string": StringType(),
    "date": DateType(),
    "condition": ConditionPattern(),
    "pattern": RegexPattern(),
    "value": AnyPattern(),
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a builtin."""

    name: str
    pattern: Pattern
    is_optional: bool = False
    is_keyword: bool = False
    is_variadic: bool = False


@dataclass(frozen=True, slots=True)
class Signature:
    """One way to call a builtin."""

    text: str
    name: str
    parameters: tuple[Parameter, ...]
    result: Pattern

    @property
    def positional(self) -> tuple[Parameter, ...]:
        """The parameters before `*`."""
        return tuple(p for p in self.parameters if not p.is_keyword)

    def parameter_at(self, index: int) -> Parameter | None:
        """The parameter that the positional argument `index` goes to."""
        positional = self.positional
        if index < len(positional):
            return positional[index]
        return positional[-1] if positional and positional[-1].is_variadic else None

    def keyword(self, name: str) -> Parameter | None:
        """The parameter after `*` of that name."""
        return next((p for p in self.parameters if p.is_keyword and p.name == name), None)

    def takes(self, count: int, keywords: Sequence[str]) -> bool:
        """Whether it can be called with so many arguments and these keywords."""
        least = sum(not p.is_optional and not p.is_variadic for p in self.positional)
        needed = {p.name for p in self.parameters if p.is_keyword and not p.is_optional}
        return (
            count >= least
            and (count == 0 or self.parameter_at(count - 1) is not None)
            and all(self.keyword(name) is not None for name in keywords)
            and needed <= set(keywords)
        )


_TOKEN = re.compile(r"\s*(->|[A-Za-z_]+|[()\[\]:,?*])")


def parse_signature(text: str) -> Signature:
    """The signature that a text of the catalogue writes."""
    return _Reader(text).signature()


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _TOKEN.findall(text)
        self._at = 0

    def _next(self) -> str:
        self._at += 1
        return str(self._tokens[self._at - 1])

    def _skip(self, token: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at] == token:
            self._at += 1
            return True
        return False

    def signature(self) -> Signature:
        name = self._next()
        self._skip("(")
        parameters: list[Parameter] = []
        is_keyword = False
        while not self._skip(")"):
            is_variadic = self._skip("*")
            if is_variadic and self._skip(","):
                is_keyword = True
                continue
            label = self._next()
            is_optional = self._skip("?")
            self._skip(":")
            parameters.append(Parameter(label, self.pattern(), is_optional, is_keyword, is_variadic))
            self._skip(",")
        self._skip("->")
        return Signature(self._text, name, tuple(parameters), self.pattern())

    def pattern(self) -> Pattern:
        pattern = self._plain()
        return OptionalPattern(pattern) if self._skip("?") else pattern

    def _plain(self) -> Pattern:
        word = self._next()
        if word == "[":
            places = []
            while not self._skip("]"):
                name = self._next()
                self._skip(":")
                places.append((name, self.pattern()))
                self._skip(",")
            return TuplePattern(tuple(places))
        if word == "list":
            self._skip("[")
            item = self.pattern()
            self._skip("]")
            return ListPattern(item)
        if word == "map":
            for token in ("[", "string", ","):
                self._skip(token)
            value = self.pattern()
            self._skip("]")
            return MapPattern(value)
        if word == "def":
            self._skip("(")
            parameter = self.pattern()
            self._skip(")")
            self._skip("->")
            return DefPattern(parameter, self.pattern())
        return _PLAIN[word] if word in _PLAIN else Variable(word)


def matches(pattern: Pattern, actual: Type, solution: Solution) -> bool:
    """Whether a value of the type may be passed where the pattern stands; widens the solution's variables."""
    match pattern:
        case AnyPattern():
            return True
        case ConditionPattern():
            return is_condition(actual)
        case RegexPattern():
            return isinstance(actual, StringType | NeverType)
        case Variable(name=name):
            joined = join(solution.get(name, NeverType()), actual)
            if joined is None or not pattern.admits(joined):
                return False
            solution[name] = joined
            return True
        case OptionalPattern(inner=inner):
            return isinstance(actual, NullType) or matches(inner, strip_optional(actual), solution)
        case ListPattern(item=item):
            return isinstance(actual, NeverType) or (
                isinstance(actual, ListType) and matches(item, actual.item, solution)
            )
        case MapPattern(value=value):
            return isinstance(actual, NeverType) or (
                isinstance(actual, MapType) and matches(value, actual.value, solution)
            )
        case TuplePattern() | DefPattern():
            return False
        case _:
            return is_assignable(actual, pattern)


def substitute(pattern: Pattern, solution: Solution) -> Type | None:
    """The type that the pattern becomes; None where it is not one type (`condition`) or not yet known."""
    match pattern:
        case AnyPattern() | ConditionPattern() | DefPattern():
            return None
        case RegexPattern():
            return StringType()
        case Variable(name=name):
            return solution.get(name)
        case ListPattern(item=inner):
            item = substitute(inner, solution)
            return None if item is None else ListType(item)
        case MapPattern(value=inner):
            value = substitute(inner, solution)
            return None if value is None else MapType(value)
        case OptionalPattern(inner=inner):
            type_ = substitute(inner, solution)
            if isinstance(type_, NeverType | NullType):
                return NullType()
            return type_ if type_ is None or isinstance(type_, OptionalType) else OptionalType(type_)
        case TuplePattern(places=places):
            members = [(name, substitute(place, solution)) for name, place in places]
            return TupleType(tuple(Member(name, NeverType() if type_ is None else type_) for name, type_ in members))
        case _:
            return pattern
