"""Bad news about a text that somebody wrote: a value, collected, never raised.

Made by the parser, the checker and the profile loader; shown by the renderers beside this file.
Every code has a page in `pages/`, which `maker explain` shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum

from maker_dsl.diagnostics.source import Source, Span


class Severity(Enum):
    """An error keeps a task from running; a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Label:
    """A place in a source and what to say beside it (may be empty)."""

    span: Span
    text: str = ""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding: a stable code, a title, where, what else to look at, and how to mend it."""

    code: str
    title: str
    primary: Label
    secondary: tuple[Label, ...] = ()
    help: str | None = None
    severity: Severity = Severity.ERROR


class Problems:
    """Collects diagnostics of a phase, so that it can report all it can."""

    def __init__(self) -> None:
        self._found: list[Diagnostic] = []
        self._places: set[tuple[str, Source, int, int]] = set()

    def add(
        self,
        code: str,
        title: str,
        span: Span,
        label: str = "",
        *,
        also: Iterable[Label] = (),
        help: str | None = None,
        severity: Severity = Severity.ERROR,
    ) -> None:
        """Report one finding; the same code at the same place is kept once."""
        diagnostic = Diagnostic(code, title, Label(span, label), tuple(also), help, severity)
        if _place(diagnostic) not in self._places:
            self.extend((diagnostic,))

    def extend(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Take over diagnostics of another phase."""
        for diagnostic in diagnostics:
            self._found.append(diagnostic)
            self._places.add(_place(diagnostic))

    def __iter__(self) -> Iterator[Diagnostic]:
        return iter(self.sorted())

    def __len__(self) -> int:
        return len(self._found)

    @property
    def has_errors(self) -> bool:
        """Whether anything found keeps the task from running."""
        return any(d.severity is Severity.ERROR for d in self._found)

    def sorted(self) -> tuple[Diagnostic, ...]:
        """All findings in the order of their places in the text."""
        return tuple(sorted(self._found, key=lambda d: (d.primary.span.source.name, d.primary.span.start)))


def _place(diagnostic: Diagnostic) -> tuple[str, Source, int, int]:
    span = diagnostic.primary.span
    return (diagnostic.code, span.source, span.start, span.end)


LEAST_BEGINNING = 3
"""So many letters of a name tell what it may be the beginning of."""


def did_you_mean(name: str, known: Iterable[str], otherwise: str | None = None) -> str | None:
    """A `help:` text for a misspelt name: the nearest known one, else `otherwise`."""
    names = list(known)
    begun = [one for one in names if len(name) >= LEAST_BEGINNING and one.startswith(name)]
    near = get_close_matches(name, names, n=1, cutoff=0.63) or (begun if len(begun) == 1 else [])
    return f"did you mean `{near[0]}`?" if near else otherwise
