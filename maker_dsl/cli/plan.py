"""`maker plan`: what a run will come to, from calibrations or from given rates, before it costs anything."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from maker_dsl.cli.exits import ExitCode, Leave
from maker_dsl.cli.limits import MOST, usd_type
from maker_dsl.cli.loading import json_option
from maker_dsl.cli.output import json_result, result, say, say_diagnostics
from maker_dsl.cli.plan_picture import plan_svg
from maker_dsl.cli.plan_text import Planned, plan_lines
from maker_dsl.diagnostics import Diagnostic, Label, Source, Span
from maker_dsl.engine.calibration_file import Calibration, CalibrationUnreadable, read_calibration
from maker_dsl.engine.planning import Model, Plan, PlanImpossible, Row, cost_of_sample, make_plan, model_of
from maker_dsl.engine.policy import DEFAULT_MAX_SAMPLES
from maker_dsl.engine.vote_plan import MOST_SAMPLES, VotePlan, plan_votes

MOST_STEPS = 10**15


class _Number(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """A number between bounds, of which the ends may be out."""

    def __init__(
        self, name: str, low: float, high: float, said: str, *, above: bool = False, below: bool = False
    ) -> None:
        self.name = name
        self._low, self._high, self._said, self._above, self._below = low, high, said, above, below

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        is_in = self._low <= number <= self._high
        if not is_in or (self._above and number == self._low) or (self._below and number == self._high):
            self.fail(f"{value!r} is not {self._said}.", param, ctx)
        return number


def share_type(name: str, said: str) -> _Number:
    """A share strictly between 0 and 1 on the command line."""
    return _Number(name, 0, 1, said, above=True, below=True)


_TARGET = _Number("SHARE", 0, 1, "a chance between 0 and 1, both excluded, such as 0.95", above=True, below=True)
_ERRORS = _Number("SHARE", 0, 1, "a share between 0 and 1 such as 0.01")
_PASSING = _Number("SHARE", 0, 1, "a share above 0 and up to 1 such as 0.97", above=True)
_AMOUNT = _Number("NUMBER", 0, 1e15, "a number from 0 on, such as 350")


@click.command()
@click.argument("calibrations", nargs=-1, metavar="[CALIBRATION]…", type=click.Path(path_type=Path))
@click.option(
    "--steps", type=click.IntRange(1, MOST_STEPS), metavar="N", help="Steps of the whole run. [default: the task's]"
)
@click.option("--error-rate", type=_ERRORS, metavar="E", help="The share of votes that are wrong.")
@click.option(
    "--pass-rate", type=_PASSING, metavar="V", help="The share of replies that no flag discards. [default: 1]"
)
@click.option("--tokens-in", type=_AMOUNT, metavar="N", help="Tokens that a sample reads.")
@click.option("--tokens-out", type=_AMOUNT, metavar="N", help="Tokens that a sample writes.")
@click.option("--price-in", type=usd_type, metavar="USD", help="Price of a million tokens read.")
@click.option("--price-out", type=usd_type, metavar="USD", help="Price of a million tokens written.")
@click.option("--latency", type=_AMOUNT, metavar="SECONDS", help="How long a call takes.")
@click.option(
    "--target", type=_TARGET, default=0.95, show_default=True, metavar="T", help="The wanted chance of success."
)
@click.option(
    "--concurrency",
    type=click.IntRange(1, MOST),
    metavar="N",
    help="Calls side by side. [default: as many as a step can use]",
)
@click.option(
    "--max-samples",
    type=click.IntRange(1, MOST_SAMPLES),
    metavar="N",
    help=f"Samples for one step. [default: {DEFAULT_MAX_SAMPLES}, or more where a calibration's hard steps need them]",
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE.svg", help="Draw the table as a picture."
)
@json_option
def plan(
    calibrations: tuple[Path, ...],
    steps: int | None,
    error_rate: float | None,
    pass_rate: float | None,
    tokens_in: float | None,
    tokens_out: float | None,
    price_in: float | None,
    price_out: float | None,
    latency: float | None,
    target: float,
    concurrency: int | None,
    max_samples: int | None,
    output: Path | None,
    as_json: bool,
) -> int:
    """Say what a run will come to: margin, chance of success, votes, calls, tokens, cost, time.

    CALIBRATION is a file that `maker calibrate -o` wrote; several are compared. Without one, --steps and --error-rate
    say what to plan with. Exit code 1 where no margin reaches the target.
    """
    if output is not None and output.suffix.lower() != ".svg":
        raise click.UsageError(f"--output draws a picture, so its name ends in .svg; `{output}` does not.")
    if calibrations:
        rates = {
            "--error-rate": error_rate,
            "--pass-rate": pass_rate,
            "--tokens-in": tokens_in,
            "--tokens-out": tokens_out,
            "--latency": latency,
        }
        for option, value in rates.items():
            if value is not None:
                raise click.UsageError(
                    f"{option} contradicts what the calibration has measured: give one or the other."
                )
        asked = [_read(path, steps, price_in, price_out) for path in calibrations]
    else:
        if steps is None or error_rate is None:
            missing = "--steps" if steps is None else "--error-rate"
            raise click.UsageError(f"Give a calibration, or --steps and --error-rate; {missing} is missing.")
        cost = cost_of_sample(tokens_in, tokens_out, price_in, price_out)
        right = 1.0 - error_rate
        passing = 1.0 if pass_rate is None else pass_rate
        asked = [_Asked(Model("given", right, right, passing, tokens_in, tokens_out, cost, latency), steps)]
    plans: list[Planned] = []
    impossible: list[PlanImpossible] = []
    findings: list[Diagnostic] = []
    for one in asked:
        try:
            plans.append(_planned(one, target, concurrency, max_samples))
        except PlanImpossible as error:
            impossible.append(error)
            findings.append(_finding(one.model, error))
        if one.model.systematic:
            findings.append(_systematic(one.model))
    if as_json:
        json_result(_data(asked, plans, target, impossible))
    else:
        for line in plan_lines(plans, concurrency):
            result(line)
    say_diagnostics(findings)
    if output is not None and plans:
        _draw([one.plan for one in plans], output)
    return ExitCode.NOT_DONE if findings else ExitCode.DONE


@dataclass(frozen=True, slots=True)
class _Asked:
    """A model that a plan is wanted for; `calibration` None where rates were given."""

    model: Model
    steps: int
    calibration: Calibration | None = None


def _planned(asked: _Asked, target: float, concurrency: int | None, max_samples: int | None) -> Planned:
    """The plan with the margin that `--ahead-by auto` takes. Raises PlanImpossible.

    A calibration with systematic states makes no such run; the figures of its average step are said all the same.
    """
    calibration = asked.calibration
    if calibration is None or asked.model.systematic:
        limit = max_samples or DEFAULT_MAX_SAMPLES
        return Planned(make_plan(asked.model, asked.steps, target, concurrency, limit), limit)
    fixed = plan_votes(calibration, asked.steps, target, max_samples=max_samples)
    plan = make_plan(asked.model, asked.steps, target, concurrency, fixed.max_samples, margin=fixed.ahead_by)
    if not calibration.states:
        return Planned(plan, fixed.max_samples)
    adaptive = plan_votes(calibration, asked.steps, target, adaptive=True, max_samples=max_samples)
    return Planned(plan, fixed.max_samples, fixed, adaptive)


def _read(path: Path, steps: int | None, price_in: float | None, price_out: float | None) -> _Asked:
    """A calibration's model and its steps; leaves with 2 where the file is none."""
    try:
        calibration = read_calibration(path)
    except CalibrationUnreadable as error:
        source = Source("CALIBRATION", str(path))
        title = f"this is no calibration: {error}"
        help = "`maker calibrate TASK --provider NAME -o FILE` writes one"
        say_diagnostics([Diagnostic("MK660", title, Label(Span(source, 0, len(str(path)))), help=help)])
        raise Leave(ExitCode.WRONG) from error
    number = steps or calibration.expected_steps
    if number is None:
        raise click.UsageError(f"{path}: the task says no `expected steps`; give --steps N.")
    return _Asked(model_of(_name(path, calibration), calibration, price_in, price_out), number, calibration)


def _name(path: Path, calibration: Calibration) -> str:
    return f"{calibration.provider} ({path.name})"


def _finding(model: Model, error: PlanImpossible) -> Diagnostic:
    source = Source("the plan", model.name)
    return Diagnostic(
        "MK510",
        f"no margin reaches the target: {error.why}",
        Label(Span(source, 0, len(model.name))),
        help=error.help,
    )


def _systematic(model: Model) -> Diagnostic:
    source = Source("the plan", model.name)
    number = "a state" if model.systematic == 1 else f"{model.systematic:,} states"
    return Diagnostic(
        "MK511",
        f"the calibration found {number} where most votes are wrong: no margin helps there",
        Label(Span(source, 0, len(model.name))),
        help="the calibration lists them under `states`, each with its wrong answers; a rule that flags these, or "
        "another wording of the prompt, may help",
    )


def _data(
    asked: Sequence[_Asked], plans: Sequence[Planned], target: float, impossible: Sequence[PlanImpossible]
) -> dict[str, Any]:
    """The one object of `--json`: the first plan's own figures, and those of all models."""
    models: list[dict[str, Any]] = []
    done, failed = iter(plans), iter(impossible)
    at = next(done, None)
    for one in asked:
        about = {**asdict(one.model), "steps": one.steps}
        if at is not None and at.plan.model is one.model:
            rows = [_row(row) for row in at.plan.rows]
            votes = {"uneven_steps": _votes(at.fixed), "adaptive": _votes(at.table)}
            models.append({**about, **_row(at.plan.chosen), **votes, "rows": rows, "impossible": None})
            at = next(done, None)
        else:
            models.append({**about, "margin": None, "rows": [], "impossible": next(failed).why})
    first = models[0]
    empty = dict.fromkeys(Row.__dataclass_fields__)
    return {"target": target, **{name: first.get(name) for name in ("steps", *empty)}, "models": models}


def _votes(plan: VotePlan | None) -> dict[str, Any] | None:
    """The figures where steps differ as a calibration's states do; None where nothing is known of that."""
    if plan is None:
        return None
    return {"success": plan.success, "votes_per_step": plan.votes_per_step, "max_samples": plan.max_samples}


def _row(row: Row) -> dict[str, Any]:
    return asdict(row)


def _draw(plans: Sequence[Plan], output: Path) -> None:
    try:
        output.write_text(plan_svg(plans), encoding="utf-8")
    except OSError as error:
        raise Leave(ExitCode.NOT_DONE, f"{output} can't be written: {error.strerror}") from error
    say(f"{output}: written")
