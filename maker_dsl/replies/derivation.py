"""Texts of an author's grammar with given texts in the places of its fields: how such a reply is rendered.

A best-first search over leftmost derivations, shortest first, within a budget. The caller reads each text back, so that
a candidate need not be right.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import count, islice
from typing import Any

from lark import Lark
from lark.exceptions import UnexpectedInput

from maker_dsl.replies.samples import matching_text
from maker_dsl.types.pattern_syntax import BadPattern

_BUDGET = 20_000
_CANDIDATES = 50

_BLANKS_AT_BREAK = re.compile(r" *\n *")

Needs = tuple[tuple[str, ...], ...]


class Derivation:
    """The rules of a grammar, ready for searching."""

    def __init__(self, parser: Lark, symbols: Mapping[str, str], example: str) -> None:
        """`symbols` names the field of a rule; the terminals are spelt as in `example` where they occur there."""
        self._rules: dict[str, list[list[Any]]] = {}
        shown: dict[str, set[str]] = {}
        for rule in parser.rules:
            name = str(rule.origin.name)
            self._rules.setdefault(name, []).append(list(rule.expansion))
            shown.setdefault(name, set()).add(str(rule.alias or name))
        for expansions in self._rules.values():
            expansions.sort(key=len)
        self._terminals = {terminal.name: _text_of(terminal) for terminal in parser.terminals}
        self._terminals.update(_tokens(parser, example))
        self._fields = sorted(symbols.values())
        self._index = {symbol: self._fields.index(field) for symbol, field in symbols.items()}
        for name, aliases in shown.items():
            if len(aliases) == 1 and (alias := next(iter(aliases))) in symbols:
                self._index[name] = self._fields.index(symbols[alias])
        self._is_spaced = bool(parser.ignore_tokens)

    def texts(self, fields: Mapping[str, Sequence[str]]) -> Iterator[str]:
        """Texts in which the matches of each field cover the given texts, the simplest first."""
        needs: Needs = tuple(tuple(fields[name]) for name in self._fields)
        for pieces in islice(self._search(needs), _CANDIDATES):
            if self._is_spaced:
                yield _BLANKS_AT_BREAK.sub("\n", " ".join(pieces))
                yield " ".join(pieces)
            yield "".join(pieces)

    def _search(self, needs: Needs) -> Iterator[tuple[str, ...]]:
        order = count()
        waiting: list[tuple[int, int, tuple[str, ...], tuple[str, ...], Needs]] = []
        heapq.heappush(waiting, (0, next(order), ("start",), (), needs))
        budget = _BUDGET
        while waiting and budget:
            budget -= 1
            cost, _, symbols, pieces, left = heapq.heappop(waiting)
            if not symbols:
                if not any(left):
                    yield pieces
                continue
            name, rest = symbols[0], symbols[1:]
            at = self._index.get(name)
            if at is not None:
                if left[at]:
                    taken = (*left[:at], left[at][1:], *left[at + 1 :])
                    heapq.heappush(waiting, (cost, next(order), rest, (*pieces, left[at][0]), taken))
            elif name in self._terminals:
                text = self._terminals[name]
                if text is not None:
                    heapq.heappush(waiting, (cost, next(order), rest, (*pieces, text), left))
            else:
                for expansion in self._rules.get(name, []):
                    grown = (*(str(symbol.name) for symbol in expansion), *rest)
                    if len(grown) < 2_000:
                        heapq.heappush(waiting, (cost + 1 + len(expansion), next(order), grown, pieces, left))


def _tokens(parser: Lark, example: str) -> dict[str, str]:
    """The text of each terminal where it first stands in the example, as far as that can be read."""
    texts: dict[str, str] = {}
    with suppress(UnexpectedInput, UnicodeEncodeError):
        for token in parser.parse_interactive(example).iter_parse():
            texts.setdefault(token.type, str(token))
    return texts


def _text_of(terminal: Any) -> str | None:
    if terminal.pattern.type == "str":
        return str(terminal.pattern.value)
    try:
        return matching_text(terminal.pattern.value)
    except BadPattern:
        return None
