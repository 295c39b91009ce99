"""`maker resume`: go on with a run that was stopped."""

from __future__ import annotations

from pathlib import Path

import click

from maker_dsl.api import load_kept_task, open_run
from maker_dsl.choosing import ProviderChoice
from maker_dsl.cli.limits import limit_options
from maker_dsl.cli.loading import json_option, load_program
from maker_dsl.cli.naming import read_stand_ins, stand_in_option
from maker_dsl.cli.working import quiet_option, runs_option, work
from maker_dsl.engine.settings import RunOptions
from maker_dsl.engine.start import reopen_run


@click.command()
@click.argument("run", metavar="RUN")
@click.option("--provider", metavar="NAME|PATH", help="Another profile. [default: as the run was started]")
@click.option("--override", "overrides", multiple=True, metavar="KEY=VALUE", help="Change a key of the profile.")
@stand_in_option
@limit_options
@click.option("--task", "task_file", metavar="FILE", help="Assert that this is the task the run was started with.")
@runs_option
@json_option
@quiet_option
def resume(
    run: str,
    provider: str | None,
    overrides: tuple[str, ...],
    stand_ins: tuple[str, ...],
    max_samples: int | None,
    max_steps: int | None,
    max_depth: int | None,
    max_cost: float | None,
    task_file: str | None,
    runs: Path,
    as_json: bool,
    quiet: bool,
) -> int:
    """Go on with a run that was stopped, from its last decision. RUN is an id, the beginning of one, or a path."""
    directory = open_run(run, runs)
    options = RunOptions(max_samples=max_samples, max_steps=max_steps, max_depth=max_depth, max_cost_usd=max_cost)
    text = None if task_file is None else load_program(task_file).whole_text
    choice = ProviderChoice(provider, overrides, read_stand_ins(stand_ins))
    return work(
        lambda watcher: reopen_run(directory, load_kept_task, choice, options, task_text=text, observer=watcher),
        runs,
        as_json,
        quiet,
    )
