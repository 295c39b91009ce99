"""Reading patterns: the nodes, and a recursive-descent reader that refuses all that has no common, linear meaning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

MAX_REPEAT = 1000
MAX_SIZE = 5000
_MAX_DEPTH = 50
_LAST = 0x10FFFF
_SURROGATES = (0xD800, 0xDFFF)

Ranges = tuple[tuple[int, int], ...]

_DIGIT: Ranges = ((48, 57),)
_WORD: Ranges = ((48, 57), (65, 90), (95, 95), (97, 122))
_SPACE: Ranges = ((9, 13), (32, 32))
_CONTROLS = {"n": 10, "t": 9, "r": 13, "f": 12, "v": 11}


class BadPattern(Exception):
    """A pattern is not in the language of patterns; says why and at which character."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


@dataclass(frozen=True, slots=True)
class Characters:
    """One character out of ascending ranges of code points."""

    ranges: Ranges


@dataclass(frozen=True, slots=True)
class Sequence:
    """One part after the other."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several."""

    options: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """A part several times; `high` None is without end."""

    part: Node
    low: int
    high: int | None


Node = Characters | Sequence | Choice | Repeat


def read_pattern(text: str) -> Node:
    """The nodes of a pattern; raises `BadPattern`."""
    return _Reader(text).read()


class _Reader:
    """A recursive-descent reader of patterns."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.end = len(text)
        self.depth = 0

    def read(self) -> Node:
        if self.text.startswith("^"):
            self.at = 1
        if self.text.endswith("$") and not _is_escaped(self.text, len(self.text) - 1):
            self.end -= 1
        node = self.choice()
        if self.at < self.end:
            self.refuse("`)` without its `(`")
        if written_size(node) > MAX_SIZE:
            self.at = 0
            self.refuse(f"the pattern is too large: written out, it has more than {MAX_SIZE:,} characters")
        return node

    def refuse(self, message: str) -> NoReturn:
        raise BadPattern(message, min(self.at, len(self.text)))

    def peek(self) -> str:
        return self.text[self.at] if self.at < self.end else ""

    def take(self) -> str:
        character = self.peek()
        if not character:
            self.refuse("the pattern ends too early")
        self.at += 1
        return character

    def choice(self) -> Node:
        options = [self.sequence()]
        while self.peek() == "|":
            self.at += 1
            options.append(self.sequence())
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def sequence(self) -> Node:
        parts: list[Node] = []
        while self.peek() not in ("", "|", ")"):
            parts.append(self.repeated())
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    def repeated(self) -> Node:
        part = self.atom()
        match self.peek():
            case "*":
                low, high = 0, None
            case "+":
                low, high = 1, None
            case "?":
                low, high = 0, 1
            case "{":
                low, high = self.count()
                self.at -= 1
            case _:
                return part
        self.at += 1
        if self.peek() == "?":
            self.at += 1  # lazy or not: the whole string matches the same
        if self.peek() and self.peek() in "*+{":
            self.refuse(f"`{self.peek()}` repeats a repetition; put the repeated part into `( )`")
        return Repeat(part, low, high)

    def count(self) -> tuple[int, int | None]:
        start = self.at
        close = self.text.find("}", start, self.end)
        body = self.text[start + 1 : close] if close >= 0 else ""
        low, comma, high = body.partition(",")
        if not _is_count(low) or (high and not _is_count(high)):
            self.refuse("`{` begins a repetition such as `{3}` or `{1,5}`; write `\\{` for the character")
        least = int(low)
        most = least if not comma else int(high) if high else None
        if max(least, most or 0) > MAX_REPEAT:
            self.refuse(f"a repetition of more than {MAX_REPEAT:,}")
        if most is not None and most < least:
            self.refuse(f"the repetition `{{{body}}}` ends before it begins")
        self.at = close + 1
        return least, most

    def atom(self) -> Node:
        character = self.take()
        match character:
            case "(":
                return self.group()
            case "[":
                return Characters(self.characters())
            case ".":
                return Characters(_invert(((10, 10),)))
            case "\\":
                return Characters(self.escape())
            case "*" | "+" | "?" | "{":
                self.at -= 1
                self.refuse(f"`{character}` has nothing to repeat; write `\\{character}` for the character itself")
            case "^" | "$":
                self.at -= 1
                self.refuse(f"`{character}` inside a pattern: a pattern always speaks of the whole string")
        return Characters(_one(character, self))

    def group(self) -> Node:
        if self.peek() == "?":
            if self.text.startswith("?:", self.at):
                self.at += 2
            elif self.text.startswith(("?=", "?!", "?<=", "?<!"), self.at):
                self.refuse("look-ahead and look-behind are not available, since they can't run in linear time")
            else:
                self.refuse("only plain groups `( … )` and `(?: … )` are available")
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            self.refuse(f"groups nested more than {_MAX_DEPTH} deep")
        node = self.choice()
        self.depth -= 1
        if self.peek() != ")":
            self.refuse("a `(` without its `)`")
        self.at += 1
        return node

    def escape(self) -> Ranges:
        character = self.take()
        match character:
            case "d":
                return _DIGIT
            case "w":
                return _WORD
            case "s":
                return _SPACE
            case "D":
                return _invert(_DIGIT)
            case "W":
                return _invert(_WORD)
            case "S":
                return _invert(_SPACE)
            case "x":
                return self.code(2)
            case "u":
                return self.code(4)
            case "b" | "B" | "A" | "Z" | "z":
                self.refuse(f"`\\{character}` is not available: a pattern always speaks of the whole string")
            case "p" | "P":
                self.refuse(f"`\\{character}` is not available; list the characters, such as `[A-Za-zÀ-ÿ]`")
        if character in _CONTROLS:
            return ((_CONTROLS[character],) * 2,)
        if (character.isdigit() and character.isascii()) or character in "kg":
            self.refuse("back-references are not available, since they can't run in linear time")
        if character.isalnum():
            self.refuse(f"`\\{character}` has no meaning here")
        return _one(character, self)

    def code(self, digits: int) -> Ranges:
        text = self.text[self.at : min(self.at + digits, self.end)]
        if len(text) < digits or not all(c in "0123456789abcdefABCDEF" for c in text):
            self.refuse(f"expected {digits} hexadecimal digits")
        value = int(text, 16)
        if _SURROGATES[0] <= value <= _SURROGATES[1]:
            self.refuse("half of a surrogate pair is not a character")
        self.at += digits
        return ((value, value),)

    def characters(self) -> Ranges:
        inverted = self.peek() == "^"
        self.at += inverted
        found: list[tuple[int, int]] = []
        start = self.at
        while self.peek() != "]" or self.at == start:
            if not self.peek():
                self.refuse("a `[` without its `]`")
            if self.peek() == "[":
                self.refuse("write `\\[` for the character `[` in a class")
            low = self.member()
            if self.peek() == "-" and self.text[self.at + 1 : self.at + 2] not in ("]", "") and len(low) == 1:
                self.at += 1
                high = self.member()
                if low[0][0] != low[0][1] or len(high) != 1 or high[0][0] != high[0][1] or high[0][0] < low[0][0]:
                    self.refuse("a range in a class goes from one character up to another")
                low = ((low[0][0], high[0][0]),)
            found.extend(low)
        self.at += 1
        ranges = _merge(found)
        result = _invert(ranges) if inverted else ranges
        if not result:
            self.refuse("a class that no character is in")
        return result

    def member(self) -> Ranges:
        character = self.take()
        return self.escape() if character == "\\" else _one(character, self)


def _one(character: str, reader: _Reader) -> Ranges:
    code = ord(character)
    if _SURROGATES[0] <= code <= _SURROGATES[1]:
        reader.refuse("half of a surrogate pair is not a character")
    return ((code, code),)


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5


def _is_escaped(text: str, at: int) -> bool:
    before = at
    while before > 0 and text[before - 1] == "\\":
        before -= 1
    return (at - before) % 2 == 1


def _merge(ranges: list[tuple[int, int]]) -> Ranges:
    merged: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return tuple(merged)


def _invert(ranges: Ranges) -> Ranges:
    gaps: list[tuple[int, int]] = []
    start = 0
    for low, high in _merge([*ranges, _SURROGATES]):
        if start < low:
            gaps.append((start, low - 1))
        start = high + 1
    if start <= _LAST:
        gaps.append((start, _LAST))
    return tuple(gaps)


def written_size(node: Node) -> int:
    """How many characters a pattern has with its repetitions written out."""
    match node:
        case Characters():
            return 1
        case Sequence(parts):
            return sum(map(written_size, parts)) + 1
        case Choice(options):
            return sum(map(written_size, options)) + 1
        case Repeat(part, low, high):
            return written_size(part) * max(low, high or 0, 1) + 1
