"""Plots: whatever the numbers, what is drawn lies in the picture and can be read."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_lab import elements, parsed

from maker_dsl.reporting.facts import Facts
from maker_dsl.reporting.figures import figures
from maker_dsl.reporting.gathering import gather
from maker_dsl.reporting.plots import Series, bar_plot, line_plot

SIZES = st.floats(0, 1e12, allow_nan=False).map(lambda size: 0.0 if size < 1e-6 else size)
POINTS = st.lists(st.tuples(st.integers(0, 10**6).map(float), SIZES), max_size=30)


def coordinates(svg: str) -> tuple[list[float], list[float]]:
    """Everything drawn, by x and by y."""
    pairs = re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", svg)
    across = [float(x) for x, _ in pairs] + [float(x) for x in re.findall(r' (?:c?x|x[12])="(-?[\d.]+)"', svg)]
    up = [float(y) for _, y in pairs] + [float(y) for y in re.findall(r' (?:c?y|y[12])="(-?[\d.]+)"', svg)]
    return across, up


def assert_fits(svg: str) -> None:
    if not svg:
        return
    parsed(f"<!DOCTYPE html><title>x</title>{svg}")
    across, up = coordinates(svg)
    assert all(0 <= x <= 461 for x in across)
    assert all(0 <= y <= 240 for y in up)


@given(POINTS, POINTS, st.booleans())
def test_lines_stay_in_the_picture(one: list[tuple[float, float]], two: list[tuple[float, float]], log: bool) -> None:
    svg = line_plot("a <plot>", "steps", [Series("one", one, "first"), Series("two", two, "second")], logarithmic=log)
    assert bool(svg) == any(y > 0 or not log for _, y in [*one, *two])
    assert_fits(svg)


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=80))
def test_bars_stay_in_the_picture(numbers: list[int]) -> None:
    points = [(float(place), float(number)) for place, number in enumerate(numbers)]
    svg = bar_plot("a plot", "votes", [str(place) for place in range(len(numbers))], [Series("one", points, "first")])
    assert bool(svg) == any(numbers)
    assert_fits(svg)
    if svg:
        bars = [
            element for name, element in elements(parsed(f"<!DOCTYPE html><title>x</title>{svg}")) if name == "rect"
        ]
        assert len(bars) == sum(number > 0 for number in numbers)
        assert all(float(bar.attrib["height"]) > 0 for bar in bars)


def slow_run() -> Facts:
    """A run whose calls took time."""
    from engine_lab import countdown, load_countdown, memory_world, new_run, only_run

    from maker_dsl.engine.start import ProviderSetup
    from maker_dsl.providers.clock import run_virtually
    from maker_dsl.providers.scripted import Answer, ScriptedProvider

    world = memory_world()

    async def work() -> None:
        def script(request: object) -> Answer:
            index = request.question.index  # type: ignore[attr-defined]
            return Answer((f"next = {19 - index}",), delay_s=0.5 + 0.1 * (index % 5))

        provider = ScriptedProvider(script, clock=world.clock)
        await new_run(countdown(20), ProviderSetup(provider), world).go()

    run_virtually(work())
    return gather(only_run(world.disk), load_countdown())


def test_latency_is_told_and_drawn() -> None:
    facts = slow_run()
    assert facts.latency.calls == 60
    assert 0.7 <= facts.latency.median_s <= 0.7 * 10**0.2
    assert facts.latency.largest_s == pytest.approx(0.9)
    assert sum(one.latency_s for one in facts.stretches) == pytest.approx(60 * 0.7)
    assert "Latency of calls over time" in [figure.title for figure in figures([facts])]
