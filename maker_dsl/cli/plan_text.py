"""The table of `maker plan` for people: the figures of the chosen margin, and those around it, for every model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from maker_dsl.cli.output import count
from maker_dsl.engine.planning import Model, Plan, Row
from maker_dsl.engine.vote_plan import VotePlan

_HEADS = ("model", "margin", "success", "votes/step", "calls", "tokens in", "tokens out", "cost", "time")


RARE = 0.01
"""A chance below it that a run stops undecided is not spoken of."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A model's plan, and what its calibration says of steps that differ."""

    plan: Plan
    max_samples: int
    fixed: VotePlan | None = None
    """What `--ahead-by auto` takes; None where no states are known."""
    adaptive: VotePlan | None = None
    """What `--ahead-by adaptive` takes."""

    @property
    def table(self) -> VotePlan | None:
        """The adaptive plan, where it does have a stopping table of its own."""
        return self.adaptive if self.adaptive is not None and self.adaptive.table is not None else None


def plan_lines(plans: Sequence[Planned], concurrency: int | None) -> list[str]:
    """The whole report, line by line."""
    lines: list[str] = []
    for planned in plans:
        lines += [*_about(planned, concurrency), ""]
    if plans:
        lines += _table([planned.plan for planned in plans])
        if all(planned.fixed is None for planned in plans):
            lines.append("* the smallest margin that reaches the target")
        else:
            lines.append("* the smallest margin that reaches the target, where steps differ too: `--ahead-by auto`")
    return lines


def _about(planned: Planned, concurrency: int | None) -> list[str]:
    plan, max_samples = planned.plan, planned.max_samples
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
    if model.uneven and planned.fixed is None:
        lines.append("  its steps are not all alike: hard ones go wrong more often than this average says")
    lines += _where_steps_differ(planned)
    if chosen.undecided >= RARE:
        lines.append(
            f"  with at most {count(max_samples, 'sample')} a step it stops undecided with a chance of "
            f"{share_text(chosen.undecided)}: raise `--max-samples`, here and of the run"
        )
    if chosen.seconds is not None:
        places = "as many calls at a time as a step can use" if concurrency is None else f"{concurrency:,} at a time"
        lines.append(f"  time: steps one after the other, {places}, every call as long as the mean")
    return lines


def _where_steps_differ(planned: Planned) -> list[str]:
    fixed, table = planned.fixed, planned.table
    if fixed is None:
        return []
    lines = [
        f"  where steps differ as its states do, and some are harder still: {share_text(fixed.success)}, "
        f"{fixed.votes_per_step:,.3f} votes a step, at most {count(fixed.max_samples, 'sample')}"
    ]
    if table is None:
        lines.append("  a margin that adapts (`--ahead-by adaptive`) would save no votes here")
    else:
        lines.append(
            f"  a margin that adapts (`--ahead-by adaptive`): {share_text(table.success)}, "
            f"{table.votes_per_step:,.3f} votes a step, at most {count(table.max_samples, 'sample')}"
        )
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
    return lines


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
