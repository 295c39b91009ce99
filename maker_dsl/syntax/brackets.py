"""Finds the bracket that is to blame when brackets do not pair, and mends the text around it.

Indentation tells: a closing bracket at the start of a line that stands further left than the line of its opening one
belongs to an outer one, so the inner one was never closed.
"""

from __future__ import annotations

from dataclasses import dataclass

from maker_dsl.syntax.broken import Broken
from maker_dsl.syntax.lexer import ENTRY
from maker_dsl.syntax.scan import Piece, Region, blanked, indent_of, opens_block, pieces_of

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
            if piece.text == "}" and _is_misplaced(text, opener, piece):
                suspects.append((open_at[-1], index))
            open_at.pop()
    if not open_at:
        return None
    for opener_index, closer_index in suspects:
        closer = pieces[closer_index]
        if closer.starts_line and indent_of(text, closer) < indent_of(text, pieces[opener_index]):
            return _unclosed_block(text, pieces, opener_index, closer_index)
    opener = pieces[open_at[-1]]
    if opener.text != "{":
        return _unclosed(text, pieces, open_at[-1], len(pieces))
    closing = "".join("\n" + _CLOSE_OF[pieces[index].text] for index in reversed(open_at))
    return Mended(_not_closed(opener, None), text + closing, Region(opener.start, opener.end))


def _is_misplaced(text: str, opener: Piece, closer: Piece) -> bool:
    """Whether a closing brace stands where nobody would put the one of this opening brace."""
    if closer.starts_line:
        return indent_of(text, closer) != indent_of(text, opener)
    return "\n" in text[opener.start : closer.start]


def _stray(text: str, pieces: list[Piece], index: int, suspects: list[tuple[int, int]]) -> Mended:
    closer = pieces[index]
    for opener_index, closer_index in suspects:
        suspect = pieces[closer_index]
        further_right = indent_of(text, suspect) > indent_of(text, pieces[opener_index])
        if closer.text == "}" and (not suspect.starts_line or further_right):
            closer = suspect
            break
    region = Region(closer.start, closer.end)
    return Mended(_closes_nothing(closer), blanked(text, region), region)


def _closes_nothing(closer: Piece) -> Broken:
    return Broken(
        "MK119",
        f"this `{closer.text}` closes nothing",
        closer.start,
        closer.end,
        help=f"take it out, or open it earlier with `{_OPEN_OF[closer.text]}`",
    )


def _mismatch(text: str, pieces: list[Piece], open_at: list[int], index: int) -> Mended:
    opener, closer = pieces[open_at[-1]], pieces[index]
    if opener.text == "{" and closer.text != "}":
        if len(open_at) > 1 and not opens_block(pieces, open_at[-1]):
            return _unclosed(text, pieces, open_at[-1], index)
        region = _entry_around(text, pieces, index)
        return Mended(_closes_nothing(closer), blanked(text, region), region)
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
    region = _entry_around(text, pieces, opener_index)
    is_near = stop < len(pieces) and pieces[stop].start <= region.end
    closer = pieces[stop] if is_near else None
    return Mended(_not_closed(pieces[opener_index], closer), blanked(text, region), region)


def _entry_around(text: str, pieces: list[Piece], index: int) -> Region:
    """The entry that pieces[index] stands in, by its braces alone, as its other brackets do not pair."""
    end = len(pieces)
    depth = 0
    for at in range(index + 1, len(pieces)):
        piece = pieces[at]
        if piece.text == "{" and piece.kind == "sign":
            depth += 1
        elif piece.text == "}" and piece.kind == "sign":
            depth -= 1
        if depth == 0 and piece.text == ";":
            end = at + 1
            break
        if depth < 0 or (piece.starts_line and ENTRY.match(text, piece.start)):
            end = at
            break
    return Region(pieces[_entry_start(pieces, index)].start, pieces[end - 1].end)


def _unclosed_block(text: str, pieces: list[Piece], opener_index: int, closer_index: int) -> Mended:
    """A block: taken out from its first word to the next line that stands no further right than its own."""
    opener = pieces[opener_index]
    indent = indent_of(text, opener)
    end = next(
        index
        for index in range(opener_index + 1, closer_index + 1)
        if index == closer_index or (pieces[index].starts_line and indent_of(text, pieces[index]) <= indent)
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
