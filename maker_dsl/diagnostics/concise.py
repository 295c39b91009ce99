"""Diagnostics one to a line, for editors and grep: `file:line:column: error MK201: title (help: …)`."""

from __future__ import annotations

from maker_dsl.diagnostics.diagnostic import Diagnostic
from maker_dsl.diagnostics.text import visible


def render(diagnostic: Diagnostic) -> str:
    """The diagnostic as one line, ending in a line break."""
    span = diagnostic.primary.span
    position = span.source.position(span.start)
    place = f"{span.source.name}:{position.line}:{position.column}"
    help_text = f" (help: {' '.join(diagnostic.help.split())})" if diagnostic.help else ""
    return visible(f"{place}: {diagnostic.severity.value} {diagnostic.code}: {diagnostic.title}{help_text}") + "\n"
