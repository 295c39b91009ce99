"""A graph as an SVG picture of its own: no scripts, no fonts from elsewhere, readable on light and dark."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.sax.saxutils import escape

from maker_dsl.graph.layered import LINE, PAD, Box, Layout, Point, Way, lines_of, place, text_width
from maker_dsl.graph.model import Graph, Node, TaskGraph

_MARGIN = 24.0
_TITLE = 30.0

_STYLE = """
    text { font: 12px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace; fill: #24292f }
    .title { font-weight: bold; font-size: 14px }
    .name { font-weight: bold }
    .small { fill: #57606a }
    .box { fill: #f6f8fa; stroke: #57606a; stroke-width: 1.2 }
    .runs { stroke-width: 2.6 }
    .never { stroke-dasharray: 4 3 }
    .way { fill: none; stroke: #57606a; stroke-width: 1.4; marker-end: url(#tip) }
    .possible { stroke-dasharray: 5 4 }
    .tip { fill: #57606a }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3 } .small { fill: #9198a1 } .box { fill: #161b22; stroke: #9198a1 }
      .way { stroke: #9198a1 } .tip { fill: #9198a1 }
    }
"""
_UNFIT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML can't hold."""


def svg(graph: Graph) -> str:
    """The picture: a panel for each task, one below the other."""
    panels = [(task, place(task)) for task in graph.tasks]
    width = max(layout.width for _, layout in panels) + 2 * _MARGIN
    height = sum(layout.height + _TITLE + _MARGIN for _, layout in panels) + _MARGIN
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}"'
        f' viewBox="0 0 {width:.0f} {height:.0f}" role="img">',
        f"  <title>{_escaped(graph.tasks[0].name)}</title>",
        f"  <style>{_STYLE}  </style>",
        '  <defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path class="tip" d="M0 0 L8 4 L0 8 z"/></marker></defs>',
    ]
    y = _MARGIN
    for task, layout in panels:
        lines.append(f'  <text class="title" x="{_MARGIN:.0f}" y="{y + 12:.0f}">{_escaped(task.name)}</text>')
        lines.append(f'  <g transform="translate({_MARGIN:.0f} {y + _TITLE:.0f})">')
        lines += _panel(task, layout)
        lines.append("  </g>")
        y += layout.height + _TITLE + _MARGIN
    return "\n".join([*lines, "</svg>", ""])


def _panel(task: TaskGraph, layout: Layout) -> list[str]:
    reached = {edge.target for edge in task.edges}
    lines = [f"    {_way(way, layout)}" for way in layout.ways]
    for node in task.nodes:
        is_never = node.kind != "start" and node.name not in reached
        lines += [f"    {line}" for line in _box(node, layout.boxes[node.name], is_never=is_never)]
    return lines


def _box(node: Node, box: Box, *, is_never: bool) -> list[str]:
    round_ = box.height / 2 if node.kind in ("start", "done") else 4.0
    kinds = "box" + (" runs" if node.kind == "runs" else "") + (" never" if is_never else "")
    lines = [
        f'<rect class="{kinds}" x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}"'
        f' rx="{min(round_, 18):.1f}"/>'
    ]
    for number, text in enumerate(lines_of(node)):
        y = box.y + PAD + LINE * number + 8
        kind = "small" if number else "name"
        lines.append(
            f'<text class="{kind}" x="{box.middle:.1f}" y="{y:.1f}" text-anchor="middle">{_escaped(text)}</text>'
        )
    return lines


def _way(way: Way, layout: Layout) -> str:
    kinds = "way" if way.edge.seen else "way possible"
    points = way.points
    if not points:
        box = layout.boxes[way.edge.source]
        right, y = box.x + box.width, box.y + box.height / 2
        path = f"M{right:.1f} {y - 9:.1f} c34 -12 34 30 0 18"
        label = (right + 29, y + 4)
    elif way.is_back:
        path = "M" + " L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        label = (points[2][0] + 4, (points[2][1] + points[3][1]) / 2)
    else:
        path = _curve(points)
        (x, y), (to_x, _) = points[0], points[1]
        # At the side that the curve doesn't turn to.
        label = (x - 6 - text_width(str(way.edge.seen)) if to_x > x + 4 else x + 6, y + 16)
    drawn = f'<path class="{kinds}" d="{path}"/>'
    if not way.edge.seen:
        return drawn
    return f'{drawn}<text class="small" x="{label[0]:.1f}" y="{label[1]:.1f}">{way.edge.seen}</text>'


def _curve(points: tuple[Point, ...]) -> str:
    """Bent between rows, straight through them."""
    parts = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for (x, y), (to_x, to_y) in pairwise(points):
        half = (to_y - y) / 2
        parts.append(f"C{x:.1f} {y + half:.1f} {to_x:.1f} {to_y - half:.1f} {to_x:.1f} {to_y:.1f}")
    return " ".join(parts)


def _escaped(text: str) -> str:
    return escape(_UNFIT.sub("\ufffd", text))
