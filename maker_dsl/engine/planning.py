"""What a run will come to, before it begins: margin, chance of success, votes, calls, tokens, cost and time.

Used by `maker plan`. Pure. Everything follows from the formulas of `theory` and `vote_chain`, with the rates that a
`Model` has; nothing is clamped: where the formulas say nothing, `PlanImpossible` says why.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import expm1, log1p
from typing import Literal

from maker_dsl.engine import theory
from maker_dsl.engine.calibration_file import Calibration, Estimate
from maker_dsl.engine.policy import DEFAULT_MAX_SAMPLES
from maker_dsl.engine.vote_chain import expected_rounds, vote_lengths

MOST_MARGIN = 10_000
"""A margin above it is no plan: that many votes in a row for every step."""


class PlanImpossible(Exception):
    """No margin does it. `why` says what stands in the way; `help` what to do."""

    def __init__(self, model: str, why: str, help: str) -> None:
        super().__init__(f"{model}: {why}")
        self.why = why
        self.help = help


@dataclass(frozen=True, slots=True)
class Model:
    """What is known of a model at a task. `p_low` is what plans count on: equal to `p` where nothing was measured."""

    name: str
    p: float
    p_low: float
    passing: float = 1.0
    tokens_in: float | None = None
    """Of one sample, as the others."""
    tokens_out: float | None = None
    cost_usd: float | None = None
    latency_s: float | None = None
    measured: Literal["given", "reference", "agreement"] = "given"
    systematic: int = 0
    """Measured states that can't be voted right."""
    uneven: bool = False
    """Its states differ by more than chance."""


@dataclass(frozen=True, slots=True)
class Row:
    """What a run comes to with one margin: means, but for `success`, which is a chance."""

    margin: int
    success: float
    """With `p_low`, as all figures of the row."""
    success_as_measured: float | None
    """With `p`; None where p itself is no more than one half."""
    undecided: float
    """The chance that some step is not decided within its samples, so that the run stops until the limit is raised."""
    votes_per_step: float
    samples_per_step: float
    calls: float
    tokens_in: float | None
    tokens_out: float | None
    cost_usd: float | None
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Plan:
    """The smallest margin for a target, and its neighbours, smallest first."""

    model: Model
    steps: int
    target: float
    chosen: Row
    rows: tuple[Row, ...]


def model_of(
    name: str, calibration: Calibration, price_in: float | None = None, price_out: float | None = None
) -> Model:
    """What a calibration says of a model; prices in USD per million tokens, if given, stand above what was paid."""
    tokens_in, tokens_out = _value(calibration.tokens_in), _value(calibration.tokens_out)
    cost = _value(calibration.cost_usd)
    if price_in is not None or price_out is not None:
        in_, out = (
            calibration.price_in if price_in is None else price_in,
            calibration.price_out if price_out is None else price_out,
        )
        cost = cost_of_sample(tokens_in, tokens_out, in_, out)
    return Model(
        name,
        calibration.p.value,
        calibration.p.low,
        calibration.passing.value,
        tokens_in,
        tokens_out,
        cost,
        _value(calibration.latency_s),
        calibration.truth,
        len(calibration.systematic),
        calibration.design_effect > UNEVEN,
    )


UNEVEN = 2.0
"""A design effect above it: the errors of a state go together, so steps are not all alike."""


def cost_of_sample(
    tokens_in: float | None, tokens_out: float | None, price_in: float | None, price_out: float | None
) -> float | None:
    """The cost of one sample in USD, prices per million tokens; None where a price or a count is missing."""
    if tokens_in is None or tokens_out is None or price_in is None or price_out is None:
        return None
    return (tokens_in * price_in + tokens_out * price_out) / 1e6


def make_plan(
    model: Model,
    steps: int,
    target: float,
    concurrency: int | None = None,
    max_samples: int = DEFAULT_MAX_SAMPLES,
    around: int = 2,
    margin: int | None = None,
) -> Plan:
    """The plan for a model; `concurrency` None: as many calls side by side as a step can use.

    `margin` None: the smallest for steps that are all alike; else the one that was chosen with more known of them.

    Raises PlanImpossible where no margin reaches the target, TheoryError where a number is out of its range.
    """
    require_a_chance(model)
    if margin is None:
        margin = theory.smallest_margin(model.p_low, steps, target)
    if margin > MOST_MARGIN:
        raise PlanImpossible(
            model.name,
            f"it would take a margin of {margin:,}: {model.p_low:.6g} of the votes right is too near to one half",
            "make the step smaller or its prompt clearer, or take a better model",
        )
    margins = range(max(1, margin - around), margin + around + 1)
    rows = tuple(make_row(model, steps, each, concurrency, max_samples) for each in margins)
    return Plan(model, steps, target, rows[margins.index(margin)], rows)


def make_row(
    model: Model, steps: int, margin: int, concurrency: int | None = None, max_samples: int = DEFAULT_MAX_SAMPLES
) -> Row:
    """What a run comes to with a margin. Raises TheoryError."""
    votes = theory.expected_votes(model.p_low, margin)
    samples = theory.expected_cost(model.p_low, margin, 1, cost_per_call=1.0, passing=model.passing)
    calls = samples * steps
    seconds = None
    if model.latency_s is not None:
        at_once = margin if concurrency is None else concurrency
        seconds = steps * model.latency_s * expected_rounds(model.p_low, margin, at_once, passing=model.passing)
    return Row(
        margin,
        theory.task_success(model.p_low, margin, steps),
        theory.task_success(model.p, margin, steps) if model.p > 0.5 else None,
        undecided(model, steps, margin, max_samples),
        votes,
        samples,
        calls,
        _times(model.tokens_in, calls),
        _times(model.tokens_out, calls),
        _times(model.cost_usd, calls),
        seconds,
    )


def undecided(model: Model, steps: int, margin: int, max_samples: int) -> float:
    """The chance that at least one step is not decided within its samples. Raises TheoryError."""
    if margin > max_samples:
        return 1.0
    one = vote_lengths(model.p_low, margin, max_samples, passing=model.passing).undecided
    return 1.0 if one >= 1.0 else -expm1(steps * log1p(-one))


def as_measured(model: Model) -> Model:
    """The model without caution: with p as it was measured."""
    return replace(model, p_low=model.p)


def require_a_chance(model: Model) -> None:
    """Voting needs more than one half of the votes right. Raises PlanImpossible."""
    if model.p_low > 0.5:
        return
    if model.p > 0.5:
        raise PlanImpossible(
            model.name,
            f"{model.p:.4g} of the votes were right, but so few were drawn that it may be {model.p_low:.4g}; "
            "voting needs more than one half",
            "calibrate with more states: `maker calibrate … --states N`",
        )
    raise PlanImpossible(
        model.name,
        f"{model.p:.4g} of the votes are right: voting needs more than one half, and no margin helps below it",
        "make the step smaller or its prompt clearer, add rules that flag wrong replies, or take a better model",
    )


def _times(each: float | None, number: float) -> float | None:
    return None if each is None else each * number


def _value(estimate: Estimate | None) -> float | None:
    return None if estimate is None else estimate.value
