"""What the layouts of all constructs share: words with the right gaps, brackets, lists of items."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from maker_dsl.errors import InternalError
from maker_dsl.formatting.concrete import SEPARATORS, Branch, Leaf, Part
from maker_dsl.formatting.documents import (
    EMPTY,
    SPACE,
    TIGHT,
    Doc,
    Line,
    Text,
    concat,
    forced_group,
    group,
    indent,
    own,
    trailing,
    value,
)
from maker_dsl.formatting.texts import text_block

_TIGHT_AFTER = frozenset({"(", "[", "."})
_TIGHT_BEFORE = frozenset({")", "]", ",", ";", ":", "?", "."})
_OPENING = frozenset(
    {"list_literal", "list_comprehension", "braces", "map_comprehension", "call", "type_record", "type_tuple"}
)
_TIGHT_IN = frozenset({"bounds", "bounds_to", "unary", "spread", "keyword_argument", "field_access"})


class LayoutBase:
    """One method, called `_construct`, for each construct with a layout of its own; others are words in a row."""

    def __init__(self, text: str, width: int) -> None:
        self._source = text
        self._width = width
        self._level = 0
        """How many blocks the current entry stands in."""

    def layout(self, part: Part) -> Doc:
        """The layout of a construct or a word."""
        if isinstance(part, Leaf):
            return self._leaf(part)
        method: Callable[[Branch], Doc] | None = getattr(self, f"_{part.construct}", None)
        return self._row(part.parts, part.construct) if method is None else method(part)

    def _leaf(self, leaf: Leaf) -> Doc:
        written = text_block(leaf.text) if leaf.type == "TEXT_BLOCK" else Text(leaf.text)
        return self._with_comments(leaf, written)

    def _with_comments(self, leaf: Leaf, doc: Doc) -> Doc:
        if not leaf.before and not leaf.after:
            return doc
        return concat(*self._comments_before(leaf), doc, *map(trailing, leaf.after))

    @staticmethod
    def _comments_before(leaf: Leaf) -> list[Doc]:
        """The comments on lines of their own; the empty line above the first is left to what separates entries."""
        last = len(leaf.before) - 1
        return [
            own(
                comment.text,
                blank_before=number > 0 and comment.has_blank,
                blank_after=number == last and leaf.has_blank,
            )
            for number, comment in enumerate(leaf.before)
        ]

    def _row(self, parts: Sequence[Part], construct: str) -> Doc:
        """The parts one after the other on a line."""
        docs: list[Doc] = []
        for number, part in enumerate(parts):
            if number and not _is_tight(parts[number - 1], part, construct):
                docs.append(SPACE)
            docs.append(self.layout(part))
        return concat(*docs)

    def _bracket(
        self,
        opening: Leaf,
        items: Sequence[Part],
        closing: Leaf,
        *,
        pad: str = "",
        between: str = ",",
        fill: bool = False,
        each: Callable[[Part], Doc] | None = None,
    ) -> Doc:
        """Items in brackets: on one line, or each on its own where they don't fit or the author opened the bracket.

        `between` stands behind an item also where it ends its line; with `fill` as many items as fit share a line.
        """
        if not items and not closing.before:
            return concat(self.layout(opening), self.layout(closing))
        inside: list[Doc] = []
        for number, item in enumerate(items):
            laid_out = (each or self.layout)(item)
            first = item.first if isinstance(item, Branch) else item
            if number == 0:
                inside += [Line(pad), laid_out]
                continue
            line = Line(" " if between else ", ", first.blank_above)
            inside.append(Text(between) if between else EMPTY)
            inside.append(group(line, laid_out) if fill else concat(line, laid_out))
        return self._enclosed(opening, concat(*inside), closing, pad)

    def _assigned(self, head: Doc, part: Part, *, keeps: bool = False) -> Doc:
        """`head value`: the value behind the head if it fits; else on the next line; else it opens behind the head.

        With `keeps`, a value that the author put on the next line stays there.
        """
        laid_out = self.layout(part)
        first = part if isinstance(part, Leaf) else part.first
        if is_text_block(part):
            return concat(head, SPACE, laid_out)
        return concat(head, value(laid_out, opens=opens_behind(part), is_below=keeps and first.starts_line))

    def _enclosed(self, opening: Leaf, inside: Doc, closing: Leaf, pad: str = "") -> Doc:
        """What is in brackets, already with the place to break before it."""
        comments = self._comments_before(closing)
        if comments:
            inside = concat(inside, Line("", closing.blank_above and inside is not EMPTY), *comments)
        closing_doc = concat(Text(closing.text), *map(trailing, closing.after))
        parts = (self.layout(opening), indent(inside), Line(pad) if pad else TIGHT, closing_doc)
        return forced_group(*parts) if self._is_opened(opening, closing) else group(*parts)

    def _is_opened(self, opening: Leaf, closing: Leaf) -> bool:
        """Whether the author put what follows the bracket on a new line."""
        behind = self._source[opening.end : closing.start].lstrip(" \t\r")
        return behind.startswith(("\n", "#"))

    @staticmethod
    def _split(branch: Branch, opening: str) -> tuple[list[Part], Leaf, list[Part], Leaf, list[Part]]:
        """The parts before the bracket, the bracket, its items without separators, its end, and what is behind."""
        closing = {"(": ")", "[": "]", "{": "}"}[opening]
        leaves = [(number, part) for number, part in enumerate(branch.parts) if isinstance(part, Leaf)]
        begin = next((number for number, leaf in leaves if leaf.text == opening), None)
        end = next((number for number, leaf in reversed(leaves) if leaf.text == closing), None)
        if begin is None or end is None:
            raise InternalError(f"`{branch.construct}` has no brackets")
        opener, closer = branch.parts[begin], branch.parts[end]
        assert isinstance(opener, Leaf)
        assert isinstance(closer, Leaf)
        items = [part for part in branch.parts[begin + 1 : end] if not _is_separator(part)]
        return branch.parts[:begin], opener, items, closer, branch.parts[end + 1 :]


def _is_separator(part: Part) -> bool:
    return isinstance(part, Leaf) and part.text in SEPARATORS


def _is_tight(left: Part, right: Part, construct: str) -> bool:
    if construct in _TIGHT_IN:
        return True
    is_after = isinstance(left, Leaf) and left.text in _TIGHT_AFTER and left.type != "TEXT_BLOCK"
    return is_after or (isinstance(right, Leaf) and right.text in _TIGHT_BEFORE)


def opens_behind(part: Part) -> bool:
    """Whether it is one bracket, call or text block, which may open behind what stands before it."""
    return is_text_block(part) or (isinstance(part, Branch) and part.construct in _OPENING and not part.first.before)


def is_text_block(part: Part) -> bool:
    """Whether it is a text block."""
    if isinstance(part, Leaf):
        return part.type == "TEXT_BLOCK"
    return part.construct in ("string_literal", "text") and part.first.type == "TEXT_BLOCK" and not part.first.before
