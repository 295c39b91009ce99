"""Makes the nodes of types."""

from __future__ import annotations

from typing import Any

from maker_dsl.diagnostics import Span
from maker_dsl.syntax import tree
from maker_dsl.syntax.broken import Broken
from maker_dsl.syntax.build_base import BuilderBase, Children, present
from maker_dsl.syntax.lexer import Token
from maker_dsl.syntax.texts import Written


class TypeBuilder(BuilderBase):
    """One method for each construct of a type."""

    def _type_optional(self, children: Children, span: Span) -> tree.TypeOptional:
        return tree.TypeOptional(span, children[0])

    def _type_name(self, children: Children, span: Span) -> tree.TypeName:
        return tree.TypeName(span, children[0].text)

    def _type_range(self, children: Children, span: Span) -> tree.TypeRange:
        name, (low, high) = children
        return tree.TypeRange(span, self._type_name([name], self._span_of(name.start, name.end)), low, high)

    def _type_matching(self, children: Children, span: Span) -> tree.TypeString:
        name, pattern, max_length = children
        _string_only(name, "matching")
        begin, stop = pattern.start + 1, pattern.end - 1
        written = _unescape_slashes(self._source_text, begin, stop)
        pieces = tuple((index, self._span_of(offset, offset).start) for index, offset in written.pieces)
        return tree.TypeString(
            span, tree.Text(self._span_of(pattern.start, pattern.end), written.value, pieces), max_length
        )

    def _type_up_to(self, children: Children, span: Span) -> tree.TypeString:
        _string_only(children[0], "up to")
        return tree.TypeString(span, None, children[1])

    def _type_enum(self, children: Children, span: Span) -> tree.TypeEnum:
        return tree.TypeEnum(span, tuple(children))

    def _type_list(self, children: Children, span: Span) -> tree.TypeList:
        item, bounds = children
        low, high = bounds if bounds is not None else (None, None)
        return tree.TypeList(span, item, low, high)

    def _type_map(self, children: Children, span: Span) -> tree.TypeMap:
        return tree.TypeMap(span, children[0], children[1])

    def _type_record(self, children: Children, span: Span) -> tree.TypeRecord:
        return tree.TypeRecord(span, present(children))

    def _type_tuple(self, children: Children, span: Span) -> tree.TypeTuple:
        return tree.TypeTuple(span, present(children))

    def _type_group(self, children: Children, span: Span) -> Any:
        return children[0]

    def _bounds(self, children: Children, span: Span) -> tuple[Any, Any]:
        return children[0], children[1]

    def _bounds_to(self, children: Children, span: Span) -> tuple[Any, Any]:
        return None, children[0]

    def _size(self, children: Children, span: Span) -> tuple[Any, Any]:
        return children[0], children[0]

    def _member(self, children: Children, span: Span) -> tree.TypeMember:
        return tree.TypeMember(span, self._name_of(children[0]), children[1])


def _string_only(name: Token, what: str) -> None:
    if name.text != "string":
        raise Broken(
            "MK115",
            f"`{what}` belongs to `string`, not to `{name.text}`",
            name.start,
            name.end,
            help="bounds of numbers are written `in 0..9`",
        )


def _unescape_slashes(text: str, begin: int, stop: int) -> Written:
    """The pattern between the slashes: `\\/` is a slash, everything else stays as it is."""
    parts: list[str] = []
    pieces: list[tuple[int, int]] = []
    length = 0
    at = begin
    while at < stop:
        found = text.find("\\", at, stop - 1)
        while found >= 0 and text[found + 1] != "/":
            found = text.find("\\", found + 2, stop - 1)
        cut = stop if found < 0 else found
        if cut > at:
            pieces.append((length, at))
            parts.append(text[at:cut])
            length += cut - at
        if found >= 0:
            pieces.append((length, found))
            parts.append("/")
            length += 1
            cut += 2
        at = cut
    pieces.append((length, stop))
    return Written("".join(parts), tuple(pieces))
