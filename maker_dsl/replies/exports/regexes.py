"""Regexes of forms without recursion, in what RE2, Rust, Python and ECMAScript read alike."""

from __future__ import annotations

from collections.abc import Mapping

from maker_dsl.replies.exports.form import (
    LAST,
    Characters,
    Choice,
    Named,
    Node,
    Ranges,
    Repeat,
    Sequence,
    Text,
    inverse,
    parts_of,
)
from maker_dsl.types.patterns import times

_SYNTAX = frozenset("^$\\.*+?()[]{}|")
_SHORT = {9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r"}


def regex(node: Node, rules: Mapping[str, Node]) -> str:
    """The regex of a node, rules written out; not anchored."""
    match node:
        case Text(text):
            return "".join(map(_character, map(ord, text)))
        case Characters(ranges):
            return _class(ranges)
        case Sequence(parts):
            return "".join(_joined(part, rules) for part in parts)
        case Choice(options):
            return "|".join(regex(option, rules) for option in options)
        case Repeat(part, low, high):
            return _repeated(part, rules) + times(low, high)
        case Named(name):
            return regex(rules[name], rules)


def regex_size(node: Node, rules: Mapping[str, Node], sizes: dict[str, int] | None = None) -> int:
    """About how many characters the regex of a node has."""
    sizes = {} if sizes is None else sizes
    match node:
        case Text(text):
            return len(text)
        case Characters(ranges):
            return 2 + 3 * len(ranges)
        case Named(name):
            if name not in sizes:
                sizes[name] = regex_size(rules[name], rules, sizes)
            return sizes[name]
        case _:
            return 4 + sum(1 + regex_size(part, rules, sizes) for part in parts_of(node))


def _joined(part: Node, rules: Mapping[str, Node]) -> str:
    while isinstance(part, Named):
        part = rules[part.name]
    return f"(?:{regex(part, rules)})" if isinstance(part, Choice) else regex(part, rules)


def _repeated(part: Node, rules: Mapping[str, Node]) -> str:
    while isinstance(part, Named):
        part = rules[part.name]
    is_one = isinstance(part, Characters) or (isinstance(part, Text) and len(part.text) == 1)
    return regex(part, rules) if is_one else f"(?:{regex(part, rules)})"


def _class(ranges: Ranges) -> str:
    if ranges and ranges[-1][1] == LAST:
        excluded = inverse(ranges)
        return f"[^{_members(excluded)}]" if excluded else "[\\s\\S]"
    return f"[{_members(ranges)}]"


def _members(ranges: Ranges) -> str:
    return "".join(_range(low, high) for low, high in ranges)


def _range(low: int, high: int) -> str:
    if low == high:
        return _member(low)
    return f"{_member(low)}{'' if high == low + 1 else '-'}{_member(high)}"


def _member(code: int) -> str:
    return "\\-" if code == 45 else _character(code)


def _character(code: int) -> str:
    if code in _SHORT:
        return _SHORT[code]
    if code < 32 or 127 <= code < 160:
        return f"\\x{code:02x}"
    return f"\\{chr(code)}" if chr(code) in _SYNTAX else chr(code)
