"""The entry in which a token can't stand, as far as its line tells: what the slips of each construct look at."""

from __future__ import annotations

import re
from dataclasses import dataclass

from maker_dsl.syntax.broken import Broken
from maker_dsl.syntax.lexer import NEW_LINE, Token
from maker_dsl.syntax.table import END

_HEAD = re.compile(r"(?:^|[{;])[ \t]*([A-Za-z_]\w*)")
_TEXT = re.compile(r"\"(?:[^\"\\]|\\.)*\"")


@dataclass(frozen=True, slots=True)
class Entry:
    """A token that is not expected, and the entry on its line: `text` from its first word to the end of the line.

    `before` is the token before it, an empty one where there is none.
    """

    token: Token
    before: Token
    expected: frozenset[str]
    word: str
    start: int
    text: str

    @property
    def rest(self) -> str:
        """The line from the token on."""
        return self.text[max(self.token.start - self.start, 0) :]

    @property
    def is_text_wanted(self) -> bool:
        """Whether nothing but a text in quotes could stand here."""
        return self.expected == {"STRING", "TEXT_BLOCK"}

    def broken(self, code: str, title: str, help: str, *, at: Token | None = None) -> Broken:
        """What is wrong with the token, or with the one `at`."""
        place = at or self.token
        if place.type in (NEW_LINE, END):
            place = self.before
        return Broken(code, title, place.start, max(place.end, place.start + 1), help=help)


def entry_of(text: str, token: Token, before: Token | None, expected: frozenset[str]) -> Entry:
    """The entry of a token: of the line that the token before it stands on, where it is the break of that line."""
    at = before.start if before is not None and (token.type in (NEW_LINE, END) or token.text == "}") else token.start
    begin = text.rfind("\n", 0, at) + 1
    end = text.find("\n", at)
    line = text[begin : len(text) if end < 0 else end]
    without_texts = _TEXT.sub(lambda found: "x" * len(found[0]), line)
    heads = [head for head in _HEAD.finditer(without_texts) if begin + head.start(1) <= at]
    start = begin + heads[-1].start(1) if heads else at
    before = before or Token("", "", start, start)
    return Entry(token, before, expected, heads[-1][1] if heads else "", start, line[start - begin :])
