"""Plots as inline SVG: lines and bars, one series for each run. Colours and fonts come from the page's style.

Used by `figures`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from maker_dsl.reporting.escaping import escaped

_WIDTH, _HEIGHT = 460.0, 240.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 52.0, 12.0, 12.0, 40.0
_MOST_LABELS = 14
Scale = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class Series:
    """Points of one run; `style` is the class of their colour. A dashed one is what theory says."""

    name: str
    points: Sequence[tuple[float, float]]
    style: str
    is_theory: bool = False


def line_plot(title: str, across: str, series: Sequence[Series], *, logarithmic: bool = False) -> str:
    """Lines over a common axis. Where the scale is logarithmic, values of 0 are left out."""
    shown = [
        Series(one.name, [point for point in one.points if point[1] > 0 or not logarithmic], one.style, one.is_theory)
        for one in series
    ]
    points = [point for one in shown for point in one.points]
    if not points:
        return ""
    low_x, high_x = min(x for x, _ in points), max(x for x, _ in points)
    x_of = _linear(low_x, high_x, _LEFT, _WIDTH - _RIGHT)
    y_of, ticks = _upward([y for _, y in points], logarithmic)
    parts = [*_grid(ticks, y_of), *_axis(across, [(x, _short(x)) for x in _round_ticks(low_x, high_x)], x_of)]
    for one in shown:
        path = " ".join(
            f"{'L' if number else 'M'}{x_of(x):.1f} {y_of(y):.1f}" for number, (x, y) in enumerate(one.points)
        )
        if path:
            parts.append(f'<path class="line {one.style}{" theory" if one.is_theory else ""}" d="{path}"/>')
        if len(one.points) <= 40 and not one.is_theory:
            parts += [
                f'<circle class="{one.style}" cx="{x_of(x):.1f}" cy="{y_of(y):.1f}" r="2.5"/>' for x, y in one.points
            ]
    return _svg(title, parts)


def bar_plot(title: str, across: str, labels: Sequence[str], series: Sequence[Series]) -> str:
    """Bars side by side for each label, on a logarithmic scale; points are (place of the label, number)."""
    numbers = [y for one in series for _, y in one.points if y > 0]
    if not numbers:
        return ""
    y_of, ticks = _upward([0.5, *numbers], True)
    room = (_WIDTH - _LEFT - _RIGHT) / max(1, len(labels))
    wide = room * 0.8 / max(1, len(series))
    every = ceil(len(labels) / _MOST_LABELS)
    named = [(place + 0.5, label) for place, label in enumerate(labels) if place % every == 0]
    parts = [*_grid(ticks, y_of), *_axis(across, named, lambda place: _LEFT + place * room)]
    for number, one in enumerate(series):
        for place, y in one.points:
            if y <= 0:
                continue
            x, top = _LEFT + (place + 0.1) * room + number * wide, y_of(y)
            parts.append(
                f'<rect class="{one.style}" x="{x:.1f}" y="{top:.1f}" width="{max(1.0, wide - 1):.1f}"'
                f' height="{_HEIGHT - _BOTTOM - top:.1f}"/>'
            )
            if wide >= 22:
                parts.append(_label(x + wide / 2, top - 3, _short(y)))
    return _svg(title, parts)


def _svg(title: str, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDTH:.0f} {_HEIGHT:.0f}" role="img" aria-label="{escaped(title)}">'
        f"<title>{escaped(title)}</title>" + "".join(parts) + "</svg>"
    )


def _label(x: float, y: float, text: str) -> str:
    return f'<text class="small" x="{x:.1f}" y="{y:.1f}" text-anchor="middle">{escaped(text)}</text>'


def _grid(ticks: Sequence[float], y_of: Scale) -> list[str]:
    parts = []
    for tick in ticks:
        y = y_of(tick)
        parts.append(f'<line class="grid" x1="{_LEFT:.0f}" x2="{_WIDTH - _RIGHT:.0f}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(
            f'<text class="small" x="{_LEFT - 5:.0f}" y="{y + 3.5:.1f}" text-anchor="end">{_short(tick)}</text>'
        )
    return parts


def _axis(across: str, labels: Sequence[tuple[float, str]], x_of: Scale) -> list[str]:
    floor_y = _HEIGHT - _BOTTOM
    parts = [f'<line class="axis" x1="{_LEFT:.0f}" x2="{_WIDTH - _RIGHT:.0f}" y1="{floor_y:.1f}" y2="{floor_y:.1f}"/>']
    for place, label in labels:
        parts.append(_label(x_of(place), floor_y + 15, label))
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    parts.append(f'<text x="{middle:.1f}" y="{_HEIGHT - 6:.1f}" text-anchor="middle">{escaped(across)}</text>')
    return parts


def _upward(values: Sequence[float], logarithmic: bool) -> tuple[Scale, list[float]]:
    """The scale of the values, and where its lines are."""
    bottom, top = _HEIGHT - _BOTTOM, _TOP
    if not logarithmic:
        ticks = _round_ticks(0.0, max(values) or 1.0)
        return _linear(0.0, max(max(values), ticks[-1]) or 1.0, bottom, top), ticks
    low, high = floor(log10(min(values))), max(floor(log10(min(values))) + 1, ceil(log10(max(values) * 1.1)))
    linear = _linear(low, high, bottom, top)
    every = max(1, ceil((high - low) / 6))
    return lambda value: linear(log10(value)), [10.0**power for power in range(low, high + 1, every)]


def _linear(low: float, high: float, start: float, end: float) -> Scale:
    span = high - low or 1.0
    return lambda value: start + (value - low) / span * (end - start)


def _round_ticks(low: float, high: float) -> list[float]:
    """About five round numbers from `low` to `high`."""
    span = high - low
    if span <= 0:
        return [low]
    raw = span / 5
    power = 10.0 ** floor(log10(raw))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw * 0.999)
    first = ceil(low / step - 1e-9)
    return [number * step for number in range(first, floor(high / step + 1e-9) + 1)]


def _short(value: float) -> str:
    """`0.05`, `12`, `3.4k`, `2M`."""
    for limit, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= limit:
            return f"{value / (1e3 if letter == 'k' else limit):.3g}{letter}"
    return f"{value:.0f}" if value == int(value) else f"{value:.2g}"
