"""Which plots a report has, and what they say. Used by `page`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from maker_dsl.engine.odds import MOST_ROUNDS
from maker_dsl.reporting.bins import Stretch
from maker_dsl.reporting.facts import Facts
from maker_dsl.reporting.plots import Series, bar_plot, line_plot

STYLES = ("first", "second")
"""The classes of the runs, in their order."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A plot, its heading, and how to read it."""

    title: str
    svg: str
    caption: str


def figures(runs: Sequence[Facts]) -> list[Figure]:
    """All plots that there is something to show in."""
    found = [_votes(runs), _undecided(runs), _flags(runs), _samples(runs), _latency(runs), _cost(runs)]
    return [figure for figure in found if figure.svg]


def _votes(runs: Sequence[Facts]) -> Figure:
    places = sorted({votes for run in runs for votes, _ in run.votes_to_decide})
    labels = [f"{votes}+" if votes == MOST_ROUNDS else str(votes) for votes in places]
    series = [
        Series(run.origin.run, [(places.index(votes), steps) for votes, steps in run.votes_to_decide], style)
        for run, style in zip(runs, STYLES, strict=False)
    ]
    title = "Votes to decide a step"
    return Figure(
        title, bar_plot(title, "votes", labels, series), "Steps by the votes that were counted; note the scale."
    )


def _undecided(runs: Sequence[Facts]) -> Figure:
    series = []
    for run, style in zip(runs, STYLES, strict=False):
        shown = [one for one in run.undecided if one.theory >= 1e-3 or one.seen]
        series.append(Series(run.origin.run, [(one.votes, one.seen) for one in shown], style))
        series.append(Series(run.origin.run, [(one.votes, one.theory) for one in shown], style, is_theory=True))
    title = "Steps undecided after so many votes"
    caption = (
        "Dashed: what theory expects if every vote were right with the same chance and wrong ones agreed. A tail above "
        "it means that some steps are harder than others, or that their errors are not independent."
    )
    return Figure(title, line_plot(title, "votes", series, logarithmic=True), caption)


def _flags(runs: Sequence[Facts]) -> Figure:
    title = "Flagged samples over time"
    svg = line_plot(title, "steps decided", _over_time(runs, lambda one: _share(100 * one.flags, one.samples)))
    return Figure(title, svg, "Percent of samples; each point is a stretch of steps.")


def _samples(runs: Sequence[Facts]) -> Figure:
    title = "Contested steps over time"
    svg = line_plot(
        title, "steps decided", _over_time(runs, lambda one: _share(100 * one.contested, one.last - one.first + 1))
    )
    return Figure(title, svg, "Percent of steps decided against votes for something else.")


def _latency(runs: Sequence[Facts]) -> Figure:
    title = "Latency of calls over time"
    if not any(run.latency.largest_s >= 0.001 for run in runs):
        return Figure(title, "", "")
    svg = line_plot(title, "steps decided", _over_time(runs, lambda one: _share(one.latency_s, one.calls)))
    return Figure(title, svg, "Mean seconds of a call.")


def _cost(runs: Sequence[Facts]) -> Figure:
    title = "Cost"
    series = []
    for run, style in zip(runs, STYLES, strict=False):
        spent, points = 0.0, [(0.0, 0.0)]
        for one in run.stretches:
            spent += one.cost_usd
            points.append((float(one.last), spent))
        if spent:
            series.append(Series(run.origin.run, points, style))
    return Figure(title, line_plot(title, "steps decided", series), "USD spent so far.")


def _over_time(runs: Sequence[Facts], value: Callable[[Stretch], float]) -> list[Series]:
    return [
        Series(run.origin.run, [((one.first + one.last) / 2, value(one)) for one in run.stretches], style)
        for run, style in zip(runs, STYLES, strict=False)
    ]


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
