"""From text to tree: the first phase of the language.

`parse` reports all the mistakes it can and still gives the tree of what could be read. Whoever goes on with that tree
should look at `problems.has_errors` first: what could not be read is missing from it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from maker_dsl.diagnostics import Problems, Source, Span
from maker_dsl.syntax import automaton, tree
from maker_dsl.syntax.automaton import Unexpected
from maker_dsl.syntax.broken import Broken
from maker_dsl.syntax.build import Builder
from maker_dsl.syntax.formats import split_format
from maker_dsl.syntax.lexer import Lexer
from maker_dsl.syntax.recovery import read_on, report
from maker_dsl.syntax.table import load_table
from maker_dsl.syntax.wording import of_unexpected


def parse(source: Source, problems: Problems) -> tree.TaskFile | None:
    """The tree of a `.maker` file; None when nothing could be read. Never raises on any text."""
    found = read_on(source, problems, lambda text: _attempt(source, text, "task_file"))
    if not isinstance(found, tree.TaskFile):
        return None
    if not found.tasks and not problems.has_errors:
        place = Span(source, len(source.text), len(source.text) + 1)
        problems.add("MK116", "there is no task in this file", place, help="a task is written `task name { … }`")
    return found


def parse_expression(source: Source, problems: Problems) -> tree.Expression | None:
    """The tree of a text that is one expression; None after a mistake."""
    text = source.text
    try:
        found: tree.Expression = _attempt(source, text, "expression")
        return found
    except Unexpected as unexpected:
        report(source, problems, of_unexpected(text, unexpected))
    except Broken as broken:
        report(source, problems, broken)
    return None


def parse_fields(source: Source, text: str, problems: Problems) -> tuple[tree.TypeMember, ...] | None:
    """The fields `{ name: type, … }` that a grammar file declares; None after a mistake.

    `text` has the same places as the source, with blanks for all that is not part of the declaration.
    """
    try:
        found: tuple[tree.TypeMember, ...] = _attempt(source, text, "fields")
        return found
    except Unexpected as unexpected:
        report(source, problems, of_unexpected(text, unexpected))
    except Broken as broken:
        report(source, problems, broken)
    return None


def _attempt(source: Source, text: str, start: str) -> Any:
    def span_of(begin: int, end: int) -> Span:
        return Span(source, begin, end)

    return _run(text, start, span_of, lambda format_text: split_format(format_text, parse_hole_of(format_text)))


def _run(
    text: str,
    start: str,
    span_of: Callable[[int, int], Span],
    read_format: Callable[[tree.Text], tuple[str | tree.Hole, ...]],
) -> Any:
    table = load_table()
    lexer = Lexer(text, table, within_brackets=start != "task_file")
    return automaton.run(table, start, lexer, Builder(text, span_of, read_format))


def parse_hole_of(format_text: tree.Text) -> Callable[[str, int], tree.TypeMember]:
    """A parser of the holes of one format text, whose nodes point into the file."""

    def parse_hole(inside: str, index: int) -> tree.TypeMember:
        def span_of(begin: int, end: int) -> Span:
            return format_text.part(index + begin, index + end)

        def no_format(_: tree.Text) -> tuple[str | tree.Hole, ...]:
            raise AssertionError("no reply stands in a hole")

        try:
            member: tree.TypeMember = _run(inside, "member", span_of, no_format)
        except Broken as broken:
            raise _moved(broken, span_of) from None
        except Unexpected as unexpected:
            raise _moved(of_unexpected(inside, unexpected, in_hole=True), span_of) from None
        return member

    return parse_hole


def _moved(broken: Broken, span_of: Callable[[int, int], Span]) -> Broken:
    span = span_of(broken.start, broken.end)
    also = tuple((span_of(a, b).start, span_of(a, b).end, label) for a, b, label in broken.also)
    return Broken(broken.code, broken.title, span.start, span.end, broken.label, help=broken.help, also=also)
