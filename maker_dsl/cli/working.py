"""Working on a run, for `maker run` and `maker resume`: signals, the display, the report, the exit code."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from maker_dsl.api import RUNS
from maker_dsl.cli.exits import ExitCode
from maker_dsl.cli.output import count, json_result, plain, result, say, say_diagnostics
from maker_dsl.cli.voters import tally_lines
from maker_dsl.cli.watching import Watcher, cost_text, duration, make_watcher
from maker_dsl.cli.wordings import wording_lines
from maker_dsl.engine.records import RunStatus
from maker_dsl.engine.report import RunReport
from maker_dsl.engine.run import Run
from maker_dsl.task import TaskError

F = TypeVar("F", bound=Callable[..., Any])


def runs_option(command: F) -> F:
    """`--runs DIR`."""
    return click.option(
        "--runs",
        type=click.Path(path_type=Path),
        default=RUNS,
        metavar="DIR",
        show_default=True,
        help="Where runs are.",
    )(command)


def quiet_option(command: F) -> F:
    """`--quiet`."""
    return click.option("--quiet", is_flag=True, help="No progress, only the result.")(command)


def work(make: Callable[[Watcher], Run], runs: Path, as_json: bool, quiet: bool) -> ExitCode:
    """Work on the run that `make` makes, tell how it ended, and say with which code to leave."""
    watcher = make_watcher(quiet)
    report, task_error = asyncio.run(_go(make, watcher))
    if as_json:
        json_result(report.members())
    else:
        _tell(report, quiet)
    if report.status == "undecided":
        say(f"see why with: maker explain {report.run} {report.address}{runs_words(runs)}")
    if task_error is not None:
        say_diagnostics([task_error.diagnostic])
        return ExitCode.WRONG
    if report.status != "done":
        say(f"go on with: {resume_line(report.run, report.status, report.reason, runs)}")
    return exit_code(report)


def exit_code(report: RunReport) -> ExitCode:
    """The code that says how a run stands."""
    if report.status == "done":
        return ExitCode.DONE
    return ExitCode.INTERRUPTED if report.status == "interrupted" else ExitCode.NOT_DONE


def resume_line(run: str, status: RunStatus | None, reason: str | None, runs: Path) -> str:
    """What to type to go on with a run; after a limit, with the option that has to be raised."""
    return f"maker resume {run}{_raised(status, reason or '')}{runs_words(runs)}"


def runs_words(runs: Path) -> str:
    """The option that says where runs are, if it is needed."""
    return "" if runs == RUNS else f" --runs {runs}"


def _raised(status: RunStatus | None, reason: str) -> str:
    if status == "undecided":
        return " --max-samples N"
    for option, value in (("--max-steps", "N"), ("--max-depth", "N"), ("--max-cost", "USD")):
        if status == "limit" and option in reason:
            return f" {option} {value}"
    return ""


async def _go(make: Callable[[Watcher], Run], watcher: Watcher) -> tuple[RunReport, TaskError | None]:
    run = make(watcher)
    try:
        with _stopping(run):
            return await run.go(), run.task_error
    finally:
        watcher.close()


@contextmanager
def _stopping(run: Run) -> Iterator[None]:
    """Ctrl-C and a polite kill stop the run cleanly; a second Ctrl-C is the usual one."""
    loop = asyncio.get_running_loop()

    def stop(name: str) -> None:
        loop.remove_signal_handler(signal.SIGINT)
        run.stop(name)

    loop.add_signal_handler(signal.SIGINT, stop, "by Ctrl-C")
    loop.add_signal_handler(signal.SIGTERM, stop, "by SIGTERM")
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        loop.remove_signal_handler(signal.SIGTERM)


def _tell(report: RunReport, quiet: bool) -> None:
    if not quiet:
        flags = sum(report.flags.values())
        say(
            f"{report.run}: {report.status}, {count(report.steps, 'step')}, {count(report.samples, 'sample')}, "
            f"{count(report.votes, 'vote')}, {count(flags, 'flag')}, {cost_text(report.cost_usd)}, "
            f"{duration(report.seconds)}"
        )
        for name, number in sorted(report.flags.items(), key=lambda item: -item[1]):
            say(f"  flagged {number:,} × {name}")
        for line in (*wording_lines(report.wordings), *tally_lines(report.voters)):
            say(f"  {line}")
    if report.reason is not None:
        say(f"{report.status}: {report.reason}")
    if report.status == "done":
        if isinstance(report.result, dict):
            for name, value in report.result.items():
                result(f"{name} = {plain(value)}")
        else:
            result(plain(report.result))
