"""Runs the parse table over a text: shifts, reduces, and calls the builder for each construct it has read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from maker_dsl.syntax.broken import Broken
from maker_dsl.syntax.lexer import Lexer, Token
from maker_dsl.syntax.table import END, Rule, Table

MAX_DEPTH = 120
"""How many constructs may stand inside one another, so that later phases may walk the tree recursively."""


class Build(Protocol):
    """Makes the node of a construct from its children (tokens and nodes; None for absent optional ones)."""

    def __call__(self, construct: str, children: list[Any], start: int, end: int) -> Any: ...


class Unexpected(Exception):
    """A token that can't stand where it stands; `expected` are the terminals that could."""

    def __init__(self, token: Token, before: Token | None, expected: frozenset[str]) -> None:
        super().__init__(token.text)
        self.token = token
        self.before = before
        self.expected = expected


@dataclass(slots=True)
class _Read:
    """Something on the stack: its value, where it stands and how deep it goes."""

    value: Any
    start: int
    end: int
    depth: int


def run(table: Table, start: str, lexer: Lexer, build: Build) -> Any:
    """What `build` makes of the whole text; raises Broken and Unexpected."""
    states = table.states
    rules = table.rules
    path = [table.starts[start]]
    stack: list[_Read] = []

    def can_take(terminal: str) -> bool:
        return _can_take(table, path, terminal)

    before: Token | None = None
    while True:
        token = lexer.next(can_take)
        while True:
            action = states[path[-1]].get(token.type)
            if action is None:
                expected = frozenset(name for name in states[path[-1]] if name.isupper() and can_take(name))
                raise Unexpected(token, before, expected)
            if action >= 0:
                if token.type == END:
                    return stack[-1].value
                path.append(action)
                stack.append(_Read(token, token.start, token.end, 0))
                break
            rule = rules[-1 - action]
            if rule.is_through:
                # Most reductions only climb the levels of operators: what was read stays as it is.
                path.pop()
                path.append(states[path[-1]][rule.origin])
            else:
                _reduce(table, rule, path, stack, build, token)
            if token.type == END and path[-1] == table.ends[start]:
                return stack[-1].value
        before = token


def _reduce(table: Table, rule: Rule, path: list[int], stack: list[_Read], build: Build, ahead: Token) -> None:
    size = rule.size
    children: list[Any] = []
    start = end = ahead.start
    depth = 0
    if size:
        reads = stack[-size:]
        start, end = reads[0].start, reads[-1].end
        for number, (read, take, blanks) in enumerate(zip(reads, rule.take, rule.blanks, strict=False)):
            if blanks:
                children.extend([None] * blanks)
            if take == "splice" and number == 0 and not children:
                # A list grows by one item at a time: it is taken over, so that long ones take linear time.
                children = read.value
            elif take == "keep":
                children.append(read.value)
            elif take == "splice":
                children.extend(read.value)
            if read.depth > depth:
                depth = read.depth
    if rule.blanks[size]:
        children.extend([None] * rule.blanks[size])
    if rule.is_spliced:
        value: Any = children
    elif rule.passes_single and len(children) == 1:
        value = children[0]
    else:
        depth += 1
        if depth > MAX_DEPTH:
            raise Broken(
                "MK109",
                "this is nested too deeply",
                start,
                end,
                f"more than {MAX_DEPTH} constructs stand inside one another",
                help="name the inner parts with `let` or `def`",
            )
        value = build(rule.build, children, start, end)
    if size:
        del stack[-size:]
        del path[-size:]
    stack.append(_Read(value, start, end, depth))
    path.append(table.states[path[-1]][rule.origin])


def _can_take(table: Table, path: list[int], terminal: str) -> bool:
    """Whether the terminal can really come next, once what stands before it is reduced."""
    states = table.states
    top = path[-1]
    if terminal not in states[top]:
        return False
    # The path with its last states replaced, without copying it: path[:kept] + added.
    kept = len(path)
    added: list[int] = []
    while True:
        action = states[top].get(terminal)
        if action is None:
            return False
        if action >= 0:
            return True
        rule = table.rules[-1 - action]
        from_added = min(rule.size, len(added))
        del added[len(added) - from_added :]
        kept -= rule.size - from_added
        below = added[-1] if added else path[kept - 1]
        top = states[below].get(rule.origin, -1)
        if top in table.ends.values():
            return terminal == END
        added.append(top)
