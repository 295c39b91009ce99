"""Builtins over lists, conditions and maps.

Each is total on values of its signature's types: it gives a value or raises EvaluationError, in bounded time and size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from decimal import Context, Decimal
from typing import Any

from maker_dsl.expressions.errors import EvaluationError
from maker_dsl.expressions.fuel import (
    count_range,
    int_range,
    spend,
    spend_all,
    spend_ints,
    spend_keys,
    spend_list,
    spend_text,
)
from maker_dsl.expressions.limits import BITS_PER_FUEL, MAX_ITEMS

Key = Callable[[Any], Any]


def bounded_list(items: list[Any]) -> list[Any]:
    """A list that was just made (in a size that its parts bound), unless it is too long."""
    if len(items) > MAX_ITEMS:
        raise EvaluationError(f"this list is too long: it has {len(items):,} items, {MAX_ITEMS:,} are allowed")
    return items


def _there(items: list[Any], index: int) -> int:
    """The index counted from the start, if an item is there."""
    at = index + len(items) if index < 0 else index
    if not 0 <= at < len(items):
        raise EvaluationError(f"there is no item {index} in a list of {len(items)}")
    return at


def make_range(start: int, stop: int | None = None, step: int = 1) -> list[int]:
    numbers = int_range(start, stop, step)
    count = count_range(numbers)
    if count > MAX_ITEMS:
        raise EvaluationError(f"this `range` is too long: {count:,} numbers, {MAX_ITEMS:,} are allowed")
    spend(count + 5)
    spend_ints(numbers)
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


_PLAIN_INT = 2**60
"""Ints within this bound hash to themselves (but for -1, which takes the hash of -2); larger ones collide easily."""

_EXACT = Context(prec=2_200, Emin=-9_999, Emax=9_999)

_SAME = frozenset((str, bool, type(None), date))


def _key(value: Any) -> Any:
    """Something that is equal for equal values of one type, and whose hash no task can foresee.

    Python hashes texts and dates with a secret of the process, but numbers, and tuples of them, without.
    """
    return repr(_parts(value)) if isinstance(value, list | tuple | dict) else _parts(value)


def _parts(value: Any) -> Any:
    """The value in parts whose `repr` is the same for equal ones."""
    kind = type(value)
    if kind in _SAME:
        return value
    if kind is int:
        if -_PLAIN_INT < value < _PLAIN_INT:
            return value
        spend(value.bit_length() // BITS_PER_FUEL)
        return hex(value)
    if kind is float:
        return value + 0.0
    if kind is Decimal:
        return str(_EXACT.normalize(value)) if value else "0"
    if kind is dict:
        return [(key, _parts(value[key])) for key in sorted(value)]
    return [_parts(part) for part in value]


def unique(items: list[Any]) -> list[Any]:
    for _ in range(_SLOW):
        spend_all(items)
    seen: dict[Any, Any] = {}
    for item in items:
        seen.setdefault(_key(item), item)
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
    return bounded_list([*items[:at], item, *items[at:]])


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
