"""A format text as a row of parts: words, punctuation, holes, and what may stand between them.

The one place that knows how flexible a format is about white space; the fast parser and the grammar both follow it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from maker_dsl.replies.notation import FormatText, HoleSpec
from maker_dsl.types.type import OptionalType, StringType, Type

_TOKEN = re.compile(r"\w+|[ \t\r\n]+|[^\w \t\r\n]+")
"""A word, white space, or a run of signs; a no-break space and its like are signs, and so exact."""


class Gap(Enum):
    """What stands between two parts, as a regex."""

    NOTHING = ""
    BLANKS = r"[ \t]*"
    """Optional blanks, wherever punctuation stands on one side."""
    BLANK = r"[ \t]+"
    """At least one blank, between two words or holes."""


@dataclass(frozen=True, slots=True)
class Newlines:
    """Line breaks, blanks around them free."""

    count: int


Between = Gap | Newlines


@dataclass(frozen=True, slots=True)
class Token:
    """A word or a run of punctuation, with what stands before it and the index of its piece."""

    text: str
    before: Between
    piece: int
    written: str = ""
    """The white space that the author wrote before it."""

    @property
    def is_word(self) -> bool:
        """Whether it consists of word characters."""
        return _is_word(self.text[0])


@dataclass(frozen=True, slots=True)
class Slot:
    """A hole, with what stands before it and the index of its piece."""

    hole: HoleSpec
    before: Between
    piece: int
    written: str = ""
    """The white space that the author wrote before it."""


Part = Token | Slot


def parts(format: FormatText) -> tuple[Part, ...]:
    """The parts of a format text; white space at its start and end does not count."""
    found: list[Part] = []
    space = ""
    for index, piece in enumerate(format.pieces):
        if isinstance(piece, HoleSpec):
            found.append(Slot(piece, _between(found, None, space), index, space))
            space = ""
            continue
        for match in _TOKEN.finditer(piece):
            text = match[0]
            if text[0] in " \t\r\n":
                space += text
            else:
                found.append(Token(text, _between(found, text, space), index, space))
                space = ""
    return tuple(found)


def lead(parts: tuple[Part, ...]) -> tuple[Token, ...]:
    """The tokens before the first hole: by them the reply is found."""
    tokens: list[Token] = []
    for part in parts:
        if isinstance(part, Slot):
            break
        tokens.append(part)
    return tuple(tokens)


def raw(type: Type) -> str:
    """`line` or `text` for a hole of raw text, else empty."""
    inner = type.inner if isinstance(type, OptionalType) else type
    return inner.raw if isinstance(inner, StringType) else ""


def line_count(parts: tuple[Part, ...]) -> int:
    """How many lines a reply takes whose holes take one line each."""
    return 1 + sum(part.before.count for part in parts if isinstance(part.before, Newlines))


def _between(found: list[Part], text: str | None, space: str) -> Between:
    if not found:
        return Gap.NOTHING
    before = found[-1]
    newlines = space.count("\n")
    if newlines:
        # Empty lines at its end are no part of a text, so that their number says nothing.
        return Newlines(1 if isinstance(before, Slot) and raw(before.hole.type) == "text" else newlines)
    words = (isinstance(before, Slot) or before.is_word) and (text is None or _is_word(text[0]))
    if words:
        return Gap.BLANK if space else Gap.NOTHING
    return Gap.BLANKS


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"
