r"""The regexes of `string matching /…/`: a small language of their own, matched in linear time.

A pattern always speaks of the whole string. It is read here and written anew with explicit character classes, so that
RE2, Rust's regex crate (in pydantic), Python's `re` (in jsonschema) and ECMAScript (JSON Schema) give it one meaning:
`\d \w \s` are ASCII, `.` is anything but a line feed. Back-references, look-around and word boundaries have no
linear-time meaning or no common one, and are refused.
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import Any

import re2

from maker_dsl.types.pattern_syntax import (
    BadPattern,
    Characters,
    Choice,
    Node,
    Repeat,
    Sequence,
    read_pattern,
    written_size,
)

__all__ = ["BadPattern", "Pattern", "check_pattern", "pattern", "quiet_options"]

_SYNTAX = frozenset("^$\\.*+?()[]{}|/")


class Pattern:
    """A pattern that has been read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.node = read_pattern(text)
        self.portable = f"^(?:{_write(self.node)})$"
        """For engines where `$` is the very end of the text: RE2, Rust."""
        self.json_schema = f"^(?:{_write(self.node)})$(?!\\n)"
        """The same where `$` also matches before a last line break, as in Python."""

    @cached_property
    def size(self) -> int:
        """How large the pattern is with its repetitions written out: at worst, time grows with it per character."""
        return written_size(self.node)

    @cached_property
    def _compiled(self) -> Any:
        return re2.compile(self.portable, quiet_options())

    def compile(self) -> None:
        """Make ready for matching; raises `re2.error` for a pattern that is too large."""
        _ = self._compiled

    def matches(self, text: str) -> bool:
        """Whether the whole text matches; linear in its length. Lone surrogates never do."""
        try:
            encoded = text.encode()
        except UnicodeEncodeError:
            return False
        return self._compiled.fullmatch(encoded) is not None


def quiet_options() -> Any:
    """Options for RE2 under which it prints nothing: what is wrong with a pattern is ours to tell."""
    options = re2.Options()
    options.log_errors = False
    return options


@lru_cache(maxsize=1024)
def pattern(text: str) -> Pattern:
    """Read a pattern; raises `BadPattern`."""
    return Pattern(text)


def check_pattern(text: str) -> str | None:
    """What is wrong with a pattern, in the author's words; None if nothing."""
    try:
        pattern(text).compile()
    except BadPattern as bad:
        return bad.message
    except re2.error:
        return "the pattern is too large; shorten it or its repetitions"
    return None


def _write(node: Node) -> str:
    match node:
        case Characters(((low, high),)) if low == high:
            return _character(low)
        case Characters(ranges):
            return "[" + "".join(_range(low, high) for low, high in ranges) + "]"
        case Sequence(parts):
            return "".join(f"(?:{_write(part)})" if isinstance(part, Choice) else _write(part) for part in parts)
        case Choice(options):
            return "|".join(_write(option) for option in options)
        case Repeat(part, low, high):
            inner = _write(part) if isinstance(part, Characters) else f"(?:{_write(part)})"
            return inner + times(low, high)


def times(low: int, high: int | None) -> str:
    """How often, behind a part of a regular expression."""
    match low, high:
        case 0, None:
            return "*"
        case 1, None:
            return "+"
        case 0, 1:
            return "?"
        case _, None:
            return f"{{{low},}}"
        case _:
            return f"{{{low}}}" if low == high else f"{{{low},{high}}}"


def _range(low: int, high: int) -> str:
    if low == high:
        return _class_member(low)
    return f"{_class_member(low)}-{_class_member(high)}"


def _character(code: int) -> str:
    named = {10: "\\n", 9: "\\t", 13: "\\r", 12: "\\f", 11: "\\v"}
    if code in named:
        return named[code]
    if code < 32 or code == 127:
        return f"\\x{code:02x}"
    return f"\\{chr(code)}" if chr(code) in _SYNTAX else chr(code)


def _class_member(code: int) -> str:
    return "\\-" if code == 45 else _character(code)
