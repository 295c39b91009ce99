"""Values of the language as JSON, on their way to a plug-in's process and back: exact numbers and dates survive.

Tuples with named places go over as lists.
"""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from maker_dsl.task import Value

_TAGS = frozenset({"$decimal", "$date", "$map"})


class NoPlainValue(Exception):
    """Something that is no value of the language."""


def dump(value: object) -> str:
    """One line of JSON; raises NoPlainValue."""
    return json.dumps(_packed(value), ensure_ascii=True, allow_nan=False)


def load(line: str) -> Any:
    """The opposite of `dump`."""
    return _unpacked(json.loads(line))


def _packed(value: object) -> Value:
    match value:
        case None | bool() | int() | str() | float():
            return value
        case Decimal():
            return {"$decimal": str(value)}
        case date() if not isinstance(value, datetime):
            return {"$date": value.isoformat()}
        case list() | tuple():
            return [_packed(one) for one in value]
        case dict():
            packed = {str(key): _packed(one) for key, one in value.items()}
            return {"$map": packed} if _TAGS & packed.keys() else packed
        case _:
            raise NoPlainValue(f"a {type(value).__name__}")


def _unpacked(value: Value) -> Value:
    match value:
        case {"$decimal": str(text)}:
            return Decimal(text)
        case {"$date": str(text)}:
            return date.fromisoformat(text)
        case {"$map": dict(members)}:
            return {key: _unpacked(one) for key, one in members.items()}
        case dict():
            return {key: _unpacked(one) for key, one in value.items()}
        case list():
            return [_unpacked(one) for one in value]
        case _:
            return value
