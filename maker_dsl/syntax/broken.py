"""How a phase of the parser says that the text can't be read on from a place.

Raised inside the syntax package only; `parse` turns it into a diagnostic and goes on behind the broken entry.
"""

from __future__ import annotations


class Broken(Exception):
    """A mistake at text[start:end]; `is_fatal` when nothing after it can be read."""

    def __init__(
        self,
        code: str,
        title: str,
        start: int,
        end: int,
        label: str = "",
        *,
        help: str | None = None,
        also: tuple[tuple[int, int, str], ...] = (),
        is_fatal: bool = False,
    ) -> None:
        super().__init__(title)
        self.code = code
        self.title = title
        self.start = start
        self.end = end
        self.label = label
        self.help = help
        self.also = also
        self.is_fatal = is_fatal
