"""Builtins over text.

Each is total on values of its signature's types: it gives a value or raises EvaluationError, in bounded time and size.
"""

from __future__ import annotations

import re

from maker_dsl.expressions.arithmetic import (
    bounded_text,
    too_long_text,
)
from maker_dsl.expressions.errors import EvaluationError
from maker_dsl.expressions.fuel import spend, spend_text
from maker_dsl.expressions.limits import (
    CHARACTERS_PER_FUEL,
    MAX_CHARACTERS,
)
from maker_dsl.expressions.lists import bounded_list
from maker_dsl.types.patterns import pattern


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
    return bounded_list(parts)


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
