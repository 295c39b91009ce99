"""The form of values: in JSON notation, and bare in the holes of a format text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeVar, assert_never

from maker_dsl.replies import syntax
from maker_dsl.replies.exports import digits, strings
from maker_dsl.replies.exports.form import NOTHING, Named, Node, Text, choice, optional, repeat, sequence
from maker_dsl.replies.exports.strings import Surroundings
from maker_dsl.replies.grammar import item_name
from maker_dsl.types.display import words
from maker_dsl.types.patterns import pattern
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
    NullType,
    OptionalType,
    RecordType,
    StringType,
    TupleType,
    Type,
)

BLANK = optional(Text(" "))
"""Where white space is free, an export has a blank or nothing."""
NULL = Text("null")


_N = TypeVar("_N", int, Decimal)


@dataclass(slots=True)
class Rules:
    """Collects the rules of a form under unique names; equal ones of the same name are shared."""

    around: Surroundings
    rules: dict[str, Node] = field(default_factory=dict)
    left_to_reading: list[str] = field(default_factory=list)

    def name(self, wanted: str, node: Node) -> Node:
        """A node as a rule of its own; what no text is of stays as it is."""
        if node == NOTHING:
            return node
        stem = re.sub(r"[^a-z0-9]+", "_", words(wanted).lower()).strip("_") or "value"
        if not stem[0].isalpha() or stem in _TAKEN:
            stem = f"the_{stem}"
        unique, count = stem, 1
        while unique in self.rules and self.rules[unique] != node:
            count += 1
            unique = f"{stem}_{count}"
        self.rules[unique] = node
        return Named(unique)

    def leave_to_reading(self, sentence: str) -> None:
        """Say what the form admits and reading refuses."""
        if sentence not in self.left_to_reading:
            self.left_to_reading.append(sentence)

    def value(self, type: Type, name: str) -> Node:
        """A value in JSON notation; `name` is that of the field or place it stands in."""
        match type:
            case IntType() | FloatType() | DecimalType() | BoolType():
                return self._number(type, name)
            case DateType():
                return self.name(type.alias or "date", sequence(Text('"'), digits.day(), Text('"')))
            case EnumType():
                return self.name(type.alias or name, self._enum(map(_quoted, sorted(type.values))))
            case StringType():
                return self._string(type, name)
            case ListType():
                return self.name(type.alias or name, self._list(type, name))
            case TupleType():
                places = (self.value(place.type, place.name) for place in type.places)
                return self.name(type.alias or name, _bracketed("[", _separated(list(places)), "]"))
            case MapType():
                return self.name(type.alias or name, self._map(type, name))
            case RecordType():
                return self.name(type.alias or name, self.members(type))
            case OptionalType():
                return choice(NULL, self.value(type.inner, name))
            case NullType():
                return NULL
            case NeverType():
                raise AssertionError("no reply has a value of no type")
            case _:
                assert_never(type)

    def bare(self, type: Type, name: str) -> Node:
        """A value as it stands in a hole that is not JSON; lines and texts are made where their place is known."""
        match type:
            case DateType():
                return self.name(type.alias or "day", digits.day())
            case EnumType():
                ordered = sorted(type.values, key=lambda value: (-len(value), value))
                written = (one if syntax.is_bare(one) else _quoted(one) for one in ordered)
                return self.name(type.alias or name, self._enum(written))
            case OptionalType():
                return choice(NULL, self.bare(type.inner, name))
            case _:
                return self.value(type, name)

    def _number(self, type: IntType | FloatType | DecimalType | BoolType, name: str) -> Node:
        match type:
            case BoolType():
                return self.name(type.alias or "boolean", choice(Text("true"), Text("false")))
            case IntType():
                low, high = self._bound(type.minimum, name), self._bound(type.maximum, name)
                node = digits.whole_number(low, high)
                kind = "integer"
            case DecimalType():
                exact_low, exact_high = self._bound(type.minimum, name), self._bound(type.maximum, name)
                node = digits.fraction_number(exact_low, exact_high)
                kind = "decimal"
            case FloatType():
                bounded = (type.minimum, type.maximum) != (None, None)
                node = digits.float_between(type.minimum, type.maximum) if bounded else digits.any_float()
                kind = "number"
        free = type.minimum is None and type.maximum is None
        return self.name(type.alias or (kind if free else name), node)

    def _bound(self, bound: _N | None, name: str) -> _N | None:
        if bound is None or len(format(Decimal(bound), "f")) <= digits.MAX_BOUND_DIGITS:
            return bound
        self.leave_to_reading(
            f"a bound of `{name}` has more than {digits.MAX_BOUND_DIGITS} digits and is not kept here"
        )
        return None

    def _enum(self, values: Iterable[str]) -> Node:
        ends = () if self.around.tag is None else (f"<{self.around.tag}>", f"</{self.around.tag}>")
        return choice(*(Text(value) for value in values if not any(end in value for end in ends)))

    def _string(self, type: StringType, name: str) -> Node:
        if type.pattern is None:
            node = strings.json_string(type.max_length, self.around)
            free = type.max_length is None
            return self.name(type.alias or ("string" if free else name), node)
        if type.max_length is not None:
            longest = strings.longest_match(strings.from_pattern(pattern(type.pattern).node))
            if longest is None or longest > type.max_length:
                self.leave_to_reading(f"`{name}` may be longer here than its {type.max_length} characters")
        return self.name(type.alias or name, strings.matching_string(type.pattern, self.around))

    def _list(self, type: ListType, name: str) -> Node:
        item = self.value(type.item, item_name(type.alias or name))
        low, high = type.min_length or 0, type.max_length
        if high == 0:
            return _bracketed("[", [], "]")
        more = repeat(sequence(_COMMA, item), max(low - 1, 0), None if high is None else high - 1)
        filled = _bracketed("[", [item, more], "]")
        return filled if low else choice(_bracketed("[", [], "]"), filled)

    def _map(self, type: MapType, name: str) -> Node:
        self.leave_to_reading(f"a key of `{name}` may occur twice here")
        key = self.name("key", strings.json_string(None, self.around))
        entry = sequence(key, _COLON, self.value(type.value, item_name(type.alias or name)))
        filled = _bracketed("{", [entry, repeat(sequence(_COMMA, entry), 0, None)], "}")
        return choice(_bracketed("{", [], "}"), filled)

    def members(self, type: RecordType) -> Node:
        """A JSON object with the members in their order; those of optional types may be left out."""
        pairs = [(self._pair(member), isinstance(member.type, OptionalType)) for member in type.members]
        options: list[Node] = []  # one for each member that can be the first one there
        for at, (pair, may_miss) in enumerate(pairs):
            after = (optional(sequence(_COMMA, one)) if may else sequence(_COMMA, one) for one, may in pairs[at + 1 :])
            options.append(sequence(Text("{"), BLANK, pair, *after, BLANK, Text("}")))
            if not may_miss:
                break
        else:
            options.append(_bracketed("{", [], "}"))
        return choice(*options)

    def _pair(self, member: Member) -> Node:
        return sequence(Text(_quoted(member.name)), _COLON, self.value(member.type, member.name))


_TAKEN = frozenset({"start", "root", "reply"})
_COMMA = sequence(BLANK, Text(","), BLANK)
_COLON = sequence(BLANK, Text(":"), BLANK)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _bracketed(opening: str, inside: list[Node], closing: str) -> Node:
    return sequence(Text(opening), BLANK, *inside, *([BLANK] if inside else []), Text(closing))


def _separated(parts: list[Node]) -> list[Node]:
    return [one for index, part in enumerate(parts) for one in ((_COMMA, part) if index else (part,))]
