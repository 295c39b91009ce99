"""The tree of a file as it is written: every word and sign, every comment, and the constructs that they make up.

The parser's tree leaves out what has no meaning. This one is made by the same automaton from the same grammar, with a
builder that keeps everything, so that the two can't disagree.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from maker_dsl.errors import InternalError
from maker_dsl.syntax import automaton
from maker_dsl.syntax.lexer import NEW_LINE, Lexer, Token
from maker_dsl.syntax.table import END, load_table

SEPARATORS = frozenset({",", ";"})

_GAP_LINE = re.compile(r"[ \t\r]*(#[^\n]*)?(\n|$)")


@dataclass(slots=True)
class Comment:
    """A comment on a line of its own; whether an empty line stands before it."""

    text: str
    has_blank: bool


@dataclass(slots=True)
class Leaf:
    """A word, sign or text, with the comments around it."""

    type: str
    text: str
    start: int
    end: int
    before: list[Comment] = field(default_factory=list)
    """Comments on their own lines before it."""
    after: list[str] = field(default_factory=list)
    """Comments behind it on its line."""
    has_blank: bool = False
    """Whether an empty line stands right before it."""
    starts_line: bool = False

    @property
    def blank_above(self) -> bool:
        """Whether an empty line stands before it and its comments."""
        return self.before[0].has_blank if self.before else self.has_blank


@dataclass(slots=True)
class Branch:
    """A construct of the grammar and its parts in order."""

    construct: str
    start: int
    end: int
    parts: list[Leaf | Branch]

    @property
    def first(self) -> Leaf:
        """Its first word or sign."""
        part = self.parts[0]
        while isinstance(part, Branch):
            part = part.parts[0]
        return part

    @property
    def last(self) -> Leaf:
        """Its last word or sign."""
        part = self.parts[-1]
        while isinstance(part, Branch):
            part = part.parts[-1]
        return part

    @property
    def branches(self) -> list[Branch]:
        """The constructs in it."""
        return [part for part in self.parts if isinstance(part, Branch)]


Part = Leaf | Branch


@dataclass(frozen=True, slots=True)
class Concrete:
    """A whole file: its tree, and the end with the comments before it."""

    text: str
    root: Branch
    end: Leaf
    leaves: list[Leaf]

    @property
    def comments(self) -> list[str]:
        """All comments in the order of the file."""
        found: list[str] = []
        for leaf in (*self.leaves, self.end):
            found += [comment.text for comment in leaf.before]
            found += leaf.after
        return found

    @property
    def words(self) -> list[str]:
        """All words and signs as they are spelt, but for what separates and for text blocks, which may move."""
        return [leaf.text for leaf in self.leaves if leaf.type != "TEXT_BLOCK" and leaf.text not in SEPARATORS]


class _Recording(Lexer):
    """A lexer that keeps what it gives."""

    def __init__(self, text: str) -> None:
        super().__init__(text, load_table())
        self.leaves: list[Leaf] = []

    def next(self, can_take: Callable[[str], bool]) -> Token:
        token = super().next(can_take)
        if token.type not in (NEW_LINE, END):
            self.leaves.append(Leaf(token.type, token.text, token.start, token.end))
        return token


def read_concrete(text: str) -> Concrete:
    """The concrete tree of a text that the parser takes."""

    def build(construct: str, children: list[Any], start: int, end: int) -> Branch:
        return Branch(construct, start, end, [child for child in children if isinstance(child, Branch)])

    lexer = _Recording(text)
    root = automaton.run(load_table(), "task_file", lexer, build)
    if not isinstance(root, Branch):
        raise InternalError(f"a file is no {type(root).__name__}")
    end = Leaf(END, "", len(text), len(text))
    _place_comments(text, lexer.leaves, end)
    root.end = len(text)
    _Filling(lexer.leaves).fill(root)
    return Concrete(text, root, end, lexer.leaves)


class _Filling:
    """Puts the leaves into the branches, where they stand between the constructs."""

    def __init__(self, leaves: list[Leaf]) -> None:
        self._leaves = leaves
        self._at = 0

    def fill(self, branch: Branch) -> None:
        parts: list[Part] = []
        for child in branch.branches:
            while self._leaves[self._at].start < child.start:
                parts.append(self._take())
            self.fill(child)
            parts.append(child)
        while self._at < len(self._leaves) and self._leaves[self._at].end <= branch.end:
            parts.append(self._take())
        branch.parts = parts

    def _take(self) -> Leaf:
        self._at += 1
        return self._leaves[self._at - 1]


def _place_comments(text: str, leaves: list[Leaf], end: Leaf) -> None:
    """Gives each comment to the word that it stands behind, or to the next one; separators carry none."""
    at = 1 if text.startswith("\ufeff") else 0
    last: Leaf | None = None
    waiting: list[Comment] = []
    blank = breaks = False
    for leaf in (*leaves, end):
        is_first_line = True
        while at < leaf.start:
            line = _GAP_LINE.match(text, at, leaf.start)
            if line is None or (line.end() == leaf.start and line[2] != "\n" and line[1] is None):
                break
            comment = line[1].rstrip() if line[1] is not None else None
            if comment is not None and is_first_line and last is not None and not breaks:
                last.after.append(comment)
            elif comment is not None:
                waiting.append(Comment(comment, blank))
                blank = False
            elif not is_first_line or last is None:
                blank = True
            is_first_line = False
            breaks = breaks or bool(line[2])
            if line.end() == at:
                break
            at = line.end()
        at = leaf.end
        if leaf.text in SEPARATORS:
            continue
        leaf.before, leaf.has_blank = waiting, blank
        leaf.starts_line = breaks
        waiting, blank, breaks = [], False, False
        last = leaf
