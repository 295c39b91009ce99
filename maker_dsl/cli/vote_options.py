"""How a run votes: `--ahead-by K|auto|adaptive`, and what `auto` and `adaptive` go by."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import click

from maker_dsl.choosing import ProviderChoice
from maker_dsl.cli.exits import ExitCode, Leave
from maker_dsl.cli.limits import MOST
from maker_dsl.cli.output import count, say, say_diagnostics
from maker_dsl.cli.planned import plan_told
from maker_dsl.cli.watching import cost_text
from maker_dsl.diagnostics import Diagnostic, Label, Source, Span
from maker_dsl.engine.calibration import TruthRefused
from maker_dsl.engine.calibration_file import Calibration, CalibrationUnreadable, calibration_text, read_calibration
from maker_dsl.engine.own_calibration import calibrate_first
from maker_dsl.engine.planning import PlanImpossible
from maker_dsl.engine.records import MAIN_PROFILE, PlanRecord
from maker_dsl.engine.settings import Planned, RunOptions
from maker_dsl.engine.start import ProviderSetup
from maker_dsl.engine.theory import TheoryError
from maker_dsl.engine.vote_choice import DEFAULT_TARGET, How, choose_votes, length_of, require_task
from maker_dsl.engine.voters import candidates_of, match_calibrations
from maker_dsl.providers.clock import SystemClock
from maker_dsl.providers.port import PermanentError
from maker_dsl.task import Task

F = TypeVar("F", bound=Callable[..., Any])


class _AheadBy(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    name = "K"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | How:
        if value in ("auto", "adaptive"):
            found: How = value
            return found
        try:
            margin = int(value)
        except ValueError:
            margin = 0
        if not 1 <= margin <= MOST:
            self.fail(f"{value!r} is no margin: give a whole number from 1 on, `auto` or `adaptive`.", param, ctx)
        return margin


class _Target(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    name = "SHARE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            target = float(value)
        except ValueError:
            target = 0.0
        if not 0.0 < target < 1.0:
            self.fail(f"{value!r} is not a chance between 0 and 1, both excluded, such as 0.95.", param, ctx)
        return target


def vote_options(command: F) -> F:
    """`--ahead-by`, `--target`, `--calibration`, `--steps`."""
    for option in (
        click.option("--steps", type=click.IntRange(1, MOST), metavar="N", help="Steps of the run, for a target."),
        click.option(
            "--calibration",
            "calibrations",
            type=click.Path(path_type=Path),
            multiple=True,
            metavar="FILE",
            help="What `maker calibrate -o` wrote; of several models, one of each.",
        ),
        click.option(
            "--target",
            type=_Target(),
            help=f"With auto and adaptive: how surely all steps are to be right. [default: {DEFAULT_TARGET}]",
        ),
        click.option(
            "--ahead-by",
            type=_AheadBy(),
            metavar="K|auto|adaptive",
            help="The margin of the vote; auto and adaptive work it out from a calibration.",
        ),
    ):
        command = option(command)
    return command


def plan_run(
    task: Task,
    choice: ProviderChoice,
    setup: ProviderSetup,
    options: RunOptions,
    how: How | None,
    target: float | None,
    files: Sequence[Path],
    steps: int | None,
    quiet: bool,
) -> tuple[Planned, Mapping[str, Calibration]]:
    """How the run votes, and the calibrations of its own that it was worked out from, by profile.

    Raises what the engine refuses; leaves with 1 where no margin reaches the target.
    """
    calibrations = [_read(path) for path in files]
    require_task(calibrations, task.name)
    names = tuple(choice.voters(task))
    if how == "adaptive" and names:
        raise click.UsageError("--ahead-by adaptive is for one model; with several give auto, or a number.")
    if how is None and not calibrations:
        return choice.plan_voters(task, setup), {}
    length = length_of(task, steps)
    own: dict[str, Calibration] = {}
    spent = (0.0, 0, 0)
    if not calibrations:
        if length is None:
            # Told before anything is spent.
            choose_votes(how, {}, None, DEFAULT_TARGET)
        own, spent = _measure(task, choice, names, options, quiet)
        calibrations = list(own.values())
    candidates = candidates_of(setup, names)
    found = match_calibrations(candidates, calibrations)
    matched = own or {one.profile or MAIN_PROFILE: found[one.asked] for one in candidates}
    if any(one.truth == "agreement" for one in calibrations) and not quiet:
        say("  without a reference, what most samples agreed on counted as right: errors that they share are not in it")
    source = ", ".join(str(path) for path in files)
    try:
        planned = choose_votes(how, matched, length, target or DEFAULT_TARGET, options.max_samples, spent, source)
    except PlanImpossible as error:
        _spent_for_nothing(spent)
        raise _out_of_reach(str(error), error.why, error.help) from error
    except TheoryError as error:
        _spent_for_nothing(spent)
        raise _out_of_reach("the target", str(error), "ask for less, or measure with more states") from error
    if how == "adaptive" and planned.plan is not None and planned.plan.table is None and not quiet:
        say("  an adaptive margin would save no votes, as far as is known of the steps: it is a fixed one")
    return choice.plan_voters(task, setup, planned, calibrations), own


def plan_lines(plan: PlanRecord | None, planned: Planned) -> list[str]:
    """What was planned, as a run begins."""
    if plan is None or plan.steps is None:
        return []
    lines = [f"  {line}" for line in plan_told(plan, planned.ahead_by)]
    costs = [one.cost_usd for one in plan.assumed.values()]
    if len(costs) == 1 and costs[0] and plan.votes_per_step is not None:
        passing = next(iter(plan.assumed.values())).passing
        lines.append(f"  it will cost about ${costs[0] * plan.votes_per_step * plan.steps / passing:.4g}")
    return lines


def keep_calibrations(directory: Path, own: Mapping[str, Calibration]) -> None:
    """Put a run's own calibrations beside its journal, for people and for `maker plan`."""
    for number, calibration in enumerate(own.values(), 1):
        name = "calibration.json" if len(own) == 1 else f"calibration-{number}.json"
        try:
            (directory / name).write_text(calibration_text(calibration), encoding="utf-8")
        except OSError as error:
            say(f"{directory / name} can't be written: {error.strerror}")


def require_sense(how: How | None, target: float | None, steps: int | None) -> None:
    """Raise UsageError for options that say nothing without a margin that is worked out."""
    for option, value in (("--target", target), ("--steps", steps)):
        if value is not None and how is None:
            raise click.UsageError(f"{option} is for a margin that is worked out: add --ahead-by auto or adaptive.")


def _read(path: Path) -> Calibration:
    try:
        return read_calibration(path)
    except CalibrationUnreadable as error:
        source = Source("--calibration", str(path))
        title = f"this is no calibration: {error}"
        help = "`maker calibrate TASK --provider NAME -o FILE` writes one"
        say_diagnostics([Diagnostic("MK660", title, Label(Span(source, 0, len(str(path)))), help=help)])
        raise Leave(ExitCode.WRONG) from error


def _measure(
    task: Task, choice: ProviderChoice, names: Sequence[str], options: RunOptions, quiet: bool
) -> tuple[dict[str, Calibration], tuple[float, int, int]]:
    """A short calibration of each of the run's models; what one spends the next one may not."""
    found: dict[str, Calibration] = {}
    spent = (0.0, 0, 0)
    for name in (MAIN_PROFILE, *names):
        # Opened for this alone: a provider is closed when its calibration is over.
        setup = choice.open(task, options.seed)
        one = setup if name == MAIN_PROFILE else setup.named[name]
        left = None if options.max_cost_usd is None else max(0.0, options.max_cost_usd - spent[0])
        asked = replace(options, max_cost_usd=left)
        try:
            own = asyncio.run(calibrate_first(task, one, asked, SystemClock(), Random(options.seed or 0)))
        except TruthRefused as error:
            _say("MK512", str(error), task.source_name, "`maker check` and a `test` of this state say more")
            raise Leave(ExitCode.WRONG) from error
        spent = (spent[0] + own.spent[0], spent[1] + own.spent[1], spent[2] + own.spent[2])
        stopped = own.examination.error or own.examination.limit
        if stopped is not None:
            _spent_for_nothing(spent)
            help = getattr(stopped, "help", None)
            say(f"the calibration of `{one.provider.name}` stopped: {stopped}" + (f"; {help}" if help else ""))
            raise Leave(ExitCode.WRONG if isinstance(stopped, PermanentError) else ExitCode.NOT_DONE)
        calibration = own.calibration
        if calibration is None:
            _spent_for_nothing(spent)
            raise Leave(ExitCode.NOT_DONE, f"not one sample of `{one.provider.name}` passed: nothing is known of it")
        if not quiet:
            samples = sum(state.samples for state in calibration.states)
            say(
                f"  measured on {count(len(calibration.states), 'state')}, {count(samples, 'sample')}: "
                f"{calibration.p.value:.2%} of votes right ({calibration.p.low:.2%} at least), "
                f"{calibration.passing.value:.2%} of replies pass, {cost_text(own.examination.spending.cost_usd)}"
            )
        found[name] = calibration
    return found, spent


def _spent_for_nothing(spent: tuple[float, int, int]) -> None:
    if spent[2]:
        say(f"the calibration took {count(spent[2], 'sample')} and {cost_text(spent[0])}; no run was begun")


def _out_of_reach(about: str, why: str, help: str) -> Leave:
    _say("MK510", f"no margin reaches the target: {why}", about.partition(":")[0], help)
    return Leave(ExitCode.NOT_DONE)


def _say(code: str, title: str, about: str, help: str) -> None:
    source = Source("the plan", about)
    say_diagnostics([Diagnostic(code, title, Label(Span(source, 0, len(about))), help=help)])
