"""`maker simulate`: the simulated model as a server."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import click

from maker_dsl.cli.exits import ExitCode, Leave
from maker_dsl.cli.limits import MOST
from maker_dsl.cli.loading import allow_option, bind_program, load_program, set_option
from maker_dsl.cli.output import say
from maker_dsl.providers.port import PermanentError
from maker_dsl.simulation.rates import RateProblem, Rates, read_rates
from maker_dsl.simulation.server import serve
from maker_dsl.simulation.server.grammars import Handling
from maker_dsl.task import Checkers

_SHARES = {
    "wrong": "Share of replies that are well formed and wrong.",
    "malformed": "Share of replies that can't be read.",
    "overlong": "Share of replies that ramble on.",
    "truncated": "Share of replies cut off at the token limit.",
    "error-429": "Share of calls refused as too many.",
    "error-500": "Share of calls that fail with a server error.",
    "dropped": "Share of calls whose connection is dropped.",
    "agree": "Share of wrong replies that give the same wrong answer.",
}


def _rate_options(command: Any) -> Any:
    for name, help in reversed(_SHARES.items()):
        command = click.option(f"--{name}", type=click.FloatRange(0, 1), metavar="SHARE", help=help)(command)
    return command


@click.command()
@click.argument("task", metavar="TASK")
@set_option
@click.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="0 takes a free one.")
@click.option("--seed", type=click.IntRange(-MOST, MOST), help="The seed of everything random. [default: 0]")
@allow_option
@_rate_options
@click.option("--latency", metavar="S|lognormal(M,S)", help='Seconds, or "lognormal(median, sigma)".')
@click.option(
    "--grammars",
    type=click.Choice(get_args(Handling)),
    default="ignore",
    show_default=True,
    help="What to do with grammars that replies are to be held to.",
)
@click.option("--log", type=click.Path(path_type=Path), metavar="FILE", help="Write every call to a JSON Lines file.")
def simulate(
    task: str,
    settings: tuple[str, ...],
    port: int,
    seed: int | None,
    latency: str | None,
    grammars: Handling,
    log: Path | None,
    allowed: Checkers | None,
    **shares: float | None,
) -> int:
    """Serve the simulated model on loopback, in the formats of OpenAI, Anthropic, Gemini and Ollama. Ctrl-C ends it."""
    bound = bind_program(load_program(task, allowed), settings)
    given = {**shares, "latency": latency}
    rates = read_rates({name: value for name, value in given.items() if value is not None})
    if not isinstance(rates, Rates):
        raise click.UsageError("; ".join(_option_problem(problem) for problem in rates))
    try:
        serve(bound, rates, seed=seed, port=port, log=log, grammars=grammars, announce=say)
    except PermanentError as error:
        raise Leave(ExitCode.WRONG, f"{error}; {error.help}" if error.help else str(error)) from error
    except OSError as error:
        what = log if log is not None and error.filename else f"port {port}"
        raise Leave(ExitCode.USAGE, f"{what} can't be used: {error.strerror or error}") from error
    return ExitCode.DONE


def _option_problem(problem: RateProblem) -> str:
    return f"--{problem.key.replace('_', '-')}: {problem.message}" if problem.key else problem.message
