"""A rough look at a text that does not parse: its pieces, its brackets, its entries.

Knows no grammar, so it works on any text; used only after a mistake, to find how far the broken part reaches.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from maker_dsl.syntax.forms import BLOCK_WORDS
from maker_dsl.syntax.lexer import ENTRY, GOES_ON, RESERVED

PARTS = frozenset(word for words in BLOCK_WORDS.values() for word in words) - {"ahead", "at", "temperature", "on"}
"""Words that start an entry also in the middle of a line."""

_PIECE = re.compile(
    r"(?P<blank>(?:[ \t\r\n]|#[^\n]*)+)"
    r'|(?P<block>"""(?:[^"\\]|\\[^\n]|\\\n|"(?!""))*""")'
    r'|(?P<text>"(?!"")(?:[^"\\\n]|\\.)*")'
    r'|(?P<open_block>""")'
    r'|(?P<open_text>"[^\n]*)'
    r"|(?P<quoted>'(?:[^'\\\n]|\\.)*')"
    r"|(?P<word>[A-Za-z_]\w*)"
    r"|(?P<number>[0-9]+(?:\.[0-9]+)?\w*)"
    r"|(?P<sign>\.\.\.|\.\.|\*\*|//|->|==|!=|<=|>=|\?\?|[-+*/%<>=?|:;,.(){}\[\]])"
    r"|(?P<junk>.)",
    re.DOTALL,
)
_PATTERN = re.compile(r"/(?:[^/\\\n]|\\.)+/")
_INDENT = re.compile(r"[ \t]*")
_CLOSERS = {")": "(", "]": "[", "}": "{"}


@dataclass(frozen=True, slots=True)
class Piece:
    """Something between blanks: text[start:end]."""

    kind: str
    text: str
    start: int
    end: int
    starts_line: bool


@dataclass(frozen=True, slots=True)
class Region:
    """Characters `start` to `end` of the text."""

    start: int
    end: int

    def overlaps(self, other: Region) -> bool:
        return self.start < other.end and other.start < self.end


def pieces_of(text: str, most: int | None = None) -> list[Piece]:
    """All pieces in order, or the first `most`. Linear in the text."""
    pieces: list[Piece] = []
    at = 0
    fresh = True
    last = ""
    while at < len(text) and (most is None or len(pieces) < most):
        match = _PATTERN.match(text, at) if last == "matching" else None
        kind = "pattern"
        if match is None:
            match = _PIECE.match(text, at)
            assert match is not None, "junk matches anything"
            kind = match.lastgroup or "junk"
        found = match.group()
        if kind == "blank":
            fresh = fresh or "\n" in found
        else:
            pieces.append(Piece(kind, found, at, match.end(), fresh))
            fresh = False
            last = found
        at = match.end()
    return pieces


def entry_at(pieces: list[Piece], offset: int, text: str, *, is_new_entry: bool) -> Region:
    """The entry of the innermost block in which text[offset] stands.

    An offset at the very start of an entry means the one before, which then is incomplete, unless `is_new_entry`.
    """
    here = next((index for index, piece in enumerate(pieces) if piece.end > offset), len(pieces))
    first, last = _block_around(pieces, here)
    starts = _entry_starts(pieces, first, last, text)
    if not starts:
        return Region(offset, offset)
    number = max((index for index, start in enumerate(starts) if start <= here), default=0)
    at_start = here == last or (here in starts and pieces[here].start >= offset)
    if here != last and at_start and not is_new_entry and number > 0:
        number -= 1
    begin = pieces[starts[number]].start
    stop = starts[number + 1] if number + 1 < len(starts) else last
    # The `;` behind it goes with it: nothing would stand before it.
    end = pieces[stop if stop < last and pieces[stop].text == ";" else stop - 1].end
    return Region(begin, max(end, begin + 1))


def block_start(pieces: list[Piece], offset: int) -> int:
    """Where the innermost block around text[offset] opens; -1 outside of all."""
    here = next((index for index, piece in enumerate(pieces) if piece.end > offset), len(pieces))
    first, _ = _block_around(pieces, here)
    return pieces[first - 1].start if first else -1


def _block_around(pieces: list[Piece], here: int) -> tuple[int, int]:
    """The pieces inside the innermost block that holds pieces[here]: first, and behind the last."""
    open_at: list[int] = []
    for index in range(min(here, len(pieces))):
        piece = pieces[index]
        if piece.kind == "sign":
            if piece.text in "([{":
                open_at.append(index)
            elif piece.text in _CLOSERS and open_at:
                open_at.pop()
    while open_at and not opens_block(pieces, open_at[-1]):
        open_at.pop()
    first = open_at[-1] + 1 if open_at else 0
    depth = 0
    for index in range(first, len(pieces)):
        piece = pieces[index]
        if piece.kind != "sign":
            continue
        if piece.text in "([{":
            depth += 1
        elif piece.text in _CLOSERS:
            depth -= 1
            if depth < 0 and open_at:
                return first, index
    return first, len(pieces)


def opens_block(pieces: list[Piece], index: int) -> bool:
    """Whether the bracket opens a block of entries and not a record or a type."""
    if pieces[index].text != "{" or index == 0:
        return False
    before = pieces[index - 1]
    if before.kind == "word":
        return before.text not in RESERVED
    return before.kind in ("text", "block", "number", "pattern") or before.text in (")", "]", "}")


def _entry_starts(pieces: list[Piece], first: int, last: int, text: str) -> list[int]:
    starts: list[int] = []
    depth = 0
    for index in range(first, last):
        piece = pieces[index]
        if depth == 0 and piece.text != ";" and _starts_entry(pieces, index, first, text):
            starts.append(index)
        if piece.kind == "sign":
            if piece.text in "([{":
                depth += 1
            elif piece.text in _CLOSERS:
                depth = max(0, depth - 1)
    return starts


def _starts_entry(pieces: list[Piece], index: int, first: int, text: str) -> bool:
    if index == first:
        return True
    if first == 0:
        # Outside of tasks only another task is an entry: what else stands there is one mistake.
        return pieces[index].text == "task" and pieces[index].starts_line
    piece, before = pieces[index], pieces[index - 1]
    if before.text == ";":
        return True
    goes_on = before.kind == "sign" and before.text not in (")", "]", "}", "?", "..", ";")
    if piece.starts_line:
        if goes_on:
            return ENTRY.match(text, piece.start) is not None
        return piece.kind in ("word", "junk", "quoted") and piece.text not in GOES_ON
    if piece.kind != "word" or piece.text not in PARTS:
        return False
    after = pieces[index + 1] if index + 1 < len(pieces) else None
    if after is not None and after.kind == "sign" and after.text not in ("{", "}"):
        return False
    return before.kind in ("text", "block", "number", "pattern") or before.text in (")", "]", "}")


def blanked(text: str, region: Region) -> str:
    """The text with a region made blank: line breaks stay, so that places stay the same."""
    hidden = "".join(character if character == "\n" else " " for character in text[region.start : region.end])
    return text[: region.start] + hidden + text[region.end :]


def outside(pieces: list[Piece], region: Region) -> list[Piece]:
    """The pieces that do not stand in the region."""
    return [piece for piece in pieces if piece.end <= region.start or piece.start >= region.end]


def indent_of(text: str, piece: Piece) -> int:
    """How far the line of a piece is indented."""
    begin = text.rfind("\n", 0, piece.start) + 1
    blank = _INDENT.match(text, begin, piece.start)
    return blank.end() - begin if blank else 0
