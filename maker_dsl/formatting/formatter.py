"""From a text to its canonical layout, which is held against the original before anybody sees it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

from msgspec import Struct

from maker_dsl.diagnostics import Problems, Source
from maker_dsl.errors import InternalError
from maker_dsl.formatting.concrete import Concrete, read_concrete
from maker_dsl.formatting.layout_entries import EntryLayout
from maker_dsl.formatting.layout_expressions import ExpressionLayout
from maker_dsl.formatting.layout_types import TypeLayout
from maker_dsl.formatting.rendering import render
from maker_dsl.syntax.parser import parse
from maker_dsl.syntax.tree import Node, Text

WIDTH = 120
"""How long a line may be where it can be broken."""


class Layout(EntryLayout, TypeLayout, ExpressionLayout):
    """Lays out everything: entries and blocks, types, expressions."""


def format_text(source: Source, problems: Problems) -> str | None:
    """The text in canonical layout; None where it can't be read, then `problems` says why.

    Raises InternalError where the new text would mean something else, or lose a comment: that is a bug.
    """
    before = parse(source, problems)
    if before is None or problems.has_errors:
        return None
    concrete = read_concrete(source.text)
    text = render(Layout(source.text, WIDTH).file(concrete), WIDTH)
    if text != source.text:
        _hold(before, concrete, source.name, text)
    return text


def _hold(before: Node, concrete: Concrete, name: str, text: str) -> None:
    problems = Problems()
    after = parse(Source(name, text), problems)
    if after is None or problems.has_errors:
        raise InternalError(f"the new layout of {name} can't be read: {[found.title for found in problems]}")
    for left, right in zip_longest(_shape(before), _shape(after)):
        if left != right:
            raise InternalError(f"the new layout of {name} means something else: {left!r} became {right!r}")
    again = read_concrete(text)
    if concrete.comments != again.comments or concrete.words != again.words:
        raise InternalError(f"the new layout of {name} loses or moves a word or a comment")


def _shape(tree: Node) -> Iterator[object]:
    """A tree without its places, as a flat row."""
    waiting: list[object] = [tree]
    while waiting:
        current = waiting.pop()
        if isinstance(current, Text):
            yield current.value
        elif isinstance(current, Struct):
            yield type(current).__name__
            waiting.extend(getattr(current, name) for name in current.__struct_fields__ if name != "span")
        elif isinstance(current, tuple):
            yield len(current)
            waiting.extend(current)
        else:
            yield current
