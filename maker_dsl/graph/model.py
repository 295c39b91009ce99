"""What is drawn: for each task its steps and the ways between them, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

START = "(start)"
DONE = "(done)"
"""Where a task begins and ends: no step can be called so."""

Kind = Literal["start", "asks", "runs", "done"]


@dataclass(frozen=True, slots=True)
class Node:
    """A step, or where a task begins or ends; `lines` say when it is taken and how it asks, in short."""

    name: str
    kind: Kind
    lines: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    """The tasks that the step runs, each once."""

    @property
    def title(self) -> str:
        """What people call it."""
        return self.name.strip("()")


@dataclass(frozen=True, slots=True)
class Edge:
    """`target` may follow `source`; `seen` is how often it did when the references and tests were followed."""

    source: str
    target: str
    seen: int


@dataclass(frozen=True, slots=True)
class TaskGraph:
    """A task: its nodes, from start to done, the steps in the order of the file between them."""

    name: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


@dataclass(frozen=True, slots=True)
class Graph:
    """A task, and behind it all that it runs, each once."""

    tasks: tuple[TaskGraph, ...]
