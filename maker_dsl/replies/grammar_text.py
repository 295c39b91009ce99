"""A first look at the text of an author's grammar, before Lark sees it: its definitions, and how large they grow.

Lark writes out every combination of optional parts, so that a short line can keep a machine busy for hours; it reads
files for `%import`; it builds terminals out of terminals by doubling texts. All of that is bounded here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

MAX_GRAMMAR = 20_000
"""Characters of a grammar."""
MAX_VARIANTS = 600
"""Alternatives of all rules together, optional parts written out."""
MAX_TERMINAL = 20_000
"""Characters of a terminal, other terminals written out."""

_TOKEN = re.compile(
    r"""(?P<comment>//[^\n]*|\#[^\n]*)
    |(?P<string>"(?:\\.|[^"\\\n])*"i?)
    |(?P<regex>/(?!/)(?:\\.|[^/\\\n])*/[a-z]*)
    |(?P<directive>%[a-z]+)
    |(?P<name>[?!]*[_A-Za-z][_A-Za-z0-9]*)
    |(?P<number>-?[0-9]+)
    |(?P<newline>\n[ \t]*)
    |(?P<space>[ \t\r]+)
    |(?P<sign>\.\.|->|.)""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Lexeme:
    """A token of a grammar's text."""

    kind: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Definition:
    """A rule or terminal, or a directive: its name, where it begins, and its tokens after the colon."""

    name: str
    line: int
    body: tuple[Lexeme, ...]

    @property
    def is_terminal(self) -> bool:
        """Whether it is a terminal."""
        return self.name.lstrip("_").isupper()


class GrammarOutline:
    """The definitions of a grammar's text, as far as they can be made out without parsing it."""

    def __init__(self, text: str) -> None:
        self.lexemes = _lexemes(text)
        self.definitions = _definitions(self.lexemes)

    @cached_property
    def by_name(self) -> dict[str, Definition]:
        """Rules and terminals by their names."""
        return {definition.name: definition for definition in self.definitions}

    @cached_property
    def names(self) -> frozenset[str]:
        """All names that the grammar defines or imports."""
        imports = (d for d in self.definitions if d.name == "%import")
        imported = {one.text for d in imports for one in d.body if one.kind == "name"} - {"common"}
        return frozenset({d.name for d in self.definitions if not d.name.startswith("%")} | imported)

    def line_of(self, name: str) -> int | None:
        """The line on which a rule or terminal is defined."""
        definition = self.by_name.get(name)
        return None if definition is None else definition.line

    def variants(self) -> list[tuple[Definition, int]]:
        """How many alternatives Lark makes of each rule, at most."""
        return [(d, _variants(d.body)) for d in self.definitions if not d.name.startswith("%") and not d.is_terminal]

    def terminal_sizes(self) -> list[tuple[Definition, int]]:
        """How long each terminal becomes when written out; at most a little over the limit."""
        sizes: dict[str, int] = {}
        return [(d, self._size(d.name, sizes, 0)) for d in self.definitions if d.is_terminal]

    def _size(self, name: str, sizes: dict[str, int], depth: int) -> int:
        if name in sizes:
            return sizes[name]
        definition = self.by_name.get(name)
        if definition is None or depth > 100:
            return 1
        sizes[name] = MAX_TERMINAL  # a terminal inside itself, which Lark refuses
        total = 1
        for lexeme in definition.body:
            total += self._size(lexeme.text, sizes, depth + 1) if lexeme.kind == "name" else len(lexeme.text)
            total = min(total, MAX_TERMINAL + 1)
        sizes[name] = total
        return total


def _lexemes(text: str) -> tuple[Lexeme, ...]:
    found = []
    line = 1
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or "sign"
        if kind not in ("comment", "space"):
            found.append(Lexeme(kind, match[0], line))
        line += match[0].count("\n")
    return tuple(found)


def _definitions(lexemes: tuple[Lexeme, ...]) -> tuple[Definition, ...]:
    starts = []
    for index, lexeme in enumerate(lexemes):
        at_line_start = index == 0 or lexemes[index - 1].kind == "newline"
        if at_line_start and (lexeme.kind == "directive" or (lexeme.kind == "name" and _is_head(lexemes, index))):
            starts.append(index)
    found = []
    for start, end in zip(starts, [*starts, len(lexemes)][1:], strict=True):
        body = tuple(one for one in lexemes[start + 1 : end] if one.kind != "newline")
        found.append(Definition(lexemes[start].text.lstrip("?!"), lexemes[start].line, body))
    return tuple(found)


def _is_head(lexemes: tuple[Lexeme, ...], index: int) -> bool:
    following = lexemes[index + 1 : index + 2]
    return bool(following) and following[0].text in (":", ".", "{")


def _variants(body: tuple[Lexeme, ...]) -> int:
    """An upper bound: optional parts double what they stand in, and so do alternatives in parentheses."""
    total, depth = 1, 0
    alternatives: list[int] = []
    for index, lexeme in enumerate(body):
        if lexeme.kind != "sign":
            continue
        if lexeme.text in "([":
            depth += 1
            alternatives.append(1)
            total *= 2 if lexeme.text == "[" else 1
        elif lexeme.text in ")]" and alternatives:
            total *= alternatives.pop()
        elif lexeme.text == "|" and alternatives:
            alternatives[-1] += 1
        elif lexeme.text in "?*":
            total *= 2
        elif lexeme.text == "~":
            total *= _repetitions(body[index + 1 : index + 4])
        if total > MAX_VARIANTS:
            return MAX_VARIANTS + 1
    return total + sum(lexeme.text == "|" for lexeme in body)


def _repetitions(after: tuple[Lexeme, ...]) -> int:
    numbers = [int(one.text[:9]) for one in after if one.kind == "number"]
    if len(numbers) == 2 and after[1].text == "..":
        return max(1, numbers[1] - numbers[0] + 1, numbers[1] // 4)
    return max(1, numbers[0] // 4) if numbers else 1
