"""What a report says in tables and sentences, for HTML and Markdown alike. Used by `page` and `markdown`."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from maker_dsl.reporting.facts import Facts, HardStep, Outcome

RESTS_ON = (
    "The first figure fits a distribution of easy and hard steps to how the votes on them went; the second has every "
    "reply of a kind of step right equally often, which flatters where steps differ. Both rest on the run's own votes: "
    "what won is mostly right, replies are independent, and wrong ones of a step agree, the worst case. They can't see "
    "errors that replies share: a step that the model gets wrong more often than right is decided wrongly, with "
    "conviction. maker verify holds decisions against the task's reference, where it has one."
)


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its heading; the first cell of a row names it."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def summary(run: Facts) -> str:
    """How the run went, in a sentence."""
    outcome = run.outcome
    reason = f": {outcome.reason}" if outcome.reason else ""
    expected = "" if run.origin.expected_steps is None else f" of {run.origin.expected_steps:,}"
    return (
        f"{run.origin.run} is {outcome.status}{reason}. {outcome.steps:,}{expected} steps, "
        f"{outcome.samples:,} samples, {usd(outcome.cost_usd)}."
    )


def chance_sentence(run: Facts) -> str:
    """How likely it is that all is right so far."""
    odds = run.odds
    if not odds.kinds:
        return "No step is decided by votes yet: nothing can be said of the odds."
    uneven = "not known" if odds.chance_uneven is None else chance(odds.chance_uneven)
    told = f"The chance that every decision so far is right: about {uneven}."
    if odds.chance is None:
        return f"{told} In a kind of step votes are lost as often as won: voting can't make such steps right."
    low = "anything" if odds.chance_low is None else chance(odds.chance_low)
    high = "anything" if odds.chance_high is None else chance(odds.chance_high)
    return f"{told} If all steps were equally hard: {chance(odds.chance)} (95 %: from {low} to {high})."


def overview(runs: Sequence[Facts]) -> Table:
    """The figures of each run; of two, their ratio too."""
    rows = []
    for name, number, shown in _FIGURES:
        values = [number(run) for run in runs]
        cells = [shown(value) if value is not None else "not known" for value in values]
        rows.append((name, *cells, *([_ratio(values[0], values[1])] if len(runs) == 2 else [])))
    status = ("status", *(run.outcome.status for run in runs), *([""] if len(runs) == 2 else []))
    head = ("", *(run.origin.run for run in runs), *(["second / first"] if len(runs) == 2 else []))
    return Table("Overview", head, (status, *rows))


def origin_table(runs: Sequence[Facts]) -> Table:
    """What ran."""
    rows: list[tuple[str, ...]] = []
    for name, text in _ORIGIN:
        cells = [text(run) for run in runs]
        if any(cells):
            rows.append((name, *cells))
    return Table("What ran", ("", *(run.origin.run for run in runs)), tuple(rows))


def tables(run: Facts) -> list[Table]:
    """The tables that belong to one run alone; empty ones are left out."""
    outcome = run.outcome
    by_number = sorted(outcome.flags.items(), key=lambda item: -item[1])
    found = [
        Table(
            "How steps were decided",
            ("step", "setting", "value (where from)"),
            tuple(
                (f"{one.task}: {one.kind}", name, value)
                for one in run.origin.settings
                for name, value in one.values.items()
            ),
        ),
        Table(
            "Kinds of steps",
            ("step", "ahead by", "steps", "votes", "lost", "contested", "flagged", "p", "95 %", "a step wrong"),
            tuple(
                (
                    f"{kind.task}: {kind.kind}",
                    f"{kind.ahead_by:,}",
                    f"{kind.steps:,}",
                    f"{kind.votes:,}",
                    f"{kind.lost:,}",
                    f"{kind.contested:,}",
                    f"{kind.flags:,}",
                    f"{kind.p:.4f}",
                    f"{kind.p_low:.4f} to {kind.p_high:.4f}",
                    "not known" if kind.step_error is None else f"{kind.step_error:.2g}",
                )
                for kind in run.odds.kinds
            ),
        ),
        Table(
            "Flags",
            ("flag", "samples", "of all"),
            tuple((name, f"{number:,}", percent(number, outcome.samples)) for name, number in by_number[:50]),
        ),
        Table(
            "Models",
            ("profile", "steps", "samples", "flagged", "votes", "lost", "mean latency", "cost"),
            tuple(
                (
                    one.profile,
                    f"{one.steps:,}",
                    f"{one.samples:,}",
                    percent(one.flags, one.samples),
                    f"{one.votes:,}",
                    percent(one.lost, one.votes),
                    f"{one.latency_s / one.calls:.3f} s" if one.calls else "",
                    usd(one.cost_usd),
                )
                for one in run.models
            ),
        ),
        Table(
            "Wordings",
            ("step", "wording", "samples", "flagged", "votes", "lost"),
            tuple(
                (
                    f"{one.task}: {one.step}",
                    one.wording,
                    f"{one.samples:,}",
                    percent(one.flags, one.samples),
                    f"{one.votes:,}",
                    percent(one.lost, one.votes),
                )
                for one in run.wordings
            ),
        ),
    ]
    return [table for table in found if table.rows]


def hard_step_line(step: HardStep) -> str:
    """`step 12 (move): 9 samples, 2 flagged, 7 votes, ahead by 3`."""
    kind = "" if step.kind is None else f" ({step.kind})"
    stage = ", not decided" if step.stage == "open" else ""
    margin = "" if step.ahead_by is None else f", ahead by {step.ahead_by}"
    return f"step {step.address}{kind}: {step.samples} samples, {step.flags} flagged, {step.votes} votes{margin}{stage}"


def chance(share: float) -> str:
    """`97.31 %`, with more digits where it is close to 1."""
    if share == 1.0:
        return "100 %"
    digits = next((digits for digits, limit in ((2, 0.99), (4, 0.9999), (6, 0.999999)) if share < limit), 8)
    return f"{100 * share:.{digits}f} %"


def percent(part: float, whole: float) -> str:
    """A share, `3.2 %`."""
    return f"{100 * part / whole:.1f} %" if whole else ""


def usd(cost: float | None) -> str:
    """`$1.2034`, or that nobody knows."""
    return "cost not known" if cost is None else f"${cost:,.4f}"


_FIGURES: tuple[tuple[str, Callable[[Facts], float | None], Callable[[float], str]], ...] = (
    ("steps", lambda run: run.outcome.steps, "{:,}".format),
    ("sub-runs", lambda run: run.outcome.sub_runs, "{:,}".format),
    ("samples", lambda run: run.outcome.samples, "{:,}".format),
    ("votes", lambda run: run.outcome.votes, "{:,}".format),
    ("votes a step", lambda run: _over(run.outcome.votes, _voted(run)), "{:.3f}".format),
    ("contested steps", lambda run: run.outcome.contested, "{:,}".format),
    ("most samples of a step", lambda run: run.outcome.most_samples, "{:,}".format),
    ("flagged samples", lambda run: sum(run.outcome.flags.values()), "{:,}".format),
    ("calls", lambda run: run.outcome.calls, "{:,}".format),
    ("calls tried again", lambda run: run.outcome.retries, "{:,}".format),
    ("input tokens", lambda run: run.outcome.input_tokens, "{:,}".format),
    ("output tokens", lambda run: run.outcome.output_tokens, "{:,}".format),
    ("cost", lambda run: run.outcome.cost_usd, usd),
    ("calls of unknown cost", lambda run: run.outcome.unpriced_calls, "{:,}".format),
    ("cost of 1,000 steps", lambda run: _thousand(run.outcome), usd),
    ("seconds of work", lambda run: run.outcome.seconds, "{:,.1f}".format),
    ("latency, median", lambda run: run.latency.median_s, "{:.3f} s".format),
    ("latency, 9 of 10 below", lambda run: run.latency.p90_s, "{:.3f} s".format),
    ("latency, 99 of 100 below", lambda run: run.latency.p99_s, "{:.3f} s".format),
    ("all right so far, chance", lambda run: run.odds.chance_uneven, chance),
    ("… if steps were alike", lambda run: run.odds.chance, chance),
    ("… and at least (95 %)", lambda run: run.odds.chance_low, chance),
)

_ORIGIN: tuple[tuple[str, Callable[[Facts], str]], ...] = (
    ("task", lambda run: f"{run.origin.task} ({run.origin.source})"),
    ("task, SHA-256", lambda run: run.origin.task_sha256),
    ("inputs", lambda run: run.origin.inputs),
    ("started", lambda run: run.origin.started),
    ("maker", lambda run: run.origin.maker),
    ("processes", lambda run: f"{run.outcome.processes:,}"),
    ("provider", lambda run: run.origin.provider),
    ("profile", lambda run: json.dumps(run.origin.profile, ensure_ascii=False, default=str)),
    ("profiles of steps", lambda run: _pairs(run.origin.stand_ins)),
    ("plug-ins", lambda run: _pairs(run.origin.plugins)),
    ("constrained decoding", lambda run: "; ".join(run.origin.constraints)),
    ("limits", lambda run: _pairs(run.origin.limits)),
    ("seed", lambda run: str(run.origin.seed)),
    ("replies kept", lambda run: run.origin.keep),
    ("receipt", lambda run: run.outcome.receipt),
    ("result", lambda run: run.outcome.result or ""),
)


def _voted(run: Facts) -> int:
    return run.outcome.steps - run.outcome.composed


def _over(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _thousand(outcome: Outcome) -> float | None:
    return None if outcome.cost_usd is None or not outcome.steps else 1_000 * outcome.cost_usd / outcome.steps


def _ratio(first: float | None, second: float | None) -> str:
    return "" if first is None or second is None or not first else f"{second / first:.2f}"


def _pairs(mapping: object) -> str:
    assert hasattr(mapping, "items")
    return ", ".join(f"{name} = {value}" for name, value in mapping.items())
