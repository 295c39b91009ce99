"""The form of a reply's text, small enough that every notation can be written from it.

Every text is made of fixed texts, classes of characters, sequences, choices, bounded and unbounded repetitions, and
named rules. Of two options of a choice where one begins as the other does, the longer comes first, so that readers
that take the first match find the longest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

LAST = 0x10FFFF
SURROGATES = (0xD800, 0xDFFF)

Ranges = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Text:
    """A fixed text, not empty."""

    text: str


@dataclass(frozen=True, slots=True)
class Characters:
    """One character out of ascending ranges of code points; no halves of surrogate pairs."""

    ranges: Ranges


@dataclass(frozen=True, slots=True)
class Sequence:
    """One part after the other; without parts the empty text."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several; without options no text at all."""

    options: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """A part several times; `high` None is without end."""

    part: Node
    low: int
    high: int | None


@dataclass(frozen=True, slots=True)
class Named:
    """A rule of the form."""

    name: str


Node = Text | Characters | Sequence | Choice | Repeat | Named


class Unwritable(Exception):
    """A form can't be written in a notation; says why."""


EMPTY = Sequence(())
NOTHING = Choice(())


@dataclass(frozen=True, slots=True)
class Form:
    """What whole outputs look like: where to begin, and the rules; names are lower-case words joined by `_`."""

    start: Node
    rules: Mapping[str, Node]
    left_to_reading: tuple[str, ...] = ()
    """What the form admits and reading refuses, in sentences."""


def sequence(*parts: Node) -> Node:
    """Parts one after the other, texts that meet joined."""
    flat: list[Node] = []
    for part in parts:
        for one in part.parts if isinstance(part, Sequence) else (part,):
            if one == NOTHING:
                return NOTHING
            last = flat[-1] if flat else None
            if isinstance(one, Text) and isinstance(last, Text):
                flat[-1] = Text(last.text + one.text)
            else:
                flat.append(one)
    return flat[0] if len(flat) == 1 else Sequence(tuple(flat))


def choice(*options: Node) -> Node:
    """One of the options, in their order; equal ones once, classes that stand side by side joined."""
    flat: list[Node] = []
    for option in options:
        for one in option.options if isinstance(option, Choice) else (option,):
            last = flat[-1] if flat else None
            if isinstance(one, Characters) and isinstance(last, Characters):
                flat[-1] = Characters(union(last.ranges, one.ranges))
            elif one not in flat:
                flat.append(one)
    return flat[0] if len(flat) == 1 else Choice(tuple(flat))


def repeat(part: Node, low: int, high: int | None) -> Node:
    """A part several times."""
    if high == 0 or part == EMPTY:
        return EMPTY
    if part == NOTHING:
        return EMPTY if low == 0 else NOTHING
    return part if low == high == 1 else Repeat(part, low, high)


def optional(part: Node) -> Node:
    """A part or nothing."""
    if isinstance(part, Repeat) and part.low <= 1:
        return Repeat(part.part, 0, part.high)
    return repeat(part, 0, 1)


def factored(options: list[Node]) -> Node:
    """One of the options, what several begin with written once."""
    groups: dict[Node, list[Node]] = {}
    for option in options:
        parts = option.parts if isinstance(option, Sequence) else (option,)
        if not parts:
            groups.setdefault(EMPTY, [])
            continue
        groups.setdefault(parts[0], []).append(sequence(*parts[1:]))
    rows = [sequence(head, factored(rests) if len(rests) > 1 else rests[0]) for head, rests in groups.items() if rests]
    either = choice(*rows)
    return optional(either) if EMPTY in groups and rows else either if rows else EMPTY


def characters(*texts: str) -> Characters:
    """A class of characters and ranges, such as `characters("09", "_")`: two characters are a range."""
    return Characters(union(*(((ord(text[0]), ord(text[-1])),) for text in texts)))


def without(*ranges: Ranges) -> Characters:
    """All characters but these."""
    return Characters(inverse(union(*ranges)))


def union(*several: Ranges) -> Ranges:
    """The code points in any of several ranges."""
    merged: list[tuple[int, int]] = []
    for low, high in sorted(one for ranges in several for one in ranges):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return tuple(merged)


def inverse(ranges: Ranges) -> Ranges:
    """All code points but these and the halves of surrogate pairs."""
    gaps: list[tuple[int, int]] = []
    start = 0
    for low, high in union(ranges, (SURROGATES,)):
        if start < low:
            gaps.append((start, low - 1))
        start = high + 1
    if start <= LAST:
        gaps.append((start, LAST))
    return tuple(gaps)


def common(one: Ranges, other: Ranges) -> Ranges:
    """The code points in both."""
    return inverse(union(inverse(one), inverse(other)))


def parts_of(node: Node) -> tuple[Node, ...]:
    """The nodes directly inside a node."""
    match node:
        case Sequence(parts):
            return parts
        case Choice(options):
            return options
        case Repeat(part):
            return (part,)
        case _:
            return ()


def names_in(node: Node) -> Iterator[str]:
    """The rules that a node names, in order."""
    if isinstance(node, Named):
        yield node.name
    for part in parts_of(node):
        yield from names_in(part)


def recursive_rules(form: Form) -> frozenset[str]:
    """The rules that lead back to themselves."""
    direct = {name: set(names_in(node)) for name, node in form.rules.items()}
    found = set()
    for name in direct:
        seen: set[str] = set()
        waiting = list(direct[name])
        while waiting:
            at = waiting.pop()
            if at not in seen:
                seen.add(at)
                waiting += direct[at]
        if name in seen:
            found.add(name)
    return frozenset(found)


def begins_with_itself(form: Form) -> str | None:
    """A rule that begins with itself, perhaps through others; None if none does."""
    first = {name: _first_names(node, form.rules) for name, node in form.rules.items()}
    for name in first:
        seen: set[str] = set()
        waiting = list(first[name])
        while waiting:
            at = waiting.pop()
            if at == name:
                return name
            if at not in seen:
                seen.add(at)
                waiting += first[at]
    return None


def _first_names(node: Node, rules: Mapping[str, Node]) -> set[str]:
    match node:
        case Named(name):
            return {name}
        case Sequence(parts):
            found: set[str] = set()
            for part in parts:
                found |= _first_names(part, rules)
                if not may_be_empty(part, rules):
                    break
            return found
        case _:
            return {name for part in parts_of(node) for name in _first_names(part, rules)}


def may_be_empty(node: Node, rules: Mapping[str, Node]) -> bool:
    """Whether the empty text is of a node; rules that lead back to themselves only through others may not be."""
    return _empty(node, rules, frozenset())


def _empty(node: Node, rules: Mapping[str, Node], inside: frozenset[str]) -> bool:
    match node:
        case Text() | Characters():
            return False
        case Sequence(parts):
            return all(_empty(part, rules, inside) for part in parts)
        case Choice(options):
            return any(_empty(option, rules, inside) for option in options)
        case Repeat(part, low, _):
            return low == 0 or _empty(part, rules, inside)
        case Named(name):
            return name not in inside and _empty(rules[name], rules, inside | {name})
