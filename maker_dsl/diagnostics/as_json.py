"""Diagnostics as JSON data, for programs. Lines and columns count from 1, columns in characters, ends excluded."""

from __future__ import annotations

from typing import Any

from maker_dsl.diagnostics.diagnostic import Diagnostic, Label


def as_json(diagnostic: Diagnostic) -> dict[str, Any]:
    """The diagnostic as a dict that `json.dumps` takes; secondary labels have the same place keys."""
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity.value,
        "title": diagnostic.title,
        **_place(diagnostic.primary),
        "help": diagnostic.help,
        "secondary": [_place(label) for label in diagnostic.secondary],
    }


def _place(label: Label) -> dict[str, Any]:
    source = label.span.source
    start, end = source.position(label.span.start), source.position(label.span.end)
    return {
        "file": source.name,
        "line": start.line,
        "column": start.column,
        "end_line": end.line,
        "end_column": end.column,
        "label": label.text,
    }
