"""What people call a step: `3`, `3/left/2`, `3/rows.4/2`; all numbers from 1.

Used by the command line, the Python API and `story`. `frame` makes the same texts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_HOP = r"[1-9][0-9]{0,17}/[A-Za-z_][A-Za-z_0-9]*(?:\.[1-9][0-9]{0,17})?/"
_ADDRESS = re.compile(rf"((?:{_HOP})*)([1-9][0-9]{{0,17}})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Address:
    """A step of the run or of a sub-run: `path` is what stands before its number."""

    path: str
    index: int
    """From 0."""

    @property
    def root_index(self) -> int:
        """The index of the run's own step that it is below, or is."""
        return int(self.path.partition("/")[0]) - 1 if self.path else self.index

    def __str__(self) -> str:
        return f"{self.path}{self.index + 1}"


def parse_address(text: str) -> Address:
    """The step that a text names; raises ValueError."""
    found = _ADDRESS.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no step such as 3, 3/left/2 or 3/rows.4/2")
    return Address(found[1], int(found[2]) - 1)
