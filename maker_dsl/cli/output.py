"""What goes where: results to standard output, everything else to standard error."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any, TextIO

import click
import orjson

from maker_dsl.diagnostics import Diagnostic, Severity
from maker_dsl.diagnostics.text import render_all, visible
from maker_dsl.types.canonical import with_large_ints


def result(text: str) -> None:
    """Print a result."""
    click.echo(_harmless(text))


def say(text: str) -> None:
    """Print what is not a result."""
    click.echo(_harmless(text), err=True)


_HARMFUL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def _harmless(text: str) -> str:
    """The text without what would steer a terminal: it may come from a stranger's task or from a model."""
    return _HARMFUL.sub(lambda found: visible(found[0]), text)


def json_result(value: Any) -> None:
    """Print a value as JSON on one line; decimals exact, dates as ISO texts."""
    click.echo(plain(value))


def plain(value: Any) -> str:
    """A value as JSON text for people."""
    return orjson.dumps(with_large_ints(value), default=_json_of).decode()


def count(number: int, singular: str, plural: str | None = None) -> str:
    """`1 error`, `2 errors`, `1,023 steps`."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def say_diagnostics(diagnostics: Iterable[Diagnostic]) -> None:
    """Show diagnostics on standard error."""
    found = list(diagnostics)
    if found:
        # The renderer has made its texts harmless, and colours them.
        click.echo(render_all(found, colour=colour_on(sys.stderr)), err=True)


def summary(diagnostics: Iterable[Diagnostic]) -> str:
    """`2 errors, 1 warning`, or `no problems`."""
    found = list(diagnostics)
    errors = sum(d.severity is Severity.ERROR for d in found)
    warnings = len(found) - errors
    parts = [count(errors, "error")] if errors else []
    parts += [count(warnings, "warning")] if warnings else []
    return ", ".join(parts) or "no problems"


def colour_on(stream: TextIO) -> bool:
    """Whether to colour what goes to a stream: it is a terminal, and nobody asked for none."""
    return stream.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def _json_of(value: object) -> Any:
    if isinstance(value, Decimal):
        return orjson.Fragment(format(value, "f").encode())
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"no JSON for {value!r}")
