"""Where to point: the head of a part instead of its whole block."""

from __future__ import annotations

from maker_dsl.diagnostics import Span


def head(span: Span) -> Span:
    """The first word of a part, so that carets don't run over whole blocks."""
    end = span.start
    text = span.source.text
    while end < span.end and (text[end].isalnum() or text[end] == "_"):
        end += 1
    return Span(span.source, span.start, max(end, min(span.start + 1, span.end)))
