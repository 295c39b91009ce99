"""Lark's LALR parser, for grammars whose table stays small: a short grammar can need exponentially many states."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from lark.exceptions import GrammarError
from lark.grammar import NonTerminal, Rule
from lark.parsers.lalr_parser import LALR_Parser

MAX_STATES = 1_500
"""States of a grammar's table."""
MAX_ITEMS = 50_000
"""Places in rules that all states together stand for."""

_Item = tuple[int, int]
"""A rule, by its index, and how many of its symbols have been read."""


class TooManyStates(GrammarError):
    """The table of the grammar would be too large."""


class BoundedParser(LALR_Parser):
    """Refuses a grammar before its table is made."""

    def __init__(self, parser_conf: Any, debug: bool = False, strict: bool = False) -> None:
        check_size(parser_conf.rules, parser_conf.start)
        super().__init__(parser_conf, debug=debug, strict=strict)


def check_size(rules: Iterable[Rule], starts: Iterable[str]) -> None:
    """Count the LR(0) states as far as they are allowed; raises TooManyStates."""
    bodies: list[tuple[Any, ...]] = []
    by_origin: dict[Any, list[_Item]] = defaultdict(list)
    for rule in rules:
        by_origin[rule.origin].append((len(bodies), 0))
        bodies.append(tuple(rule.expansion))
    waiting = [frozenset(by_origin[NonTerminal(start)]) for start in starts]
    seen = set(waiting)
    items = 0
    while waiting:
        closed = list(waiting.pop())
        expanded: set[Any] = set()
        following: dict[Any, list[_Item]] = defaultdict(list)
        for index, read in closed:  # grows on the way
            body = bodies[index]
            if read == len(body):
                continue
            following[body[read]].append((index, read + 1))
            if not body[read].is_term and body[read] not in expanded:
                expanded.add(body[read])
                closed += by_origin[body[read]]
        items += len(closed)
        for kernel in map(frozenset, following.values()):
            if kernel not in seen:
                seen.add(kernel)
                waiting.append(kernel)
        if len(seen) > MAX_STATES or items > MAX_ITEMS:
            raise TooManyStates(f"its parser would need more than {MAX_STATES:,} states or {MAX_ITEMS:,} items")
