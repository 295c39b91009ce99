"""`maker run`: carry out a task."""

from __future__ import annotations

import os
from pathlib import Path
from typing import get_args

import click

from maker_dsl.api import misfits
from maker_dsl.choosing import ProviderChoice
from maker_dsl.cli.limits import MOST, limit_options
from maker_dsl.cli.loading import allow_option, bind_program, json_option, load_program, set_option
from maker_dsl.cli.naming import named_lines, read_stand_ins, stand_in_option
from maker_dsl.cli.output import count, say, say_diagnostics
from maker_dsl.cli.vote_options import keep_calibrations, plan_lines, plan_run, require_sense, vote_options
from maker_dsl.cli.voters import order_option, voter_lines
from maker_dsl.cli.working import quiet_option, runs_option, work
from maker_dsl.engine.report import Observer
from maker_dsl.engine.run import Run
from maker_dsl.engine.settings import Keep, RunOptions
from maker_dsl.engine.start import begin_run
from maker_dsl.engine.vote_choice import How
from maker_dsl.providers.panel import Order
from maker_dsl.task import Checkers


@click.command()
@click.argument("task", metavar="TASK")
@set_option
@click.option(
    "--provider",
    metavar="NAME|PATH[,…]",
    help="The profile; several vote together. [default: $MAKER_PROVIDER, else simulated]",
)
@order_option
@click.option("--override", "overrides", multiple=True, metavar="KEY=VALUE", help="Change a key of the profile.")
@stand_in_option
@vote_options
@limit_options
@click.option("--keep", type=click.Choice(get_args(Keep)), help="Which replies' texts to keep. [default: all]")
@runs_option
@click.option(
    "--seed",
    type=click.IntRange(-MOST, MOST),
    metavar="N",
    help="The seed of everything random. [default: the profile's, else 0]",
)
@allow_option
@json_option
@quiet_option
def run(
    task: str,
    settings: tuple[str, ...],
    provider: str | None,
    order: Order | None,
    overrides: tuple[str, ...],
    stand_ins: tuple[str, ...],
    ahead_by: int | How | None,
    target: float | None,
    calibrations: tuple[Path, ...],
    steps: int | None,
    max_samples: int | None,
    max_steps: int | None,
    max_depth: int | None,
    max_cost: float | None,
    keep: Keep | None,
    runs: Path,
    seed: int | None,
    allowed: Checkers | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Carry out a task: a path of a .maker file, or the name of a bundled task.

    Without --provider and $MAKER_PROVIDER this is a rehearsal on the simulated model.
    """
    how = None if isinstance(ahead_by, int) else ahead_by
    require_sense(how, target, steps)
    bound = bind_program(load_program(task, allowed), settings)
    name = provider or os.environ.get("MAKER_PROVIDER") or "simulated"
    options = RunOptions(
        ahead_by=ahead_by if isinstance(ahead_by, int) else None,
        max_samples=max_samples,
        max_steps=max_steps,
        max_depth=max_depth,
        max_cost_usd=max_cost,
        seed=seed,
        keep=keep,
    )
    choice = ProviderChoice(name, overrides, read_stand_ins(stand_ins), order)
    is_rehearsal = choice.profile.provider == "simulated"
    named = choice.named(bound)
    if not quiet and not all(one.provider == "simulated" for one in (choice.profile, *named.values())):
        say("loading LiteLLM …")
    setup = choice.open(bound, seed)
    for profile in (choice.profile, *(named[voter] for voter in choice.voters(bound))):
        say_diagnostics(misfits(bound, profile, named))
    if not quiet:
        kind = " (simulated: a rehearsal, no model is asked)" if is_rehearsal else ""
        known = None if bound.run_steps else bound.expected_steps
        expected = "" if known is None else f", {count(known, 'step')} expected"
        say(f"{bound.name} on {setup.provider.name}{kind}{expected}")
        for line in named_lines(bound, setup):
            say(line)
    planned, own = plan_run(bound, choice, setup, options, how, target, calibrations, steps, quiet)
    if not quiet:
        for line in (*voter_lines(setup, planned), *plan_lines(planned.plan, planned)):
            say(line)

    def begin(watcher: Observer) -> Run:
        begun = begin_run(bound, setup, options, runs, observer=watcher, planned=planned)
        keep_calibrations(runs / begun.run_id, own)
        return begun

    return work(begin, runs, as_json, quiet)
