"""The table of `maker plan` for people: the figures of the chosen margin, and those around it, for every model."""

from __future__ import annotations

from collections.abc import Sequence

from maker_dsl.cli.output import count
from maker_dsl.engine.planning import Model, Plan, Row

_HEADS = ("model", "margin", "success", "votes/step", "calls", "tokens in", "tokens out", "cost", "time")


RARE = 0.01
"""A chance below it that a run stops undecided is not spoken of."""


def plan_lines(plans: Sequence[Plan], concurrency: int | None, max_samples: int) -> list[str]:
    """The whole report, line by line."""
    lines: list[str] = []
    for plan in plans:
        lines += [*_about(plan, concurrency, max_samples), ""]
    if plans:
        lines += _table(plans)
    return lines


def _about(plan: Plan, concurrency: int | None, max_samples: int) -> list[str]:
    model, chosen = plan.model, plan.chosen
    lines = [
        f"{model.name}: {count(plan.steps, 'step')}, {_right(model)}, {share_text(model.passing)} of replies pass",
        f"  ahead by {chosen.margin:,} succeeds with a chance of {share_text(chosen.success)}, "
        f"and {share_text(plan.target)} is wanted",
    ]
    if chosen.success_as_measured is not None and model.measured != "given":
        lines.append(f"  with what was measured, without caution: {share_text(chosen.success_as_measured)}")
    if model.measured == "agreement":
        lines.append("  what counts as right is what most samples agreed on: errors that samples share were not seen")
    if model.uneven:
        lines.append("  its steps are not all alike: hard ones go wrong more often than this average says")
    if chosen.undecided >= RARE:
        lines.append(
            f"  with at most {count(max_samples, 'sample')} a step it stops undecided with a chance of "
            f"{share_text(chosen.undecided)}: raise `--max-samples`, here and of the run"
        )
    if chosen.seconds is not None:
        places = "as many calls at a time as a step can use" if concurrency is None else f"{concurrency:,} at a time"
        lines.append(f"  time: steps one after the other, {places}, every call as long as the mean")
    return lines


def _right(model: Model) -> str:
    if model.measured == "given":
        return f"{share_text(model.p)} of votes right"
    return f"{share_text(model.p)} of votes right, {share_text(model.p_low)} at least (what the plan counts on)"


def _table(plans: Sequence[Plan]) -> list[str]:
    table = [list(_HEADS)]
    for plan in plans:
        for row in plan.rows:
            mark = " *" if row is plan.chosen else ""
            table.append([plan.model.name, f"{row.margin:,}{mark}", *cells(row)])
    widths = [max(len(line[column]) for line in table) for column in range(len(_HEADS))]
    lines = []
    for line in table:
        padded = (
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        lines.append("  ".join(padded).rstrip())
    return [*lines, "* the smallest margin that reaches the target"]


def cells(row: Row) -> list[str]:
    """A row's figures after its margin, for text and picture."""
    return [
        share_text(row.success),
        f"{row.votes_per_step:,.3f}",
        number_text(row.calls),
        number_text(row.tokens_in),
        number_text(row.tokens_out),
        usd_text(row.cost_usd),
        time_text(row.seconds),
    ]


def share_text(share: float) -> str:
    """`99.97 %`; never rounded up to all or down to none."""
    if share in (0.0, 1.0):
        return f"{share * 100:.0f} %"
    if share > 0.5:
        digits = 2
        while digits < 14 and float(f"{100 * share:.{digits}f}") >= 100:
            digits += 2
        shown = f"{100 * share:.{digits}f}"
        return f"{shown} %" if float(shown) < 100 else "more than 99.9999999999 %"
    return f"{100 * share:.3g} %" if share >= 1e-6 else f"{100 * share:.1e} %"


def number_text(number: float | None) -> str:
    """A whole number with separators, or a dash where nobody knows."""
    return "-" if number is None else f"{number:,.0f}"


def usd_text(usd: float | None) -> str:
    """An amount in USD, small ones with the digits they need."""
    if usd is None:
        return "-"
    return f"${usd:,.2f}" if usd >= 1 or usd == 0 else f"${usd:.4g}"


def time_text(seconds: float | None) -> str:
    """`2 d 3 h`, `14 min`, `31 s`, `85 ms`."""
    if seconds is None:
        return "-"
    if 0 < seconds < 1:
        return f"{1000 * seconds:.3g} ms"
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min"
    days, hours = divmod(round(seconds / 3600), 24)
    return f"{days:,} d {hours} h"
