"""`maker check`: every diagnostic of task files."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from maker_dsl.cli.exits import ExitCode
from maker_dsl.cli.loading import allow_option, check_file
from maker_dsl.cli.output import colour_on, count, json_result, result, say, summary
from maker_dsl.diagnostics import Diagnostic, concise
from maker_dsl.diagnostics.as_json import as_json
from maker_dsl.diagnostics.text import render
from maker_dsl.expressions.fuel import is_out_of_fuel, shared_fuel
from maker_dsl.expressions.limits import MAX_TESTS_FUEL
from maker_dsl.task import Checkers
from maker_dsl.testing import failed_tests

if TYPE_CHECKING:
    from maker_dsl.cli.fitting import Fitting


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option("--format", "form", type=click.Choice(["text", "concise", "json"]), default="text", show_default=True)
@click.option("--provider", metavar="NAME|PATH", help="Also say what may not fit into this profile's model.")
@click.option("--override", "overrides", multiple=True, metavar="KEY=VALUE", help="Change a key of the profile.")
@allow_option
def check(
    files: tuple[str, ...], form: str, provider: str | None, overrides: tuple[str, ...], allowed: Checkers | None
) -> int:
    """Find everything that is wrong with task files, before a token is bought.

    Syntax, names, types, grammar conflicts, prompt variables, and tests that fail. Exit code 2 if there are errors.
    """
    if overrides and provider is None:
        raise click.UsageError("--override changes a key of a profile: name one with --provider.")
    fitting = None if provider is None else _fitting(provider, overrides)
    found: list[Diagnostic] = []
    seen: set[tuple[str, str, int, int]] = set()
    waiting: set[str] = set()
    wrong = False
    for file in files:
        checked = check_file(file, allowed)
        diagnostics = list(checked.diagnostics)
        if checked.program is not None:
            with shared_fuel(MAX_TESTS_FUEL):
                diagnostics += [one for program in checked.programs for one in failed_tests(program)]
                if is_out_of_fuel():
                    say(f"{file}: its tests take so much work that not all were run: `maker test {file}` runs them")
            waiting |= {name for outline in checked.program.outlines for name in outline.unallowed}
        wrong = wrong or checked.program is None or len(diagnostics) > len(checked.diagnostics)
        if fitting is not None and checked.program is not None:
            diagnostics += fitting.misfits(checked)
        # A file that several use is checked with each of them.
        diagnostics = [one for one in diagnostics if _place(one) not in seen]
        seen |= {_place(one) for one in diagnostics}
        found += diagnostics
        for diagnostic in diagnostics:
            if form == "json":
                json_result(as_json(diagnostic))
            elif form == "concise":
                result(concise.render(diagnostic).rstrip("\n"))
            else:
                click.echo(render(diagnostic, colour=colour_on(sys.stdout)))
    for name in sorted(waiting):
        say(f"what calls checkers of the plug-in `{name}` was not tried out: allow it with `--allow {name}`")
    say(f"{count(len(files), 'file')} checked: {summary(found)}")
    return ExitCode.WRONG if wrong else ExitCode.DONE


def _fitting(provider: str, overrides: tuple[str, ...]) -> Fitting:
    """What holds tasks against a model; a check without it need not load the engine."""
    from maker_dsl.cli.fitting import Fitting

    return Fitting(provider, overrides)


def _place(diagnostic: Diagnostic) -> tuple[str, str, int, int]:
    span = diagnostic.primary.span
    return diagnostic.code, os.path.realpath(span.source.name), span.start, span.end
