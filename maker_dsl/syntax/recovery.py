"""Goes on behind a mistake, so that several are reported in one go.

Each mistake is reported once, then the entry it stands in is made blank and the text is read again. What is blank can
cause no further complaint, and a second complaint about an entry already reported is dropped.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from maker_dsl.diagnostics import Label, Problems, Source, Span
from maker_dsl.syntax.automaton import Unexpected
from maker_dsl.syntax.brackets import mend_bracket
from maker_dsl.syntax.broken import Broken
from maker_dsl.syntax.foreign import of_single_quotes
from maker_dsl.syntax.lexer import ENTRY, unclosed_block, unclosed_text
from maker_dsl.syntax.scan import Piece, Region, blanked, block_start, entry_at, indent_of, outside, pieces_of
from maker_dsl.syntax.wording import of_unexpected, starts_new_entry

MAX_CHARACTERS = 1_000_000
"""How long a task file may be."""

_MAX_MISTAKES = 25
_MAX_READ_AGAIN = 500_000
"""So many characters are read again, in each phase, to find more mistakes."""
_MAX_PIECES = 60_000
"""Behind the first mistake of a text of more words and signs nothing is looked for: no person wrote it."""


def read_on(source: Source, problems: Problems, attempt: Callable[[str], Any]) -> Any:
    """What `attempt` makes of the text, or of what is left of it without its broken entries; None if of nothing."""
    if len(source.text) > MAX_CHARACTERS:
        title = f"this file is too long: {len(source.text):,} characters, at most {MAX_CHARACTERS:,} are allowed"
        problems.add("MK109", title, Span(source, 0, 1), help="data belongs into inputs, not into the task")
        return None
    try:
        return attempt(source.text)
    except (Unexpected, Broken) as mistake:
        if isinstance(mistake, Broken) and mistake.is_fatal:
            report(source, problems, mistake)
            return None
        first = mistake
    if len(pieces_of(source.text, _MAX_PIECES + 1)) > _MAX_PIECES:
        report(source, problems, first if isinstance(first, Broken) else of_unexpected(source.text, first))
        return None
    text, reported = _mend_texts(source, problems)
    text = _mend_headers(source, problems, attempt, text, reported)
    for _ in range(_rounds(text)):
        mended = mend_bracket(text)
        if mended is None:
            break
        # A text that runs to the end of the file has swallowed the closing brackets.
        is_follow_up = any(mended.region.overlaps(region) or region.end >= len(text.rstrip()) for region in reported)
        if not is_follow_up:
            report(source, problems, mended.broken)
        reported.append(mended.region)
        text = mended.text
    return _read_entries(source, problems, attempt, text, reported)


def _mend_headers(
    source: Source, problems: Problems, attempt: Callable[[str], Any], text: str, reported: list[Region]
) -> str:
    """Puts the `{` that a block lacks, as long as that is the first mistake and a `}` is there for it."""
    for _ in range(_rounds(text)):
        mended = mend_bracket(text)
        if mended is None or text[mended.broken.start] != "}":
            return text
        mistake = _first_mistake(attempt, text)
        if not isinstance(mistake, Unexpected) or "LBRACE" not in mistake.expected:
            return text
        before = mistake.before
        if before is None or not (text.startswith(":", before.end) or text[before.end : before.end + 1].isspace()):
            return text
        broken = of_unexpected(text, mistake)
        report(source, problems, broken)
        reported.append(Region(broken.start, broken.end))
        text = text[: before.end] + "{" + text[before.end + 1 :]
    return text


def _first_mistake(attempt: Callable[[str], Any], text: str) -> Unexpected | Broken | None:
    try:
        attempt(text)
    except (Unexpected, Broken) as mistake:
        return mistake
    return None


def _read_entries(
    source: Source, problems: Problems, attempt: Callable[[str], Any], text: str, reported: list[Region]
) -> Any:
    pieces = pieces_of(text)
    misplaced_in: set[int] = set()
    for _ in range(_rounds(text)):
        try:
            return attempt(text)
        except Unexpected as unexpected:
            broken = of_unexpected(text, unexpected)
            offset, is_new_entry = unexpected.token.start, starts_new_entry(unexpected)
        except Broken as found:
            broken, offset, is_new_entry = found, found.start, True
        region = entry_at(pieces, offset, text, is_new_entry=is_new_entry)
        place = Region(broken.start, max(broken.end, broken.start + 1))
        is_follow_up = any(region.overlaps(other) or place.overlaps(other) for other in reported)
        if broken.code == "MK121":
            # Where one part stands in the wrong block the others do so too: a block was not closed.
            block = block_start(pieces, offset)
            is_follow_up = is_follow_up or block in misplaced_in
            misplaced_in.add(block)
        if not is_follow_up or not problems.has_errors:
            report(source, problems, broken)
        if broken.is_fatal or not text[region.start : region.end].strip():
            return None
        reported.extend((region, place))
        text = blanked(text, region)
        pieces = outside(pieces, region)
    return None


def _rounds(text: str) -> int:
    """How often a text is read again: less often when it is long."""
    return max(3, min(_MAX_MISTAKES, _MAX_READ_AGAIN // max(len(text), 1)))


def report(source: Source, problems: Problems, broken: Broken) -> None:
    """Adds what is broken to the problems of its source."""
    problems.add(
        broken.code,
        broken.title,
        Span(source, broken.start, broken.end),
        broken.label,
        also=[Label(Span(source, start, end), label) for start, end, label in broken.also],
        help=broken.help,
    )


def _mend_texts(source: Source, problems: Problems) -> tuple[str, list[Region]]:
    """Reports texts that are not closed or in the wrong quotes, and puts closed ones of the same length there."""
    text = source.text
    reported: list[Region] = []
    # A block that was mended moves the quotes behind it, so look again.
    for _ in range(_rounds(text)):
        found = _open_block(text)
        if found is None:
            break
        report(source, problems, unclosed_block(found.start))
        reported.append(found)
        text = text[: found.start] + _closed(text[found.start : found.end]) + text[found.end :]
    for piece in pieces_of(text):
        if len(reported) >= _MAX_MISTAKES:
            break
        region = Region(piece.start, piece.end)
        if piece.kind == "open_text":
            broken = unclosed_text(text, piece.start)
            report(source, problems, broken)
            region = Region(piece.start, broken.end)
        elif piece.kind == "quoted":
            report(source, problems, of_single_quotes(piece.start, piece.end))
        else:
            continue
        reported.append(region)
        text = text[: region.start] + _closed(text[region.start : region.end]) + text[region.end :]
    return text, reported


def _closed(text: str) -> str:
    return '"' + "x" * (len(text) - 2) + '"' if len(text) > 1 else "0"


def _open_block(text: str) -> Region | None:
    """The text block that is not closed: with an odd number of quotes, the first that swallows an entry."""
    pieces = pieces_of(text)
    unclosed = next((piece for piece in pieces if piece.kind == "open_block"), None)
    if unclosed is None:
        return None
    for piece in pieces:
        if piece.kind in ("block", "open_block"):
            end = _swallows_entry(text, piece)
            if end is not None:
                return Region(piece.start, end)
    return Region(unclosed.start, len(text.rstrip()))


def _swallows_entry(text: str, piece: Piece) -> int | None:
    """The end of the last line before a line of the block that is an entry no further right than the block's own."""
    indent = indent_of(text, piece)
    at = text.find("\n", piece.start)
    while 0 <= at < piece.end:
        begin = at + 1
        while begin < len(text) and text[begin] in " \t":
            begin += 1
        if begin - at - 1 <= indent and (ENTRY.match(text, begin) or text[begin : begin + 1] == "}"):
            return max(piece.start + 3, len(text[:at].rstrip()))
        at = text.find("\n", at + 1)
    return None
