"""The fast reader: regexes compiled once for the plain parts of a format, Python's JSON scanner for the rest.

It says yes and gives the raw value, or says no; why not is for the grammar to tell (`explanation`). Both accept the
same texts, which tests prove by random trial.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, assert_never

from maker_dsl.replies import syntax
from maker_dsl.replies.layout import Gap, Newlines, Part, Slot, Token, raw
from maker_dsl.types.json_text import refuse_constant, unique_keys
from maker_dsl.types.type import (
    BoolType,
    DateType,
    DecimalType,
    EnumType,
    FloatType,
    IntType,
    ListType,
    MapType,
    NeverType,
    NullType,
    OptionalType,
    RecordType,
    StringType,
    TupleType,
    Type,
)

Raw = dict[str, Any]
Scan = Callable[[str, int], tuple[Any, int]]
FastRead = Callable[[str, int, int], Raw | None]
"""Reads text[start:end] to the last character; None if it is not of the form."""

_FAILURES = (StopIteration, ValueError, ArithmeticError, RecursionError)
"""How Python's scanner and conversions refuse a text."""


def json_scanner(type: Type) -> Scan:
    """A scanner of one JSON value at an offset; fractions are exact where the type has decimals."""
    decoder = json.JSONDecoder(
        object_pairs_hook=unique_keys,
        parse_float=Decimal if has_decimal(type) else None,
        parse_constant=refuse_constant,
        strict=True,
    )
    scan: Scan = vars(decoder)["scan_once"]
    return scan


def has_decimal(type: Type) -> bool:
    """Whether a decimal is anywhere in a type."""
    match type:
        case DecimalType():
            return True
        case ListType():
            return has_decimal(type.item)
        case MapType():
            return has_decimal(type.value)
        case RecordType():
            return any(has_decimal(member.type) for member in type.members)
        case TupleType():
            return any(has_decimal(place.type) for place in type.places)
        case OptionalType():
            return has_decimal(type.inner)
        case _:
            return False


def has_fixed_texts(type: Type) -> bool:
    """Whether JSON of the type holds keys, enum values or dates, of which the grammar knows one spelling only."""
    match type:
        case EnumType() | DateType() | RecordType():
            return True
        case ListType():
            return has_fixed_texts(type.item)
        case MapType():
            return has_fixed_texts(type.value)
        case TupleType():
            return any(has_fixed_texts(place.type) for place in type.places)
        case OptionalType():
            return has_fixed_texts(type.inner)
        case _:
            return False


def fast_object(type: RecordType) -> FastRead:
    """The reader of a JSON object."""
    scan = json_scanner(type)

    def read(text: str, start: int, end: int) -> Raw | None:
        try:
            value, at = scan(text, start)
        except _FAILURES:
            return None
        return value if at == end and isinstance(value, dict) else None

    return read


@dataclass(frozen=True, slots=True)
class _Match:
    """Literals and plain holes in a row: one regex, whose groups are the holes."""

    match: Callable[[str, int, int], re.Match[str] | None]
    holes: tuple[tuple[int, str, Callable[[str], Any]], ...]


@dataclass(frozen=True, slots=True)
class _Scan:
    """A hole in JSON notation."""

    name: str


def fast_text(parts: tuple[Part, ...], type: RecordType) -> FastRead:
    """The reader of a format text."""
    steps = _steps(parts)
    scan = json_scanner(type)

    def read(text: str, start: int, end: int) -> Raw | None:
        raw: Raw = {}
        at = start
        try:
            for step in steps:
                if isinstance(step, _Scan):
                    raw[step.name], at = scan(text, at)
                    if at > end:
                        return None
                    continue
                found = step.match(text, at, end)
                if found is None:
                    return None
                at = found.end()
                for index, name, convert in step.holes:
                    raw[name] = convert(found[index])
        except _FAILURES:
            return None
        return raw if at == end else None

    return read


def _steps(parts: tuple[Part, ...]) -> tuple[_Match | _Scan, ...]:
    steps: list[_Match | _Scan] = []
    regex = ""
    holes: list[tuple[int, str, Callable[[str], Any]]] = []

    def close() -> None:
        nonlocal regex
        if regex:
            steps.append(_Match(re.compile(regex).match, tuple(holes)))
        regex = ""
        holes.clear()

    for index, part in enumerate(parts):
        regex += syntax.possessive(syntax.between(part.before))
        if isinstance(part, Token):
            regex += re.escape(part.text)
        elif is_json(part.hole.type):
            close()
            steps.append(_Scan(part.hole.name))
        else:
            regex += "(" + syntax.possessive(plain_regex(part.hole.type, parts[index + 1 :])) + ")"
            holes.append((len(holes) + 1, part.hole.name, plain_value(part.hole.type)))
    close()
    return tuple(steps)


def is_json(type: Type) -> bool:
    """Whether a hole of the type is written as JSON, and not as a plain word, number or raw text."""
    match type:
        case OptionalType():
            return is_json(type.inner)
        case StringType():
            return not type.raw
        case ListType() | MapType() | RecordType() | TupleType():
            return True
        case _:
            return False


def plain_regex(type: Type, after: tuple[Part, ...] = ()) -> str:
    """The regex of a hole that is not JSON; `after` are the parts that follow it."""
    match type:
        case IntType():
            return syntax.INT
        case FloatType() | DecimalType():
            return syntax.NUMBER
        case BoolType():
            return syntax.BOOL
        case DateType():
            return syntax.DATE
        case EnumType():
            return syntax.bare_enum(type)
        case StringType():
            if raw(type) == "line":
                return syntax.LINE
            return _text(after)
        case OptionalType():
            return f"{syntax.NULL}|{plain_regex(type.inner, after)}"
        case NullType():
            return syntax.NULL
        case ListType() | MapType() | RecordType() | TupleType() | NeverType():
            raise AssertionError(f"no plain notation for {type}")
        case _:
            assert_never(type)


def _text(after: tuple[Part, ...]) -> str:
    """A `text` goes on to the end, or to the line that begins with the tokens after it."""
    tokens: list[Token] = []
    whole_word = True
    for part in after:
        if isinstance(part, Slot):
            whole_word = part.before is not Gap.NOTHING
            break
        if tokens and isinstance(part.before, Newlines):
            break
        tokens.append(part)
    return syntax.text_until(tuple(tokens), whole_word=whole_word) if tokens else syntax.TEXT


def plain_value(type: Type) -> Callable[[str], Any]:
    """From the text of a plain hole to its raw value; raises ValueError or ArithmeticError for what has none."""
    match type:
        case IntType():
            return int
        case FloatType():
            return finite
        case DecimalType():
            return Decimal
        case BoolType():
            return _BOOLS.__getitem__
        case DateType():
            return date.fromisoformat
        case EnumType():
            return _enum
        case StringType():
            return _trimmed
        case OptionalType():
            inner = plain_value(type.inner)
            return lambda text: None if text == "null" else inner(text)
        case NullType():
            return _null
        case ListType() | MapType() | RecordType() | TupleType() | NeverType():
            raise AssertionError(f"no plain notation for {type}")
        case _:
            assert_never(type)


def finite(text: str) -> float:
    """The float of a number's text; raises OverflowError where it is too large."""
    number = float(text)
    if math.isinf(number):
        raise OverflowError
    return number


_BOOLS = {"true": True, "false": False}


def _enum(text: str) -> Any:
    return json.loads(text) if text.startswith('"') else text


def _trimmed(text: str) -> str:
    return text.rstrip(syntax.WHITE)


def _null(text: str) -> None:
    return None
