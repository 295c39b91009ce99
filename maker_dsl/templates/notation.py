"""How a value appears in a prompt: one rule for all types.

A string stands bare; everything else stands in its JSON notation, on one line, with a space after `,` and `:`.
Numbers are exact: a decimal has no trailing zeros and no exponent, a float is its shortest spelling. Inside a list,
map or record a string or date has its quotes. Used by templates; the notation of reply texts agrees with it.
"""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

_encode = json.JSONEncoder(ensure_ascii=False).encode
"""Knows all values but decimals and dates, for which it raises TypeError."""


def show_value(value: Any) -> str:
    """The text of a value in a prompt."""
    if isinstance(value, str):
        return value
    if isinstance(value, date):
        return value.isoformat()
    return json_notation(value)


def json_notation(value: Any) -> str:
    """The JSON notation of a value, strings and dates in quotes."""
    try:
        return _encode(value)
    except TypeError:
        pieces: list[str] = []
        _write(value, pieces)
        return "".join(pieces)


def decimal_notation(value: Decimal) -> str:
    """A decimal without exponent and trailing zeros."""
    if not value:
        return "0"
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _write(value: Any, pieces: list[str]) -> None:
    if isinstance(value, Decimal):
        pieces.append(decimal_notation(value))
    elif isinstance(value, date):
        pieces.append(f'"{value.isoformat()}"')
    elif isinstance(value, list | tuple):
        pieces.append("[")
        for index, item in enumerate(value):
            if index:
                pieces.append(", ")
            _write(item, pieces)
        pieces.append("]")
    elif isinstance(value, dict):
        pieces.append("{")
        for index, (key, item) in enumerate(value.items()):
            if index:
                pieces.append(", ")
            pieces.append(_encode(key))
            pieces.append(": ")
            _write(item, pieces)
        pieces.append("}")
    else:
        pieces.append(_encode(value))
