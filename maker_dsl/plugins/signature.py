"""The form of a Python function in the language's words: `(left: string, right: string) -> bool`."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable
from datetime import date
from decimal import Decimal

_NAMES: dict[object, str] = {
    str: "string",
    int: "int",
    float: "float",
    bool: "bool",
    Decimal: "decimal",
    date: "date",
}


class NoSignature(Exception):
    """A function that can't be a checker: the message says why."""


def signature_of(function: Callable[..., object]) -> tuple[tuple[str, ...], str]:
    """The types of its parameters in order, and of its result, as the language writes them; raises NoSignature."""
    try:
        hints = typing.get_type_hints(function)
        parameters = inspect.signature(function).parameters.values()
    except (NameError, TypeError, ValueError) as error:
        raise NoSignature(f"its annotations can't be read: {error}") from error
    for parameter in parameters:
        if parameter.kind not in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
            raise NoSignature(f"`{parameter.name}` is not a plain parameter")
    names = [parameter.name for parameter in parameters]
    missing = [name for name in (*names, "return") if name not in hints]
    if missing:
        raise NoSignature(f"no annotation for `{missing[0]}`")
    return tuple(_type_of(hints[name]) for name in names), _type_of(hints["return"])


def _type_of(hint: object) -> str:
    if hint in _NAMES:
        return _NAMES[hint]
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is list and len(arguments) == 1:
        return f"list[{_type_of(arguments[0])}]"
    if origin is dict and len(arguments) == 2 and arguments[0] is str:
        return f"map[string, {_type_of(arguments[1])}]"
    if origin in (typing.Union, types.UnionType) and len(arguments) == 2 and type(None) in arguments:
        inner = next(one for one in arguments if one is not type(None))
        return f"{_type_of(inner)}?"
    raise NoSignature(
        f"{hint!r} is no type of the language: str, int, float, bool, Decimal, date, list[…], dict[str, …]"
    )
