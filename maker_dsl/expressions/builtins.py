"""What the builtin functions do. Their signatures and documentation are in `checker.builtins`.

Each is total on values of its signature's types: it gives a value or raises EvaluationError, in bounded time and size.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from math import fsum
from typing import Any

from maker_dsl.expressions.arithmetic import (
    DECIMALS,
    bounded_int,
    bounded_text,
    finite,
    int_to_decimal,
    round_decimal_to,
    round_down,
    round_up,
    too_long_text,
)
from maker_dsl.expressions.errors import EvaluationError
from maker_dsl.expressions.fuel import count_range, int_range, spend, spend_all, spend_keys, spend_list, spend_text
from maker_dsl.expressions.limits import (
    CHARACTERS_PER_FUEL,
    MAX_CHARACTERS,
    MAX_DECIMAL_DIGITS,
    MAX_DECIMAL_EXPONENT,
    MAX_INT_BITS,
    MAX_ITEMS,
)
from maker_dsl.expressions.notation import to_json, to_string
from maker_dsl.types.patterns import pattern

Key = Callable[[Any], Any]


def _bounded(items: list[Any]) -> list[Any]:
    if len(items) > MAX_ITEMS:
        raise EvaluationError(f"this list is too long: it has {len(items):,} items, {MAX_ITEMS:,} are allowed")
    return items


def _there(items: list[Any], index: int) -> int:
    """The index counted from the start, if an item is there."""
    at = index + len(items) if index < 0 else index
    if not 0 <= at < len(items):
        raise EvaluationError(f"there is no item {index} in a list of {len(items)}")
    return at


# Lists -----------------------------------------------------------------------------------------------------------


def make_range(start: int, stop: int | None = None, step: int = 1) -> list[int]:
    numbers = int_range(start, stop, step)
    count = count_range(numbers)
    if count > MAX_ITEMS:
        raise EvaluationError(f"this `range` is too long: {count:,} numbers, {MAX_ITEMS:,} are allowed")
    spend(count + 1)
    return list(numbers)


def sort(items: list[Any], *, by: Key | None = None, reverse: bool = False) -> list[Any]:
    spend_list(items)
    spend(len(items) * len(items).bit_length())
    return sorted(items, key=by, reverse=reverse)


def reverse_list(items: list[Any]) -> list[Any]:
    spend(len(items) + 1)
    return items[::-1]


def reverse_text(text: str) -> str:
    return spend_text(text)[::-1]


def flatten(lists: list[list[Any]]) -> list[Any]:
    spend(len(lists) + 1)
    count = sum(map(len, lists))
    if count > MAX_ITEMS:
        raise EvaluationError(f"this list is too long: it would have {count:,} items, {MAX_ITEMS:,} are allowed")
    spend(count)
    return [item for part in lists for item in part]


_TUPLE = 6
"""How many operations it is worth to make a tuple, for the memory it takes."""

_SLOW = 6
"""How many operations it is worth to look at each part of a value in Python code."""


def _hashable(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return tuple(map(_hashable, value))
    if isinstance(value, dict):
        return frozenset((key, _hashable(part)) for key, part in value.items())
    return value


def unique(items: list[Any]) -> list[Any]:
    for _ in range(_SLOW):
        spend_all(items)
    seen: dict[Any, Any] = {}
    for item in items:
        seen.setdefault(_hashable(item), item)
    return list(seen.values())


def number_items(items: list[Any]) -> list[tuple[int, Any]]:
    spend(len(items) * _TUPLE + 1)
    return list(enumerate(items))


def pair(left: list[Any], right: list[Any]) -> list[tuple[Any, Any]]:
    spend(min(len(left), len(right)) * _TUPLE + 1)
    return list(zip(left, right, strict=False))


def first(items: list[Any]) -> Any:
    return items[0] if items else None


def last(items: list[Any]) -> Any:
    return items[-1] if items else None


def index_of_item(items: list[Any], item: Any) -> int | None:
    spend_list(items)
    try:
        return items.index(item)
    except ValueError:
        return None


def index_of_text(text: str, part: str) -> int | None:
    index = spend_text(text).find(part)
    return None if index < 0 else index


def get_item(items: list[Any], index: int) -> Any:
    return items[index] if -len(items) <= index < len(items) else None


def get_value(mapping: dict[str, Any], key: str) -> Any:
    return mapping.get(key)


def set_item(items: list[Any], index: int, item: Any) -> list[Any]:
    at = _there(items, index)
    spend(len(items))
    return [*items[:at], item, *items[at + 1 :]]


def set_value(mapping: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    spend(len(mapping) + 1)
    return {**mapping, key: value}


def insert_item(items: list[Any], index: int, item: Any) -> list[Any]:
    at = len(items) if index == len(items) else _there(items, index)
    spend(len(items) + 1)
    return _bounded([*items[:at], item, *items[at:]])


def remove_item(items: list[Any], index: int) -> list[Any]:
    at = _there(items, index)
    spend(len(items))
    return items[:at] + items[at + 1 :]


def remove_value(mapping: dict[str, Any], key: str) -> dict[str, Any]:
    spend(len(mapping) + 1)
    return {name: value for name, value in mapping.items() if name != key}


def without(items: list[Any], item: Any) -> list[Any]:
    spend_list(items)
    return [each for each in items if each != item]


# Conditions and maps ---------------------------------------------------------------------------------------------


def count_true(conditions: Iterable[Any]) -> int:
    return sum(map(bool, conditions))


def count_item(items: list[Any], item: Any) -> int:
    spend_list(items)
    return items.count(item)


def keys(mapping: dict[str, Any]) -> list[str]:
    spend_keys(mapping)
    return sorted(mapping)


def values(mapping: dict[str, Any]) -> list[Any]:
    spend_keys(mapping)
    return [mapping[key] for key in sorted(mapping)]


def items_of(mapping: dict[str, Any]) -> list[tuple[str, Any]]:
    spend_keys(mapping)
    spend(len(mapping) * _TUPLE)
    return [(key, mapping[key]) for key in sorted(mapping)]


# Text ------------------------------------------------------------------------------------------------------------


def join(texts: list[str], between: str) -> str:
    spend(len(texts) + 1)
    count = sum(map(len, texts)) + len(between) * max(len(texts) - 1, 0)
    if count > MAX_CHARACTERS:
        raise too_long_text(count)
    return bounded_text(between.join(texts))


_SPACES = " \t\n\r\f\v"
_WORD = re.compile(f"[^{_SPACES}]+")


def words(text: str) -> list[str]:
    return _parts(_WORD.findall(spend_text(text)))


def split(text: str, separator: str) -> list[str]:
    if not separator:
        raise EvaluationError("the separator of `split` is empty")
    spend_text(text)
    spend(text.count(separator))
    return _parts(text.split(separator))


def lines(text: str) -> list[str]:
    spend(spend_text(text).count("\n"))
    found = text.replace("\r\n", "\n").split("\n")
    return _parts(found[:-1] if found[-1] == "" else found)


def _parts(parts: list[str]) -> list[str]:
    spend(len(parts) + 1)
    return _bounded(parts)


def trim(text: str) -> str:
    return spend_text(text).strip(_SPACES)


def upper(text: str) -> str:
    return bounded_text(text.upper())


def lower(text: str) -> str:
    return bounded_text(text.lower())


def starts_with(text: str, part: str) -> bool:
    return text.startswith(spend_text(part))


def ends_with(text: str, part: str) -> bool:
    return text.endswith(spend_text(part))


def replace(text: str, part: str, by: str) -> str:
    if not part:
        raise EvaluationError("the part that `replace` looks for is empty")
    count = len(spend_text(text)) + text.count(part) * (len(by) - len(part))
    if count > MAX_CHARACTERS:
        raise too_long_text(count)
    return bounded_text(text.replace(part, by))


def matches(text: str, regex: str) -> bool:
    read = pattern(regex)
    spend(len(text) * read.size // CHARACTERS_PER_FUEL + 1)
    return read.matches(text)


# Numbers ---------------------------------------------------------------------------------------------------------


def sum_ints(numbers: list[int]) -> int:
    spend(len(numbers) + 1)
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
    return DECIMALS.abs(number) if isinstance(number, Decimal) else abs(number)


def round_to_int(number: float) -> int:
    return round(number)


def round_decimal_to_int(number: Decimal | int) -> int:
    return round_decimal_to(number, ROUND_HALF_EVEN)


def round_decimal(number: Decimal, places: int) -> Decimal:
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
    spend(len(text) // CHARACTERS_PER_FUEL)
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


# Dates -----------------------------------------------------------------------------------------------------------

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def text_to_date(text: str) -> date | None:
    if not _DATE.fullmatch(text):
        return None
    return make_date(int(text[:4]), int(text[5:7]), int(text[8:]))


def make_date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except (ValueError, OverflowError):
        return None


def year(day: date) -> int:
    return day.year


def month(day: date) -> int:
    return day.month


def day_of_month(day: date) -> int:
    return day.day


def weekday(day: date) -> int:
    return day.isoweekday()


IMPLEMENTATIONS: dict[str, Callable[..., Any]] = {
    "len": len,
    "range": make_range,
    "sorted": sort,
    "reversed_list": reverse_list,
    "reversed_text": reverse_text,
    "flatten": flatten,
    "unique": unique,
    "enumerate": number_items,
    "zip": pair,
    "first": first,
    "last": last,
    "index_of_item": index_of_item,
    "index_of_text": index_of_text,
    "get_item": get_item,
    "get_value": get_value,
    "set_item": set_item,
    "set_value": set_value,
    "insert_at": insert_item,
    "remove_item": remove_item,
    "remove_value": remove_value,
    "without": without,
    "all": all,
    "any": any,
    "count": count_true,
    "count_item": count_item,
    "keys": keys,
    "values": values,
    "items": items_of,
    "join": join,
    "words": words,
    "split": split,
    "lines": lines,
    "trim": trim,
    "upper": upper,
    "lower": lower,
    "starts_with": starts_with,
    "ends_with": ends_with,
    "replace": replace,
    "matches": matches,
    "sum_int": sum_ints,
    "sum_decimal": sum_decimals,
    "sum_float": sum_floats,
    "min": smallest,
    "min_of": smallest_of,
    "max": largest,
    "max_of": largest_of,
    "abs": absolute,
    "round_to_int": round_to_int,
    "round_decimal_to_int": round_decimal_to_int,
    "round_decimal": round_decimal,
    "round_float": round_float,
    "floor": round_down,
    "ceil": round_up,
    "int": text_to_int,
    "to_decimal": to_decimal,
    "float_to_decimal": float_to_decimal,
    "text_to_decimal": text_to_decimal,
    "to_float": to_float,
    "text_to_float": text_to_float,
    "text_to_date": text_to_date,
    "make_date": make_date,
    "year": year,
    "month": month,
    "day": day_of_month,
    "weekday": weekday,
    "string": to_string,
    "json": to_json,
}
"""By the names that the catalogue gives."""
