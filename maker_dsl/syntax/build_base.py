"""What all builders of nodes share: the text, spans in the file, names and texts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from maker_dsl.diagnostics import Span
from maker_dsl.syntax import tree
from maker_dsl.syntax.lexer import Token
from maker_dsl.syntax.texts import Written, read_block, read_string

Children = list[Any]
SpanOf = Callable[[int, int], Span]


class BuilderBase:
    """Builds nodes over `text`; `span_of` makes a span of the file from offsets in `text`.

    `read_format` splits the format text of a reply, which has a grammar of its own.
    """

    def __init__(
        self, text: str, span_of: SpanOf, read_format: Callable[[tree.Text], tuple[str | tree.Hole, ...]]
    ) -> None:
        self._source_text = text
        self._span_of = span_of
        self._read_format = read_format

    def __call__(self, construct: str, children: Children, start: int, end: int) -> Any:
        return getattr(self, f"_{construct}")(children, self._span_of(start, end))

    def _written(self, token: Token) -> Written:
        read = read_block if token.type == "TEXT_BLOCK" else read_string
        return read(self._source_text, token.start, token.end)

    def _name_of(self, token: Token) -> tree.Identifier:
        return tree.Identifier(self._span_of(token.start, token.end), token.text)

    def _name_or_none(self, token: Token | None) -> tree.Identifier | None:
        return None if token is None else self._name_of(token)

    def _text(self, children: Children, span: Span) -> tree.Text:
        written = self._written(children[0])
        pieces = tuple((index, self._span_of(offset, offset).start) for index, offset in written.pieces)
        return tree.Text(span, written.value, pieces)


def present(children: Children) -> tuple[Any, ...]:
    return tuple(child for child in children if child is not None)
