"""`maker calibrate`: how often a model is right on a task's steps, and what a step costs, from some dozen states."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import click

from maker_dsl.api import load_kept_task, open_run
from maker_dsl.choosing import ProviderChoice
from maker_dsl.cli.calibration_states import from_file, from_reference, from_run
from maker_dsl.cli.calibration_text import calibration_lines
from maker_dsl.cli.exits import ExitCode, Leave
from maker_dsl.cli.limits import MOST, usd_type
from maker_dsl.cli.loading import allow_option, bind_program, json_option, load_program, set_option
from maker_dsl.cli.output import count, json_result, result, say, say_diagnostics
from maker_dsl.cli.plan import share_type
from maker_dsl.cli.watching import cost_text, duration
from maker_dsl.cli.working import runs_option
from maker_dsl.diagnostics import Diagnostic, Label, Source, Span
from maker_dsl.engine.calibration import Calibrator, TruthRefused
from maker_dsl.engine.calibration_file import Calibration, calibration_text
from maker_dsl.engine.calibration_summary import About, is_narrow, summarize
from maker_dsl.engine.examination import examination_budget
from maker_dsl.engine.settings import RunOptions
from maker_dsl.engine.start import ProviderSetup, read_run_record
from maker_dsl.engine.trajectory import Chosen
from maker_dsl.providers.clock import SystemClock
from maker_dsl.providers.port import PermanentError
from maker_dsl.task import Checkers, Task

_PRECISION = share_type("X", "a share between 0 and 1 such as 0.01")


@dataclass(frozen=True, slots=True)
class States:
    """The states to ask, where they are from, and the steps of the whole way, if it was seen."""

    chosen: Sequence[Chosen]
    source: str
    steps: int | None


@click.command()
@click.argument("task")
@click.option("--provider", metavar="NAME|PATH", help="A profile. [default: $MAKER_PROVIDER, else simulated]")
@click.option("--override", "overrides", multiple=True, metavar="KEY=VALUE", help="Change a key of the profile.")
@set_option
@click.option(
    "--states", type=click.IntRange(2, 1_000_000), default=30, show_default=True, metavar="N", help="States to ask."
)
@click.option(
    "--samples", type=click.IntRange(1, 10_000), default=10, show_default=True, metavar="M", help="Samples of each."
)
@click.option(
    "--precision", type=_PRECISION, metavar="X", help="Stop as soon as p is known to within X on either side."
)
@click.option("--from", "from_run_", metavar="RUN", help="Take the states from a past run.")
@click.option(
    "--from-states", type=click.Path(path_type=Path), metavar="FILE", help="Take them from a file (JSON Lines)."
)
@click.option("--max-cost", type=usd_type, metavar="USD", help="Never spend more than this.")
@click.option(
    "--seed", type=click.IntRange(-MOST, MOST), metavar="N", help="The seed. [default: the profile's, else 0]"
)
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Where `maker plan` finds it.")
@runs_option
@allow_option
@json_option
def calibrate(
    task: str,
    provider: str | None,
    overrides: tuple[str, ...],
    settings: tuple[str, ...],
    states: int,
    samples: int,
    precision: float | None,
    from_run_: str | None,
    from_states: Path | None,
    max_cost: float | None,
    seed: int | None,
    output: Path | None,
    runs: Path,
    allowed: Checkers | None,
    as_json: bool,
) -> int:
    """Measure on random states, each asked several times, how often a vote is right or a reply flagged; tokens, cost.

    Exit code 1 where a state's wrong answers win: no vote can be right there.
    """
    if from_run_ is not None and from_states is not None:
        raise click.UsageError("--from and --from-states are two places for the states: give one.")
    program = load_program(task, allowed)
    random = Random(seed or 0)
    if from_run_ is not None:
        directory = open_run(from_run_, runs)
        record = read_run_record(directory)
        if record.task != program.name:
            raise click.UsageError(f"--from {from_run_}: it is a run of `{record.task}`, not of `{program.name}`.")
        kept = load_kept_task(directory.task_text(), record)
        bound = bind_program(program, settings) if settings else program.bind(kept.inputs)
        chosen, source = from_run(directory, load_kept_task, bound, states, random)
        found = States(chosen, source, bound.expected_steps)
    else:
        bound = bind_program(program, settings)
        if from_states is not None:
            chosen, source = from_file(from_states, bound, states, random)
            found = States(chosen, source, bound.expected_steps)
        else:
            found = States(*from_reference(bound, states, random))
    _require_truth(found.chosen, samples)
    choice = ProviderChoice(provider or os.environ.get("MAKER_PROVIDER") or "simulated", overrides)
    if choice.profile.provider != "simulated":
        say("loading LiteLLM …")
    setup = choice.open_alone(bound, seed)
    try:
        calibrator = Calibrator(
            found.chosen,
            setup,
            samples,
            RunOptions(max_cost_usd=max_cost, seed=seed),
            examination_budget(max_cost),
            SystemClock(),
            random,
            None if precision is None else lambda results: is_narrow(results, precision),
        )
    except TruthRefused as error:
        _say_finding("MK512", str(error), bound.source_name, "`maker check` and a `test` of this state say more")
        raise Leave(ExitCode.WRONG) from error
    code = _ask(calibrator, setup, max_cost)
    about = _about(bound, setup, found, seed)
    calibration = summarize(calibrator.results, calibrator.metered.by_state, about)
    if calibration is None:
        say("not one sample passed, so nothing is known")
        return code or ExitCode.NOT_DONE
    _show(calibration, calibrator, output, as_json)
    return code or _verdict(calibration)


def _require_truth(chosen: Sequence[Chosen], samples: int) -> None:
    if samples < 2 and any(one.step.reference is None for one in chosen):
        raise click.UsageError(
            "Without a `reference` what is right is what samples agree on: --samples must be 2 at least."
        )


def _ask(calibrator: Calibrator, setup: ProviderSetup, max_cost: float | None) -> ExitCode:
    """Draw the samples and say what came of the calls."""
    code = ExitCode.DONE
    try:
        asyncio.run(_examine(calibrator))
    except KeyboardInterrupt:
        say("interrupted: this is what had been drawn")
        code = ExitCode.INTERRUPTED
    examination = calibrator.so_far()
    for note in examination.notes:
        say(note)
    spending = examination.spending
    kind = " (simulated: a rehearsal, no model is asked)" if setup.profile.get("provider") == "simulated" else ""
    cost = cost_text(spending.cost_usd, max_cost)
    if spending.cost_usd is not None and spending.uncosted:
        cost += f" and {count(spending.uncosted, 'call')} of unknown cost"
    say(
        f"{setup.provider.name}{kind}: {count(spending.calls, 'call')}, {count(spending.retries, 'retry', 'retries')}, "
        f"{spending.input_tokens:,} tokens in, {spending.output_tokens:,} out, {cost}, {duration(examination.seconds)}"
    )
    stopped = examination.error or examination.limit
    if stopped is not None:
        help = getattr(stopped, "help", None)
        say(f"stopped: {stopped}" + (f"; {help}" if help else ""))
        return ExitCode.WRONG if isinstance(stopped, PermanentError) else ExitCode.NOT_DONE
    return code


async def _examine(calibrator: Calibrator) -> None:
    await calibrator.examine()


def _about(task: Task, setup: ProviderSetup, found: States, seed: int | None) -> About:
    price = setup.provider.price
    model = setup.profile.get("model")
    return About(
        task.name,
        str(setup.profile.get("asked", setup.provider.name)),
        found.source,
        None if model is None else str(model),
        seed,
        found.steps or task.expected_steps or None,
        found.steps,
        not setup.provider.answers_at_once,
        None if price is None else price.input,
        None if price is None else price.output,
    )


def _show(calibration: Calibration, calibrator: Calibrator, output: Path | None, as_json: bool) -> None:
    if as_json:
        data: dict[str, Any] = calibration.model_dump(mode="json")
        json_result({**data, "stopped_early": calibrator.stopped_early})
    else:
        for line in calibration_lines(calibration, stopped_early=calibrator.stopped_early):
            result(line)
    if output is None:
        return
    try:
        output.write_text(calibration_text(calibration), encoding="utf-8")
    except OSError as error:
        raise Leave(ExitCode.NOT_DONE, f"{output} can't be written: {error.strerror}") from error
    say(f"{output}: written; `maker plan {output}` says what a run will come to")


def _verdict(calibration: Calibration) -> ExitCode:
    """Say what no vote can mend."""
    found = calibration.systematic
    if found:
        first = found[0]
        number = "in a state" if len(found) == 1 else f"in {len(found):,} states"
        _say_finding(
            "MK511",
            f"{number} most votes are wrong, more often than chance explains: no margin helps there",
            first.origin,
            "a rule, flag or invariant that discards the wrong answers, another wording, or another model",
        )
    elif calibration.p.value <= 0.5:
        _say_finding(
            "MK511",
            f"{calibration.p.value:.4g} of all votes are right: voting needs more than one half",
            calibration.provider,
            "make the step smaller or its prompt clearer, or take a better model",
        )
    else:
        return ExitCode.DONE
    return ExitCode.NOT_DONE


def _say_finding(code: str, title: str, about: str, help: str) -> None:
    source = Source("the calibration", about)
    say_diagnostics([Diagnostic(code, title, Label(Span(source, 0, len(about))), help=help)])
