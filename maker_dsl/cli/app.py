"""The group of commands, loaded one at a time, and the one place where exceptions become exit codes."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import NoReturn

import click

from maker_dsl.cli.exits import ExitCode, Leave
from maker_dsl.version import __version__

COMMANDS: dict[str, tuple[str, str]] = {
    "check": ("check", "Find everything that is wrong with task files, before a token is bought."),
    "fmt": ("fmt", "Bring task files into their canonical layout."),
    "test": ("test", "Run the tests in task files."),
    "show": ("show", "Show a prompt, the reply format, a schema, a grammar, the limits or the graph of a task."),
    "validate": ("validate", "Put replies through the whole judgement, without a model."),
    "calibrate": ("calibrate", "Measure on random states how often a model is right, and what a step costs."),
    "plan": ("plan", "Say what a run will come to: margin, chance of success, votes, calls, tokens, cost, time."),
    "run": ("run", "Carry out a task."),
    "resume": ("resume", "Go on with a run that was stopped."),
    "status": ("status", "Say where a run stands."),
    "runs": ("status", "List the runs there are."),
    "explain": ("explain", "Explain a diagnostic's code, or a step of a run."),
    "verify": ("verify", "Replay a run's journal without a model and check everything in it."),
    "report": ("report", "Write a report of a run, or of two side by side: result, cost, odds, plots."),
    "export": ("export", "Write a run's steps or replies as a table, for pandas and DuckDB."),
    "simulate": ("simulate", "Serve the simulated model over HTTP, in the wire formats of real providers."),
}
"""Command → module in this package, and its line in `maker --help`; in the order of the way of work."""


class _Maker(click.Group):
    """Loads a command's module only when it is called: `maker --help` and `maker check` load little."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"maker_dsl.cli.{COMMANDS[cmd_name][0]}")
        command = getattr(module, cmd_name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            near = get_close_matches(args[0], COMMANDS, n=1)
            hint = f" Did you mean `maker {near[0]}`?" if near else " `maker --help` lists the commands."
            raise click.UsageError(f"There is no command `{args[0]}`.{hint}", ctx)
        return super().resolve_command(ctx, args)


@click.group(
    cls=_Maker,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="TASK is the path of a .maker file or the name of a bundled task, such as hanoi.",
)
@click.version_option(__version__, "--version", prog_name="maker", message="%(prog)s %(version)s")
def maker() -> None:
    """Carry out long LLM processes without errors: tiny steps, votes, red flags, a durable journal."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave the process with a documented exit code."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    _open_closed_streams()
    try:
        code = maker.main(args=None if arguments is None else list(arguments), prog_name="maker", standalone_mode=False)
        sys.stdout.flush()
    except Leave as leave:
        if leave.message:
            click.echo(leave.message, err=True)
        return leave.code
    except click.UsageError as error:
        error.show()
        return ExitCode.USAGE
    except click.ClickException as error:
        error.show()
        return ExitCode.USAGE
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return ExitCode.INTERRUPTED
    except (BrokenPipeError, SystemExit):
        # The reader of our output has gone (`maker … | head`), which click tells by SystemExit. Say nothing more.
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
        return ExitCode.DONE
    except Exception as error:
        return _told(error) or _our_bug(error)
    return code if isinstance(code, int) else ExitCode.DONE


def _open_closed_streams() -> None:
    """A stream that the caller closed (`maker … >&-`) takes everything and gives nothing."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115


def _told(error: Exception) -> int | None:
    """Say what failed where that is no bug of ours. Loaded only now: it knows the exceptions of all parts."""
    try:
        code: int | None = import_module("maker_dsl.cli.failures").tell(error)
    except Exception:
        return None
    return code


def _our_bug(error: Exception) -> ExitCode:
    told = "".join(traceback.format_exception(error))
    try:
        handle, name = tempfile.mkstemp(prefix="maker-bug-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(f"maker {__version__}, Python {sys.version}\n\n{told}")
        place = f"What happened is written down in {Path(name)}; it may name your files, so read it before you send it."
    except OSError:
        place = told
    click.echo(
        f"maker: this is a bug of ours, not a mistake of yours. Please report it.\n{place}\n"
        "Nothing in your run's journal is lost: `maker resume` goes on from there.",
        err=True,
    )
    return ExitCode.BUG
