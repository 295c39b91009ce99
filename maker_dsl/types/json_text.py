"""Strict reading of JSON texts: no doubled keys, no NaN, decimals exact, nesting bounded."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, NoReturn

from maker_dsl.types.errors import ValueRefused
from maker_dsl.types.numbers import MAX_DIGITS


class DoubledKey(ValueError):
    """A key occurs twice in an object."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class NotJson(ValueError):
    """`NaN`, `Infinity` or `-Infinity`."""


def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object's members as a dict; raises `DoubledKey`."""
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise DoubledKey(key)
            seen.add(key)
    return members


def refuse_constant(name: str) -> NoReturn:
    """Refuse what Python's reader takes beyond JSON."""
    raise NotJson(name)


_decoder = json.JSONDecoder(
    object_pairs_hook=unique_keys, parse_float=Decimal, parse_constant=refuse_constant, strict=True
)


def read_json(text: str | bytes) -> Any:
    """The value of a JSON text, fractions as Decimal; raises `ValueRefused`."""
    try:
        if isinstance(text, bytes):
            text = text.decode()
        return _decoder.decode(text)
    except UnicodeDecodeError as error:
        raise ValueRefused("", f"not UTF-8 text (byte {error.start})") from None
    except DoubledKey as error:
        raise ValueRefused("", f"the key `{error.key}` occurs twice in an object") from None
    except NotJson as error:
        raise ValueRefused("", f"`{error}` is not a JSON value") from None
    except json.JSONDecodeError as error:
        raise ValueRefused("", f"not JSON: {_said(error.msg)} (line {error.lineno}, column {error.colno})") from None
    except RecursionError:
        raise ValueRefused("", "nested too deep") from None
    except (ValueError, ArithmeticError):
        raise ValueRefused("", f"a number has more than {MAX_DIGITS:,} digits") from None


def _said(message: str) -> str:
    return message[:1].lower() + message[1:].replace(" starting at", "")
