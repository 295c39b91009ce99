"""How large a value is: its items and its characters, all parts counted."""

from __future__ import annotations

from itertools import chain
from typing import Any


def measure(value: Any) -> tuple[int, int]:
    """The number of items in all lists, tuples and maps of a value, and of characters in all its strings and keys."""
    items = characters = 0
    level: list[Any] = [value]
    while level:
        texts = [part for part in level if isinstance(part, str)]
        characters += sum(map(len, texts))
        lists = [part for part in level if isinstance(part, list | tuple)]
        maps = [part for part in level if isinstance(part, dict)]
        items += sum(map(len, lists)) + sum(map(len, maps))
        characters += sum(len(key) for one in maps for key in one)
        level = [*chain.from_iterable(lists), *chain.from_iterable(one.values() for one in maps)]
    return items, characters
