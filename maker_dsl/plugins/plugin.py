"""What a plug-in is: the one thing that its author makes.

A checker is a deterministic Python function over plain values with annotations, such as
`def equivalent(left: str, right: str) -> bool`. What it says is taken at its word and must be the same on any machine:
no clock, no randomness, no network, no files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

GROUP = "maker_dsl.checkers"
"""The group of entry points in which plug-ins are found."""

DEFAULT_TIME_LIMIT_S = 10.0


class CannotJudge(Exception):
    """A checker can't say: what it was given is no formula, or more than it is made for. The reply is flagged."""


@dataclass(frozen=True, slots=True)
class CheckerPlugin:
    """A plug-in: its checkers by name, and how long one call of them may take, in seconds.

    `version` is kept by runs; a run is not resumed with another version unless somebody allows it anew.
    """

    version: str
    functions: Mapping[str, Callable[..., object]]
    time_limit_s: float = DEFAULT_TIME_LIMIT_S
