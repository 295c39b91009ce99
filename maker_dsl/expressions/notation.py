"""Values as text: canonical JSON, as `types.canonical` writes it, but bounded and without needing the type."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import orjson

from maker_dsl.expressions.arithmetic import bounded_int, bounded_text
from maker_dsl.expressions.errors import EvaluationError
from maker_dsl.expressions.fuel import spend, spend_all
from maker_dsl.expressions.limits import MAX_CHARACTERS
from maker_dsl.types.numbers import NotOfType, decimal_text


def to_string(value: Any) -> str:
    """A string as it is, a date without quotes, anything else as canonical JSON."""
    if isinstance(value, str):
        return value
    if type(value) is int:
        return write_int(value)
    return value.isoformat() if isinstance(value, date) else to_json(value)


def write_int(number: int) -> str:
    """An int in digits, which takes time in proportion to the square of how many there are."""
    bits = number.bit_length()
    if bits > 64:
        spend((bits >> 5) + (bits * bits >> 16))
    return str(bounded_int(number))


_SLOW = 4
"""How many operations it is worth to write a part of a value."""


def to_json(value: Any) -> str:
    """Canonical JSON: keys sorted, no white space, decimals without trailing zeros or exponent."""
    for _ in range(_SLOW):
        spend_all(value)
    pieces: list[str] = []
    _write(value, pieces)
    if sum(map(len, pieces)) > MAX_CHARACTERS:
        raise EvaluationError("this text is too long")
    return bounded_text("".join(pieces))


def _write(value: Any, pieces: list[str]) -> None:
    match value:
        case None:
            pieces.append("null")
        case bool():
            pieces.append("true" if value else "false")
        case str():
            pieces.append(json.dumps(value, ensure_ascii=False))
        case int():
            pieces.append(write_int(value))
        case float():
            pieces.append(orjson.dumps(value + 0.0).decode())
        case Decimal():
            pieces.append(_decimal(value))
        case date():
            pieces.append(f'"{value.isoformat()}"')
        case list() | tuple():
            pieces.append("[")
            for index, item in enumerate(value):
                if index:
                    pieces.append(",")
                _write(item, pieces)
            pieces.append("]")
        case dict():
            pieces.append("{")
            for index, key in enumerate(sorted(value)):
                pieces.append(("," if index else "") + json.dumps(key, ensure_ascii=False) + ":")
                _write(value[key], pieces)
            pieces.append("}")
        case _:
            raise TypeError(f"not a value of the language: {type(value).__name__}")


def _decimal(number: Decimal) -> str:
    try:
        return decimal_text(number)
    except NotOfType:
        raise EvaluationError("this decimal has too many digits to be written") from None
