"""Goes on behind a mistake."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from maker_dsl.diagnostics import Label, Problems, Source, Span
from maker_dsl.syntax.automaton import Unexpected
from maker_dsl.syntax.broken import Broken
from maker_dsl.syntax.wording import of_unexpected


def read_on(source: Source, problems: Problems, attempt: Callable[[str], Any]) -> Any:
    try:
        return attempt(source.text)
    except Unexpected as unexpected:
        report(source, problems, of_unexpected(source.text, unexpected))
    except Broken as broken:
        report(source, problems, broken)
    return None


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
