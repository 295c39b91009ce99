"""How a step's reply is written, as data: the three notations and the four places.

Made by the compiler with concrete types, and by the checker with erased ones (the checks look at no bounds).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from maker_dsl.types.type import RecordType, Type


@dataclass(frozen=True, slots=True)
class HoleSpec:
    """`{name: T}` in a format text."""

    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class FormatText:
    """`reply "move = {move: Move}"`: literal pieces (braces already single) and holes in order."""

    pieces: tuple[str | HoleSpec, ...]


@dataclass(frozen=True, slots=True)
class JsonObject:
    """`reply json { move: Move }`."""

    type: RecordType


@dataclass(frozen=True, slots=True)
class LarkGrammar:
    r"""`reply grammar \"\"\"…\"\"\" { move: Move }`: rules or terminals named like the members give their values."""

    text: str
    type: RecordType


Notation = FormatText | JsonObject | LarkGrammar


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the model's text the reply stands; `tag` only with kind "tag"."""

    kind: Literal["end", "whole", "fenced", "tag"]
    tag: str | None = None


AT_END = Place("end")
