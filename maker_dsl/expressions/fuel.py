"""Fuel: how much work the evaluation that is going on may still do, see `limits`.

Kept per thread, so that evaluations in several threads do not burn each other's.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from itertools import chain
from typing import Any

from maker_dsl.expressions.errors import EvaluationError
from maker_dsl.expressions.limits import BITS_PER_FUEL, CHARACTERS_PER_FUEL, MAX_FUEL


class _Fuel(threading.local):
    left = MAX_FUEL
    is_shared = False
    """Whether evaluations go on with what earlier ones have left, see `shared_fuel`."""


FUEL = _Fuel()


@contextmanager
def shared_fuel(amount: int = MAX_FUEL) -> Iterator[None]:
    """All evaluations inside, and not each of them, may do so much work; within another one, what that has left."""
    is_inner, before = FUEL.is_shared, FUEL.left
    given = max(0, min(amount, before)) if is_inner else amount
    FUEL.is_shared, FUEL.left = True, given
    try:
        yield
    finally:
        FUEL.is_shared, FUEL.left = is_inner, before - (given - FUEL.left) if is_inner else MAX_FUEL


def spend(amount: int) -> None:
    """Account for work about to be done; raises EvaluationError when there was too much."""
    left = FUEL.left - amount
    FUEL.left = left
    if left < 0:
        who = "all that starts a task" if FUEL.is_shared else "an evaluation"
        raise EvaluationError(f"this takes too much work: {who} may do about ten million operations")


def is_out_of_fuel() -> bool:
    """Whether there was too much work, so that whatever else shares the fuel would fail as well."""
    return FUEL.is_shared and FUEL.left < 0


def spend_text(text: str) -> str:
    """Account for going through a text once; gives it back."""
    spend(len(text) // CHARACTERS_PER_FUEL + 1)
    return text


def spend_items(items: Any) -> Any:
    """Account for going through a list of plain values once; gives it back. Null costs nothing."""
    if items is not None:
        spend(len(items))
    return items


_LOOK = 6
"""How many operations it is worth to look into a list or tuple."""


def spend_all(value: Any) -> Any:
    """Account for going through everything inside a value once; gives it back."""
    level: Iterable[Any] = (value,)
    while level:
        deeper: list[Any] = []
        for item in level:
            if isinstance(item, str):
                spend(len(item) // CHARACTERS_PER_FUEL + 2)
            elif isinstance(item, list | tuple):
                spend(len(item) + _LOOK)
                if _has_parts(item):
                    deeper.append(item)
            elif isinstance(item, dict):
                spend_keys(item)
                deeper.append(item.values())
        level = list(chain.from_iterable(deeper))
    return value


_PLAIN = frozenset((int, float, bool, Decimal, date))


def spend_list(items: list[Any]) -> None:
    """Account for going through a list, and everything inside its items, once."""
    spend(len(items) + 1)
    if items and type(items[0]) not in _PLAIN:
        spend_all(items)


def spend_keys(mapping: dict[str, Any]) -> None:
    """Account for going through a map's keys once."""
    spend(len(mapping) * 2 + sum(map(len, mapping)) // CHARACTERS_PER_FUEL + 1)


def _has_parts(items: Sequence[Any]) -> bool:
    """Whether some items may have a size of their own; the items of a list are of one type, null apart."""
    if isinstance(items, tuple):
        return True
    return bool(items) and (items[0] is None or isinstance(items[0], str | list | tuple | dict))


def each(items: Sequence[Any], cost: int) -> Sequence[Any]:
    """A list or string to go through, with so much work for each item."""
    spend(len(items) * cost)
    return items


def each_key(mapping: dict[str, Any], cost: int) -> list[str]:
    """A map's keys to go through in ascending order: the order of a reply's keys must not matter."""
    spend_keys(mapping)
    spend(len(mapping) * cost)
    return sorted(mapping)


def each_pair(mapping: dict[str, Any], cost: int) -> list[tuple[str, Any]]:
    """A map's keys and values to go through in the order of the keys."""
    spend_keys(mapping)
    spend(len(mapping) * cost)
    return [(key, mapping[key]) for key in sorted(mapping)]


def int_range(start: int, stop: int | None = None, step: int = 1) -> range:
    """The ints of a builtin `range`, not made yet."""
    if stop is None:
        start, stop = 0, start
    if step == 0:
        raise EvaluationError("the step of `range` is zero")
    return range(start, stop, step)


def each_int(cost: int, start: int, stop: int | None = None, step: int = 1) -> range:
    """The ints of a builtin `range` to go through, without making a list of them."""
    numbers = int_range(start, stop, step)
    spend(count_range(numbers) * cost)
    spend_ints(numbers)
    return numbers


def spend_ints(numbers: range) -> None:
    """Account for the size of the ints of a range, if they are large."""
    bits = max(numbers.start.bit_length(), numbers.stop.bit_length())
    if bits > 64:
        spend(count_range(numbers) * (bits // BITS_PER_FUEL))


def count_range(numbers: range) -> int:
    """How many ints, however many: `len` refuses more than 2 ** 63."""
    step = numbers.step
    span = (numbers.stop - numbers.start) * (1 if step > 0 else -1)
    return max(0, -(-span // abs(step)))
