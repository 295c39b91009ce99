"""Finds the bracket that is to blame when brackets do not pair, and mends the text around it.

Indentation tells: a closing bracket at the start of a line that stands further left than the line of its opening one
belongs to an outer one, so the inner one was never closed.
"""

from __future__ import annotations

from dataclasses import dataclass

from maker_dsl.syntax.broken import Broken
from maker_dsl.syntax.lexer import ENTRY
from maker_dsl.syntax.scan import Piece, Region, blanked, pieces_of

_CLOSE_OF = {"(": ")", "[": "]", "{": "}"}
_OPEN_OF = {close: open_ for open_, close in _CLOSE_OF.items()}


@dataclass(frozen=True, slots=True)
class Mended:
    """What was wrong with the first bad bracket, the text without it, and what was taken out."""

    broken: Broken
    text: str
    region: Region


def mend_bracket(text: str) -> Mended | None:
    """Mends the first bracket that does not pair; None when all do."""
    pieces = pieces_of(text)
    open_at: list[int] = []
    suspects: list[tuple[int, int]] = []
    for index, piece in enumerate(pieces):
        if piece.kind != "sign":
            continue
        if piece.text in _CLOSE_OF:
            open_at.append(index)
        elif piece.text in _OPEN_OF:
            if not open_at:
                return _stray(text, pieces, index, suspects)
            opener = pieces[open_at[-1]]
            if _CLOSE_OF[opener.text] != piece.text:
                return _mismatch(text, pieces, open_at, index)
            if piece.text == "}" and piece.starts_line and _indent(text, piece) != _indent(text, opener):
                suspects.append((open_at[-1], index))
            open_at.pop()
    if not open_at:
        return None
    for opener_index, closer_index in suspects:
        if _indent(text, pieces[closer_index]) < _indent(text, pieces[opener_index]):
            return _unclosed_block(text, pieces, opener_index, closer_index)
    opener = pieces[open_at[-1]]
    if opener.text != "{":
        return _unclosed(text, pieces, open_at[-1], len(pieces))
    closing = "".join("\n" + _CLOSE_OF[pieces[index].text] for index in reversed(open_at))
    return Mended(_not_closed(opener, None), text + closing, Region(opener.start, opener.end))


def _stray(text: str, pieces: list[Piece], index: int, suspects: list[tuple[int, int]]) -> Mended:
    closer = pieces[index]
    for opener_index, closer_index in suspects:
        if closer.text == "}" and _indent(text, pieces[closer_index]) > _indent(text, pieces[opener_index]):
            closer = pieces[closer_index]
            break
    broken = Broken(
        "MK119",
        f"this `{closer.text}` closes nothing",
        closer.start,
        closer.end,
        help=f"take it out, or open it earlier with `{_OPEN_OF[closer.text]}`",
    )
    region = Region(closer.start, closer.end)
    return Mended(broken, blanked(text, region), region)


def _mismatch(text: str, pieces: list[Piece], open_at: list[int], index: int) -> Mended:
    opener, closer = pieces[open_at[-1]], pieces[index]
    if opener.text != "{" and not (closer.text != "}" and _pairs_after(pieces, open_at, index)):
        return _unclosed(text, pieces, open_at[-1], index)
    broken = Broken(
        "MK119",
        f"`{closer.text}` can't close `{opener.text}`",
        closer.start,
        closer.end,
        help=f"write `{_CLOSE_OF[opener.text]}` here",
        also=((opener.start, opener.end, "opened here"),),
    )
    text = text[: closer.start] + _CLOSE_OF[opener.text] + text[closer.end :]
    return Mended(broken, text, Region(closer.start, closer.end))


def _pairs_after(pieces: list[Piece], open_at: list[int], index: int) -> bool:
    """Whether the bracket around would pair if the wrong closing one were the right one."""
    if len(open_at) < 2:
        return False
    depth = 0
    for piece in pieces[index + 1 :]:
        if piece.kind == "sign" and piece.text in _CLOSE_OF:
            depth += 1
        elif piece.kind == "sign" and piece.text in _OPEN_OF:
            if depth == 0:
                return _CLOSE_OF[pieces[open_at[-2]].text] == piece.text
            depth -= 1
    return False


def _unclosed(text: str, pieces: list[Piece], opener_index: int, stop: int) -> Mended:
    """A round or square bracket: the entry it stands in is taken out, to where the next can only begin."""
    opener = pieces[opener_index]
    end = len(pieces)
    depth = 0
    for index in range(opener_index + 1, len(pieces)):
        piece = pieces[index]
        if piece.text == "{" and piece.kind == "sign":
            depth += 1
        elif piece.text == "}" and piece.kind == "sign":
            depth -= 1
        if depth < 0 or (depth == 0 and piece.text == ";") or (piece.starts_line and ENTRY.match(text, piece.start)):
            end = index
            break
    begin = _entry_start(pieces, opener_index)
    closer = pieces[stop] if stop < end or (stop == end and stop < len(pieces)) else None
    last = end if end < len(pieces) and pieces[end].text == ";" else end - 1
    region = Region(pieces[begin].start, pieces[last].end)
    return Mended(_not_closed(opener, closer), blanked(text, region), region)


def _unclosed_block(text: str, pieces: list[Piece], opener_index: int, closer_index: int) -> Mended:
    """A block: taken out from its first word to the next line that stands no further right than its own."""
    opener = pieces[opener_index]
    indent = _indent(text, opener)
    end = next(
        index
        for index in range(opener_index + 1, closer_index + 1)
        if index == closer_index or (pieces[index].starts_line and _indent(text, pieces[index]) <= indent)
    )
    begin = _entry_start(pieces, opener_index)
    region = Region(pieces[begin].start, pieces[end - 1].end)
    return Mended(_not_closed(opener, pieces[closer_index]), blanked(text, region), region)


def _not_closed(opener: Piece, closer: Piece | None) -> Broken:
    close = _CLOSE_OF[opener.text]
    also = () if closer is None else ((closer.start, closer.end, f"this `{closer.text}` closes what is around it"),)
    return Broken(
        "MK118",
        f"this `{opener.text}` is never closed",
        opener.start,
        opener.end,
        help=f"add `{close}` where it should end",
        also=also,
    )


def _entry_start(pieces: list[Piece], index: int) -> int:
    """The first piece of the entry that pieces[index] stands in."""
    depth = 0
    for at in range(index, 0, -1):
        piece, before = pieces[at], pieces[at - 1]
        if at < index and piece.kind == "sign":
            if piece.text in _OPEN_OF:
                depth += 1
            elif piece.text in _CLOSE_OF and depth:
                depth -= 1
        if depth == 0 and ((piece.starts_line and piece.kind == "word") or before.text in ("{", ";")):
            return at
    return 0


def _indent(text: str, piece: Piece) -> int:
    """How far the line of a piece is indented."""
    start = text.rfind("\n", 0, piece.start) + 1
    line = text[start : piece.start]
    return len(line) - len(line.lstrip(" \t"))
