"""Exact numbers at the boundary: what counts as an int or a decimal, the largest allowed, the one spelling of each.

Ints and decimals have at most `MAX_DIGITS` digits on either side of the point: reading and writing a number takes
time that grows with the square of its digits.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

MAX_DIGITS = 4000
INT_LIMIT: int = 10**MAX_DIGITS


class NotOfType(ValueError):
    """A value is not of the type, said for an author: pydantic takes any ValueError for a refusal."""


def to_int(value: object) -> int:
    """The int that a whole float or decimal stands for; raises `NotOfType`."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Decimal) and value.is_finite() and value.adjusted() < MAX_DIGITS:
        whole = int(value)
        if whole == value:
            return whole
    raise NotOfType


def to_decimal(value: object) -> Decimal:
    """The decimal that a number stands for, a float by its shortest spelling; raises `NotOfType`."""
    match value:
        case bool():
            raise NotOfType
        case Decimal():
            return canonical_decimal(value)
        case int():
            if not -INT_LIMIT < value < INT_LIMIT:
                raise NotOfType
            return Decimal(value)
        case float():
            return canonical_decimal(Decimal(repr(value)))
        case _:
            raise NotOfType


def canonical_decimal(value: Decimal) -> Decimal:
    """The same number without exponent, trailing zeros or minus zero; raises `NotOfType`."""
    return value if _is_plain(str(value)) else Decimal(decimal_text(value))


def _is_plain(text: str) -> bool:
    """Whether what Python writes for a decimal is its one spelling: a whole number, as most are."""
    digits = text[1:] if text[0] == "-" else text
    return digits.isdigit() and len(digits) <= MAX_DIGITS and text != "-0"


def decimal_text(value: Decimal) -> str:
    """The one spelling of a decimal: `1.5` for 1.50, `100` for 1E+2, `0` for -0.00; raises `NotOfType`."""
    quick = str(value)
    if _is_plain(quick):
        return quick
    if not value.is_finite():
        raise NotOfType
    exponent = value.as_tuple().exponent
    if value and not -MAX_DIGITS < value.adjusted() < MAX_DIGITS:
        raise NotOfType
    if not value:
        return "0"
    assert isinstance(exponent, int)
    if exponent < -2 * MAX_DIGITS:
        raise NotOfType
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
        if len(text) - text.index(".") > MAX_DIGITS if "." in text else False:
            raise NotOfType
    return text


def to_date(value: object) -> date:
    """The date of a `date` or of an ISO text `2026-11-23`; raises `NotOfType`."""
    if type(value) is date:
        return value
    if isinstance(value, str) and len(value) == 10 and value.isascii() and value[4] == "-" and value[7] == "-":
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise NotOfType
