"""`maker plan -o FILE.svg`: chance of success and cost over the margin, for every model, as a picture of its own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import log10
from xml.sax.saxutils import escape

from maker_dsl.cli.plan_text import number_text, share_text, usd_text
from maker_dsl.engine.planning import Plan, Row

_STYLE = """
    text { font: 12px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace; fill: #24292f }
    .title { font-weight: bold; font-size: 14px } .small { fill: #57606a }
    .bar { fill: #8c959f } .chosen { fill: #1f6feb } .line { stroke: #57606a; stroke-width: 1 }
    .target { stroke: #cf222e; stroke-dasharray: 4 3; stroke-width: 1.2 }
    .back { fill: #ffffff }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3 } .small { fill: #9198a1 } .line { stroke: #9198a1 } .back { fill: #0d1117 }
    }
"""
_UNFIT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MARGIN, _LABEL, _PLOT, _ROW, _CHART = 24.0, 110.0, 360.0, 24.0, 66.0
_LETTER = 8.0
"""How wide a letter is at most."""
_MOST_NINES = 12.0


def plan_svg(plans: Sequence[Plan]) -> str:
    """A panel for each model: a bar for every margin, as long as the nines of its chance of success."""
    longest = max(len(text) for plan in plans for text in (plan.model.name, _about(plan)))
    width = 2 * _MARGIN + max(_LABEL + _PLOT + 380, _LETTER * longest)
    height = _MARGIN + sum(_CHART + _ROW * len(plan.rows) for plan in plans)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}"'
        f' viewBox="0 0 {width:.0f} {height:.0f}" role="img">',
        "  <title>maker plan: chance of success and cost by margin</title>",
        f"  <style>{_STYLE}  </style>",
        f'  <rect class="back" width="{width:.0f}" height="{height:.0f}"/>',
    ]
    y = _MARGIN
    for plan in plans:
        lines += [f"  {line}" for line in _panel(plan, y)]
        y += _CHART + _ROW * len(plan.rows)
    return "\n".join([*lines, "</svg>", ""])


def _panel(plan: Plan, y: float) -> list[str]:
    left = _MARGIN + _LABEL
    lines = [
        _text(_MARGIN, y + 6, plan.model.name, "title"),
        _text(_MARGIN, y + 24, _about(plan), "small"),
    ]
    most = max(1.0, _nines(plan.target), *(_nines(row.success) for row in plan.rows))
    top = y + 36
    for number, row in enumerate(plan.rows):
        at = top + _ROW * number
        kind = "chosen" if row is plan.chosen else "bar"
        length = max(1.0, _PLOT * _nines(row.success) / most)
        lines += [
            _text(_MARGIN, at + 14, f"ahead by {row.margin:,}", "small"),
            f'<rect class="{kind}" x="{left:.1f}" y="{at + 3:.1f}" width="{length:.1f}" height="{_ROW - 8:.1f}"/>',
            _text(left + _PLOT + 12, at + 14, _figures(row)),
        ]
    x = left + _PLOT * _nines(plan.target) / most
    bottom = top + _ROW * len(plan.rows)
    lines.append(f'<line class="target" x1="{x:.1f}" y1="{top - 4:.1f}" x2="{x:.1f}" y2="{bottom:.1f}"/>')
    return lines


def _about(plan: Plan) -> str:
    return f"{plan.steps:,} steps, {share_text(plan.model.p_low)} of votes right, target {share_text(plan.target)}"


def _figures(row: Row) -> str:
    cost = f", {usd_text(row.cost_usd)}" if row.cost_usd is not None else ""
    return f"{share_text(row.success)}, {number_text(row.calls)} calls{cost}"


def _nines(success: float) -> float:
    """How many nines a chance has: 2 for 99 %."""
    return min(_MOST_NINES, -log10(1.0 - success)) if success < 1.0 else _MOST_NINES


def _text(x: float, y: float, text: str, kind: str | None = None) -> str:
    named = "" if kind is None else f' class="{kind}"'
    return f'<text{named} x="{x:.1f}" y="{y:.1f}">{escape(_UNFIT.sub(chr(0xFFFD), text))}</text>'
