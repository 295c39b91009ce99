"""A reader of GBNF and a recogniser of its texts, written from the notation's own description and sharing nothing with
the exporter: grammars without recursion run as a regex, others by a table of where each part can end."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import re2

_TOKEN = re.compile(
    r"""(?P<comment>\#[^\n]*)|(?P<head>^[A-Za-z][A-Za-z0-9-]*[ ]*::=)|(?P<name>[A-Za-z][A-Za-z0-9-]*)
    |(?P<text>"(?:[^"\\\n]|\\.)*")|(?P<cls>\[(?:[^\]\\\n]|\\.)*\])|(?P<times>[*+?]|\{[0-9]+(?:,[0-9]*)?\})
    |(?P<sign>[()|])|(?P<space>[ \t\n]+)""",
    re.VERBOSE | re.MULTILINE,
)
_ESCAPE = re.compile(r'\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|x([0-9A-Fa-f]{2})|([ntr"\\\[\]]))')
_SHORT = {"n": "\n", "t": "\t", "r": "\r"}


def recogniser(grammar: str) -> Callable[[str], bool]:
    """Whether a text is of the grammar's `root`."""
    rules = _Reader(grammar).read()
    try:
        compiled = re2.compile(_regex(("rule", "root"), rules, ()), _options())
    except _Recursive:
        return lambda text: _Table(rules, text).matches()
    return lambda text: compiled.fullmatch(text.encode()) is not None


def _options() -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 256 << 20
    return options


class _Recursive(Exception):
    pass


Node = tuple[Any, ...]


class _Reader:
    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        at = 0
        while at < len(text):
            found = _TOKEN.match(text, at)
            assert found is not None, f"no GBNF at {text[at : at + 30]!r}"
            kind = found.lastgroup or ""
            if kind not in ("comment", "space"):
                self.tokens.append((kind, found[0]))
            at = found.end()
        self.at = 0

    def read(self) -> dict[str, Node]:
        rules: dict[str, Node] = {}
        while self.at < len(self.tokens):
            kind, text = self.tokens[self.at]
            assert kind == "head", text
            self.at += 1
            name = text.split()[0].removesuffix("::=")
            assert name not in rules, name
            rules[name] = self.alternatives()
        assert "root" in rules
        return rules

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("end", "")

    def alternatives(self) -> Node:
        options = [self.row()]
        while self.peek()[1] == "|" and self.peek()[0] == "sign":
            self.at += 1
            options.append(self.row())
        return ("any", *options)

    def row(self) -> Node:
        parts: list[Node] = []
        while True:
            kind, text = self.peek()
            if kind == "text":
                parts.append(("text", _unescaped(text[1:-1])))
            elif kind == "cls":
                parts.append(_class(text[1:-1]))
            elif kind == "name":
                parts.append(("rule", text))
            elif kind == "sign" and text == "(":
                self.at += 1
                parts.append(self.alternatives())
                assert self.peek()[1] == ")"
            elif kind == "times":
                parts[-1] = ("times", parts[-1], *_counts(text))
            else:
                return ("row", *parts)
            self.at += 1


def _counts(text: str) -> tuple[int, int | None]:
    if text in "*+?":
        return {"*": (0, None), "+": (1, None), "?": (0, 1)}[text]  # type: ignore[return-value]
    low, comma, high = text[1:-1].partition(",")
    assert max(int(low), int(high or 0)) <= 2000, "llama.cpp refuses higher counts"
    return int(low), int(high) if high else None if comma else int(low)


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda m: chr(int(m[1] or m[2] or m[3], 16)) if not m[4] else _SHORT.get(m[4], m[4]), text)


def _class(text: str) -> Node:
    negated = text.startswith("^")
    units = re.findall(r"\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8}|\\x[0-9A-Fa-f]{2}|\\.|[^\\]", text[negated:])
    ranges = []
    at = 0
    while at < len(units):
        low = high = ord(_unescaped(units[at]))
        if units[at + 1 : at + 2] == ["-"] and at + 2 < len(units):
            high = ord(_unescaped(units[at + 2]))
            at += 2
        assert low <= high
        ranges.append((low, high))
        at += 1
    return ("class", negated, tuple(ranges))


def _regex(node: Node, rules: dict[str, Node], inside: tuple[str, ...]) -> str:
    match node:
        case ("text", text):
            return f"(?:{re.escape(text)})"
        case ("class", negated, ranges):
            members = "".join(f"\\x{{{low:x}}}-\\x{{{high:x}}}" for low, high in ranges)
            return f"[{'^' if negated else ''}{members}]"
        case ("rule", name):
            if name in inside:
                raise _Recursive
            return _regex(rules[name], rules, (*inside, name))
        case ("row", *parts):
            return "(?:" + "".join(_regex(part, rules, inside) for part in parts) + ")"
        case ("any", *options):
            return "(?:" + "|".join(_regex(option, rules, inside) for option in options) + ")"
        case ("times", part, low, high):
            return f"{_regex(part, rules, inside)}{{{low},{'' if high is None else high}}}"
    raise AssertionError(node)


@dataclass
class _Table:
    """Where each part of a grammar can end when it begins at a place; left recursion is refused."""

    rules: dict[str, Node]
    text: str

    def __post_init__(self) -> None:
        self.known: dict[tuple[str, int], frozenset[int]] = {}
        self.open: set[tuple[str, int]] = set()

    def matches(self) -> bool:
        return len(self.text) in self.ends(("rule", "root"), frozenset({0}))

    def ends(self, node: Node, starts: frozenset[int]) -> frozenset[int]:
        match node:
            case ("text", text):
                return frozenset(at + len(text) for at in starts if self.text.startswith(text, at))
            case ("class", negated, ranges):
                return frozenset(at + 1 for at in starts if at < len(self.text) and self.is_in(at, ranges) != negated)
            case ("rule", name):
                return frozenset().union(*(self.rule(name, at) for at in starts))
            case ("row", *parts):
                for part in parts:
                    starts = self.ends(part, starts) if starts else starts
                return starts
            case ("any", *options):
                return frozenset().union(*(self.ends(option, starts) for option in options))
            case ("times", part, low, high):
                found = starts if low == 0 else frozenset()
                count = 0
                while starts and count != high:
                    starts = self.ends(part, starts)
                    count += 1
                    if count >= low:
                        starts = starts - found if high is None else starts
                        found |= starts
                return found
        raise AssertionError(node)

    def rule(self, name: str, at: int) -> frozenset[int]:
        key = (name, at)
        if key not in self.known:
            assert key not in self.open, f"{name} begins with itself, which llama.cpp refuses"
            self.open.add(key)
            self.known[key] = self.ends(self.rules[name], frozenset({at}))
            self.open.discard(key)
        return self.known[key]

    def is_in(self, at: int, ranges: tuple[tuple[int, int], ...]) -> bool:
        return any(low <= ord(self.text[at]) <= high for low, high in ranges)
