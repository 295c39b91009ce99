"""The language's types as plain data.

One family serves twice. The checker works with *erased* types, whose bounds are all None, since bounds may depend on
inputs; binding a task to its inputs gives *concrete* types, whose bounds are numbers. Everything that a type gives (a
validator, a JSON Schema, a notation in replies, a canonical form) is made from concrete types by its own file.

Values are plain Python: int, float, Decimal, bool, str, date, None, list (of `list`), tuple (of tuples with named
places), dict (of maps and records; an absent optional member is None).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class _Base:
    alias: str | None = field(default=None, compare=False)
    """The name under which the author declared the type, for messages."""


@dataclass(frozen=True, slots=True)
class IntType(_Base):
    """`int`, `int in 0..2`; both ends included."""

    minimum: int | None = None
    maximum: int | None = None


@dataclass(frozen=True, slots=True)
class FloatType(_Base):
    """`float`, finite; both ends included."""

    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True, slots=True)
class DecimalType(_Base):
    """`decimal`: exact, finite; both ends included."""

    minimum: Decimal | None = None
    maximum: Decimal | None = None


@dataclass(frozen=True, slots=True)
class BoolType(_Base):
    """`bool`."""


@dataclass(frozen=True, slots=True)
class StringType(_Base):
    """`string`, `string matching /re/` (the whole string), `string up to 200` (characters).

    `raw` is how it stands in a format text: as a JSON string, or bare to the end of a `line`, or bare `text`.
    """

    pattern: str | None = None
    max_length: int | None = None
    raw: Literal["", "line", "text"] = ""


@dataclass(frozen=True, slots=True)
class DateType(_Base):
    """`date`: ISO 8601, `2026-11-23`."""


@dataclass(frozen=True, slots=True)
class EnumType(_Base):
    """`"debit" | "credit"`."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ListType(_Base):
    """`list[T]`, `list[T] of 3`, `list[T] of 1..5`."""

    item: Type
    min_length: int | None = None
    max_length: int | None = None


@dataclass(frozen=True, slots=True)
class MapType(_Base):
    """`map[string, T]`."""

    value: Type


@dataclass(frozen=True, slots=True)
class Member:
    """A named part of a record or tuple."""

    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class RecordType(_Base):
    """`{ name: T, note: T? }`: exactly these members; a member of optional type may be left out."""

    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class TupleType(_Base):
    """`[disk: Disk, source: Peg]`: a JSON array with named places; a value is a Python tuple."""

    places: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class OptionalType(_Base):
    """`T?`: a T or null; never nested."""

    inner: Type


@dataclass(frozen=True, slots=True)
class NullType(_Base):
    """The type of `null` alone; only in inference."""


@dataclass(frozen=True, slots=True)
class NeverType(_Base):
    """The item type of `[]`, and the type of an expression already reported as wrong; only in inference."""


Type = (
    IntType
    | FloatType
    | DecimalType
    | BoolType
    | StringType
    | DateType
    | EnumType
    | ListType
    | MapType
    | RecordType
    | TupleType
    | OptionalType
    | NullType
    | NeverType
)
