"""What the layouts of all constructs share: words with the right gaps, brackets, lists of items."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from maker_dsl.errors import InternalError
from maker_dsl.formatting.concrete import SEPARATORS, Branch, Leaf, Part
from maker_dsl.formatting.documents import (
    EMPTY,
    SPACE,
    TIGHT,
    Doc,
    Line,
    Sign,
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


@dataclass(frozen=True, slots=True)
class Bracketed:
    """A construct around its brackets: what stands before, the items without separators, what stands behind."""

    before: list[Part]
    opening: Leaf
    items: list[Part]
    closing: Leaf
    behind: list[Part]


class LayoutBase:
    """One method, called `_construct`, for each construct with a layout of its own; others are words in a row."""

    def __init__(self, text: str) -> None:
        self._source = text

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
        found: Bracketed,
        *,
        pad: str = "",
        between: str = ",",
        fill: bool = False,
        each: Callable[[Part], Doc] | None = None,
    ) -> Doc:
        """Items in brackets: on one line, or each on its own where they don't fit or the author opened the bracket.

        `between` stands behind an item also where it ends its line; with `fill` as many items as fit share a line.
        """
        if not found.items and not found.closing.before:
            return concat(self.layout(found.opening), self.layout(found.closing))
        inside: list[Doc] = []
        for number, item in enumerate(found.items):
            first = item.first if isinstance(item, Branch) else item
            has_blank = number > 0 and first.blank_above
            # The comments above an item don't open it.
            above, comments = first.before, self._comments_before(first)
            first.before = []
            laid_out = concat(*comments, (each or self.layout)(item))
            first.before = above
            if number == 0:
                inside += [Line(pad), laid_out]
                continue
            line = Line(" " if between else ", ", has_blank)
            inside.append(Sign(between) if between else EMPTY)
            inside.append(group(line, laid_out) if fill else concat(line, laid_out))
        return self._enclosed(found, concat(*inside), pad)

    def _assigned(self, head: Doc, part: Part, *, keeps: bool = False) -> Doc:
        """`head value`: the value behind the head if it fits; else on the next line; else it opens behind the head.

        With `keeps`, a value that the author put on the next line stays there.
        """
        laid_out = self.layout(part)
        first = part if isinstance(part, Leaf) else part.first
        if is_text_block(part):
            return concat(head, SPACE, laid_out)
        return concat(head, value(laid_out, opens=opens_behind(part), is_below=keeps and first.starts_line))

    def _enclosed(self, found: Bracketed, inside: Doc, pad: str = "") -> Doc:
        """What is in brackets, already with the place to break before it."""
        closing = found.closing
        comments = self._comments_before(closing)
        if comments:
            inside = concat(inside, Line("", closing.blank_above and inside is not EMPTY), *comments)
        closing_doc = concat(Text(closing.text), *map(trailing, closing.after))
        parts = (self.layout(found.opening), indent(inside), Line(pad) if pad else TIGHT, closing_doc)
        return forced_group(*parts) if self._is_opened(found) else group(*parts)

    def _is_opened(self, found: Bracketed) -> bool:
        """Whether the author put what follows the bracket on a new line."""
        behind = self._source[found.opening.end : found.closing.start].lstrip(" \t\r")
        return behind.startswith(("\n", "#"))

    @staticmethod
    def _split(branch: Branch, opening: str) -> Bracketed:
        """A construct at its outermost brackets, which begin with `opening`."""
        parts = branch.parts
        closing = {"(": ")", "[": "]", "{": "}"}[opening]
        begin = next((at for at, part in enumerate(parts) if _is_sign(part, opening)), len(parts))
        end = next((at for at in range(len(parts) - 1, begin, -1) if _is_sign(parts[at], closing)), len(parts))
        if end == len(parts):
            raise InternalError(f"`{branch.construct}` has no brackets")
        opener, closer = parts[begin], parts[end]
        assert isinstance(opener, Leaf)
        assert isinstance(closer, Leaf)
        items = [part for part in parts[begin + 1 : end] if not isinstance(part, Leaf) or part.text not in SEPARATORS]
        return Bracketed(parts[:begin], opener, items, closer, parts[end + 1 :])


def _is_sign(part: Part, sign: str) -> bool:
    return isinstance(part, Leaf) and part.text == sign


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
