"""Places for the nodes and edges of a task: rows from start to done, few crossings, nothing on top of anything else.

After Sugiyama, Tagawa and Toda (1981): edges that lead back are set aside, the others give the rows; an edge over
several rows gets a free place in each; rows are sorted by the middle of their neighbours. Graphs here are small, so the
simplest form of each part does, and no library is needed.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from maker_dsl.graph.model import Edge, Node, TaskGraph

CHARACTER = 7.3
"""The width of a character of the monospaced font, 12 pixels high, in pixels."""

LINE = 17.0
PAD = 12.0
GAP_X = 60.0
"""Between two boxes of a row: room for a loop and its number."""

GAP_Y = 54.0
LANE = 26.0
"""Between two ways back, at the right."""

_PORT = 32.0
"""Between two edges at a box: room for a number."""

_SWEEPS = 12

Point = tuple[float, float]


@dataclass(slots=True)
class Box:
    """A node's place, in pixels; a way that passes through a row has one without a node."""

    node: Node | None
    row: int
    width: float
    height: float
    x: float = 0.0
    y: float = 0.0
    above: list[Box] = field(default_factory=list)
    below: list[Box] = field(default_factory=list)

    @property
    def middle(self) -> float:
        return self.x + self.width / 2


@dataclass(frozen=True, slots=True)
class Way:
    """An edge's path: points to go through, from the bottom of a box to the top of another; a loop has none."""

    edge: Edge
    points: tuple[Point, ...]
    is_back: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """A task's picture."""

    boxes: Mapping[str, Box]
    ways: tuple[Way, ...]
    width: float
    height: float


def lines_of(node: Node) -> tuple[str, ...]:
    """What stands in a node's box."""
    return (node.title, *node.lines)


def text_width(text: str) -> float:
    """In pixels; letters of East Asia are twice as wide."""
    return CHARACTER * sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)


def place(task: TaskGraph) -> Layout:
    """Places for all boxes and ways of a task."""
    back = _leading_back(task)
    forward = [edge for edge in task.edges if edge not in back and edge.source != edge.target]
    rows_of = _rows(task, forward)
    boxes = {
        node.name: Box(
            node,
            rows_of[node.name],
            max(*map(text_width, lines_of(node)), _PORT * _degree(task, node) - 2 * PAD, 0) + 2 * PAD,
            LINE * len(lines_of(node)) + 2 * PAD - 6,
        )
        for node in task.nodes
    }
    rows: list[list[Box]] = [[] for _ in range(max(rows_of.values()) + 1)]
    for box in boxes.values():
        rows[box.row].append(box)
    chains = [_chain(edge, boxes, rows) for edge in forward]
    _sort(rows)
    _set_places(rows)
    right = max(box.x + box.width for row in rows for box in row) + (LANE + 14 if task.edges else 0)
    ports = _Ports(task, boxes, dict(zip(forward, chains, strict=True)))
    ways = [Way(edge, _points(edge, chain, ports), False) for edge, chain in zip(forward, chains, strict=True)]
    for number, edge in enumerate(edge for edge in task.edges if edge in back):
        ways.append(Way(edge, _points_back(edge, boxes, rows, ports, right + LANE * number), True))
    ways += [Way(edge, (), True) for edge in task.edges if edge.source == edge.target]
    height = max(box.y + box.height for row in rows for box in row)
    return Layout(boxes, tuple(ways), right + LANE * len(back) + 30, height + 24)


def _leading_back(task: TaskGraph) -> list[Edge]:
    """Edges to a node that is on the way to their source, found by going down from the first node on."""
    following: dict[str, list[Edge]] = {node.name: [] for node in task.nodes}
    for edge in task.edges:
        following[edge.source].append(edge)
    back: list[Edge] = []
    state: dict[str, int] = {}
    for node in task.nodes:
        stack: list[tuple[str, int]] = [(node.name, 0)] if node.name not in state else []
        while stack:
            name, at = stack.pop()
            state[name] = 1
            if at == len(following[name]):
                state[name] = 2
                continue
            stack.append((name, at + 1))
            edge = following[name][at]
            if state.get(edge.target) == 1 and edge.target != name:
                back.append(edge)
            elif edge.target not in state:
                stack.append((edge.target, 0))
    return back


def _rows(task: TaskGraph, forward: Sequence[Edge]) -> dict[str, int]:
    """Each node below all that lead to it; start first, done last."""
    names = [node.name for node in task.nodes]
    row = {name: 0 if number == 0 else 1 for number, name in enumerate(names)}
    for _ in names:
        for edge in forward:
            row[edge.target] = max(row[edge.target], row[edge.source] + 1)
    row[names[-1]] = max([row[names[-1]], *(row[name] + 1 for name in names[:-1])])
    return row


def _chain(edge: Edge, boxes: Mapping[str, Box], rows: list[list[Box]]) -> list[Box]:
    """The boxes that a forward edge goes through, with a narrow one in each row between."""
    source, target = boxes[edge.source], boxes[edge.target]
    chain = [source]
    for row in range(source.row + 1, target.row):
        passing = Box(None, row, 8.0, 0.0)
        rows[row].append(passing)
        chain.append(passing)
    chain.append(target)
    for upper, lower in pairwise(chain):
        upper.below.append(lower)
        lower.above.append(upper)
    return chain


def _sort(rows: list[list[Box]]) -> None:
    """Rows by the middle of their neighbours' positions, downwards and upwards in turns."""
    for sweep in range(_SWEEPS):
        is_down = sweep % 2 == 0
        for row in rows if is_down else reversed(rows):
            position = {id(box): number for other in rows for number, box in enumerate(other)}

            def middle(box: Box, *, position: Mapping[int, int] = position, is_down: bool = is_down) -> float:
                neighbours = box.above if is_down else box.below
                own = position[id(box)]
                return sum(position[id(one)] for one in neighbours) / len(neighbours) if neighbours else own

            row.sort(key=middle)


def _set_places(rows: list[list[Box]]) -> None:
    y = 0.0
    for row in rows:
        height = max(box.height for box in row)
        x = 0.0
        for box in row:
            box.x, box.y = x, y + (height - box.height) / 2
            if box.node is None:
                box.y, box.height = y, height
            x += box.width + GAP_X
        y += height + GAP_Y
    for sweep in range(6):
        for row in rows if sweep % 2 == 0 else reversed(rows):
            _pull(row, is_down=sweep % 2 == 0)
    left = min(box.x for row in rows for box in row)
    for row in rows:
        for box in row:
            box.x -= left


def _pull(row: list[Box], *, is_down: bool) -> None:
    """Moves each box below (above) the middle of its neighbours, as far as the others leave room."""
    wanted = []
    for box in row:
        neighbours = box.above if is_down else box.below
        middle = sum(one.middle for one in neighbours) / len(neighbours) if neighbours else box.middle
        wanted.append(middle - box.width / 2)
    edge = float("-inf")
    for box, x in zip(row, wanted, strict=True):
        box.x = max(x, edge)
        edge = box.x + box.width + GAP_X
    # What was pushed to the right moves the whole row half of it back.
    shift = sum(box.x - x for box, x in zip(row, wanted, strict=True)) / len(row)
    for box in row:
        box.x -= shift


def _degree(task: TaskGraph, node: Node) -> int:
    """One more than the edges that leave, or enter, at the same side."""
    others = [edge for edge in task.edges if edge.source != edge.target]
    return 1 + max(sum(edge.source == node.name for edge in others), sum(edge.target == node.name for edge in others))


class _Ports:
    """Where edges leave and enter boxes: next to each other, in the order of where they lead; ways back last."""

    def __init__(self, task: TaskGraph, boxes: Mapping[str, Box], chains: Mapping[Edge, list[Box]]) -> None:
        self._places: dict[tuple[Edge, bool], float] = {}
        others = [edge for edge in task.edges if edge.source != edge.target]
        for leaves in (True, False):

            def key(edge: Edge, *, leaves: bool = leaves) -> float:
                return chains[edge][1 if leaves else -2].middle if edge in chains else float("inf")

            for name, box in boxes.items():
                edges = sorted((edge for edge in others if name == (edge.source if leaves else edge.target)), key=key)
                for number, edge in enumerate(edges, 1):
                    self._places[edge, leaves] = box.x + box.width * number / (len(edges) + 1)

    def leaving(self, edge: Edge) -> float:
        return self._places[edge, True]

    def entering(self, edge: Edge) -> float:
        return self._places[edge, False]


def _points(edge: Edge, chain: list[Box], ports: _Ports) -> tuple[Point, ...]:
    points: list[Point] = [(ports.leaving(edge), chain[0].y + chain[0].height)]
    for box in chain[1:-1]:
        points += [(box.middle, box.y), (box.middle, box.y + box.height)]
    return (*points, (ports.entering(edge), chain[-1].y))


def _points_back(
    edge: Edge, boxes: Mapping[str, Box], rows: list[list[Box]], ports: _Ports, lane: float
) -> tuple[Point, ...]:
    """Down into the gap below the row, along it to a lane right of all boxes, up, and into the target from above."""
    source, target = boxes[edge.source], boxes[edge.target]
    bottom = max(box.y + box.height for box in rows[source.row]) + 16
    top = min(box.y for box in rows[target.row]) - 16
    leave, enter = ports.leaving(edge), ports.entering(edge)
    return (
        (leave, source.y + source.height),
        (leave, bottom),
        (lane, bottom),
        (lane, top),
        (enter, top),
        (enter, target.y),
    )
