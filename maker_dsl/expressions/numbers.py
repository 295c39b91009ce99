"""Builtins over numbers.

Each is total on values of its signature's types: it gives a value or raises EvaluationError, in bounded time and size.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, Decimal
from math import fsum
from typing import Any

from maker_dsl.expressions.arithmetic import (
    DECIMALS,
    bounded_int,
    finite,
    int_to_decimal,
    round_decimal_to,
)
from maker_dsl.expressions.errors import EvaluationError
from maker_dsl.expressions.fuel import spend, spend_all, spend_list
from maker_dsl.expressions.limits import (
    BITS_PER_FUEL,
    CHARACTERS_PER_FUEL,
    MAX_DECIMAL_DIGITS,
    MAX_DECIMAL_EXPONENT,
    MAX_INT_BITS,
)
from maker_dsl.expressions.lists import Key


def sum_ints(numbers: list[int]) -> int:
    spend(len(numbers) + 1)
    if numbers:
        bits = max(max(numbers).bit_length(), min(numbers).bit_length())
        spend(len(numbers) * (bits // BITS_PER_FUEL // 8))
    return bounded_int(sum(numbers))


def sum_floats(numbers: list[float]) -> float:
    spend(len(numbers) * 4 + 1)
    return finite(fsum(numbers))


def sum_decimals(numbers: list[Decimal]) -> Decimal:
    spend(len(numbers) * 2 + 1)
    total = Decimal(0)
    for number in numbers:
        total = DECIMALS.add(total, number)
    return total


def smallest(items: list[Any], *, by: Key | None = None) -> Any:
    if not items:
        raise EvaluationError("`min` of an empty list")
    spend_list(items)
    return min(items, key=by)


def largest(items: list[Any], *, by: Key | None = None) -> Any:
    if not items:
        raise EvaluationError("`max` of an empty list")
    spend_list(items)
    return max(items, key=by)


def smallest_of(*items: Any) -> Any:
    return min(spend_all(items))


def largest_of(*items: Any) -> Any:
    return max(spend_all(items))


def absolute(number: Any) -> Any:
    if isinstance(number, int):
        return bounded_int(abs(number))
    return DECIMALS.abs(number) if isinstance(number, Decimal) else abs(number)


def round_to_int(number: float) -> int:
    return round(number)


def round_decimal_to_int(number: Decimal | int) -> int:
    return round_decimal_to(number, ROUND_HALF_EVEN)


def round_decimal(number: Decimal, places: int) -> Decimal:
    spend(16)
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and places >= -exponent:
        return number
    if places < -MAX_DECIMAL_EXPONENT:
        return Decimal(0)
    unit = Decimal((0, (1,), -places))
    return DECIMALS.quantize(number, unit) if places >= 0 else DECIMALS.add(_tens(number, unit), 0)


def _tens(number: Decimal, unit: Decimal) -> Decimal:
    """The number rounded to whole tens, hundreds, …"""
    return DECIMALS.multiply(DECIMALS.divide(number, unit).to_integral_value(rounding=ROUND_HALF_EVEN), unit)


def round_float(number: float, places: int) -> float:
    return finite(round(number, max(-400, min(places, 400))))


_INT = re.compile(r"-?(0|[1-9][0-9]*)")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,4})?")


def text_to_int(text: str) -> int | None:
    if len(text) > MAX_INT_BITS // 3 or not _INT.fullmatch(text):
        return None
    spend(len(text) // CHARACTERS_PER_FUEL + (len(text) * len(text) >> 14))
    number = int(text)
    return number if number.bit_length() <= MAX_INT_BITS else None


def to_decimal(number: Decimal | int) -> Decimal:
    return number if isinstance(number, Decimal) else int_to_decimal(number)


def float_to_decimal(number: float) -> Decimal:
    return Decimal(repr(number))


def text_to_decimal(text: str) -> Decimal | None:
    if len(text) > MAX_DECIMAL_EXPONENT or not _NUMBER.fullmatch(text):
        return None
    number = Decimal(text)
    fits = len(number.as_tuple().digits) <= MAX_DECIMAL_DIGITS and abs(number.adjusted()) <= MAX_DECIMAL_EXPONENT
    return number if fits else None


def to_float(number: Any) -> float:
    return finite(float(number))


def text_to_float(text: str) -> float | None:
    if len(text) > MAX_DECIMAL_EXPONENT or not _NUMBER.fullmatch(text):
        return None
    number = float(text)
    return number if number - number == 0.0 else None
