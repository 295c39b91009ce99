"""A small algebra of layouts: texts, places where a line may break, and groups that break together or not at all.

After Wadler, "A prettier printer" (2003). What must break says so when it is made (`is_forced`), so that the renderer
never looks further ahead than one line.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct


class Doc(Struct, frozen=True, kw_only=True):
    """A layout. `is_forced`: it has a line break in it, come what may; `is_open`: a comment ends it."""

    is_forced: bool = False
    is_open: bool = False


class Text(Doc, frozen=True):
    """Characters; with line breaks only where they stand as they are in a text block."""

    text: str


class Sign(Doc, frozen=True):
    """A separator: it stands before a comment that ends the line."""

    text: str


class Line(Doc, frozen=True):
    """A place to break: `flat` where the group stands on one line; else, with `has_blank`, an empty line comes too."""

    flat: str
    has_blank: bool = False


class Own(Doc, frozen=True):
    """A comment on a line of its own."""

    text: str
    blank_before: bool = False
    blank_after: bool = False


class Trailing(Doc, frozen=True):
    """A comment at the end of the line, whatever else still comes on it."""

    text: str


class Indent(Doc, frozen=True):
    """Lines that begin inside `doc` stand further right."""

    doc: Doc


class Concat(Doc, frozen=True):
    """One after the other."""

    parts: tuple[Doc, ...]


class Group(Doc, frozen=True):
    """On one line if it fits, else every Line directly in it breaks."""

    doc: Doc


class Value(Doc, frozen=True):
    """What follows a head such as `name =`: behind it if it fits there, else on the next line, further right.

    One that `opens` is a bracket: where it fits on neither line, it stays behind the head and breaks inside. With
    `is_below` the author put it on the next line, where it stays.
    """

    doc: Doc
    opens: bool
    is_below: bool


EMPTY = Text("")
SPACE = Text(" ")
SOFT = Line(" ")
TIGHT = Line("")


def hard_line(*, has_blank: bool = False) -> Line:
    """A line break in any case."""
    return Line("", has_blank, is_forced=True)


def own(text: str, *, blank_before: bool = False, blank_after: bool = False) -> Own:
    return Own(text, blank_before, blank_after, is_forced=True, is_open=True)


def trailing(text: str) -> Trailing:
    return Trailing(text, is_open=True)


def literal(text: str) -> Text:
    """Characters as they are, line breaks too."""
    return Text(text, is_forced="\n" in text)


def concat(*parts: Doc) -> Doc:
    """The parts one after the other; a comment that something follows forces a break."""
    present = [part for part in parts if part is not EMPTY]
    if not present:
        return EMPTY
    if len(present) == 1:
        return present[0]
    is_forced = any(part.is_forced for part in present) or any(part.is_open for part in present[:-1])
    return Concat(tuple(present), is_forced=is_forced, is_open=present[-1].is_open)


def indent(*parts: Doc) -> Doc:
    doc = concat(*parts)
    return doc if doc is EMPTY else Indent(doc, is_forced=doc.is_forced, is_open=doc.is_open)


def group(*parts: Doc) -> Doc:
    doc = concat(*parts)
    return doc if doc is EMPTY else Group(doc, is_forced=doc.is_forced, is_open=doc.is_open)


def forced_group(*parts: Doc) -> Doc:
    """A group that breaks in any case."""
    doc = concat(*parts)
    return Group(doc, is_forced=True, is_open=doc.is_open)


def value(doc: Doc, *, opens: bool, is_below: bool = False) -> Doc:
    return Value(doc, opens, is_below, is_forced=is_below or doc.is_forced, is_open=doc.is_open)


def joined(docs: Sequence[Doc], between: Doc) -> Doc:
    """The docs with `between` in between."""
    parts: list[Doc] = []
    for doc in docs:
        if parts:
            parts.append(between)
        parts.append(doc)
    return concat(*parts)


def flat_width(doc: Doc) -> int | None:
    """How many characters it takes on one line, comments aside; None if it can't stand on one."""
    if doc.is_forced:
        return None
    width = 0
    waiting = [doc]
    while waiting:
        match waiting.pop():
            case Text(text=text) | Sign(text=text):
                width += len(text)
            case Line(flat=flat):
                width += len(flat)
            case Concat(parts=parts):
                waiting.extend(reversed(parts))
            case Group(doc=inner) | Indent(doc=inner):
                waiting.append(inner)
            case Value(doc=inner):
                width += 1
                waiting.append(inner)
            case _:
                pass
    return width
