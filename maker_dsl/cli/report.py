"""`maker report`: what a run did, what it cost and how likely it is right, in one file; or two runs side by side."""

from __future__ import annotations

import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Literal

import click
import orjson

from maker_dsl.api import load_kept_task, open_run
from maker_dsl.choosing import Refused
from maker_dsl.cli.exits import ExitCode
from maker_dsl.cli.output import json_result, result, say
from maker_dsl.cli.working import runs_option
from maker_dsl.cli.writing import whole_file
from maker_dsl.journal.errors import RunUnreadable
from maker_dsl.journal.run_directory import RunDirectory
from maker_dsl.language import InputRefused
from maker_dsl.reporting.facts import Facts
from maker_dsl.reporting.gathering import gather
from maker_dsl.reporting.markdown import markdown
from maker_dsl.reporting.page import page
from maker_dsl.task import TaskError

Form = Literal["html", "md", "json"]


@click.command()
@click.argument("given", metavar="RUN [RUN]", nargs=-1)
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write to FILE.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["html", "md", "json"]),
    help="The form of the report. [default: what FILE ends in, else html]",
)
@runs_option
def report(given: tuple[str, ...], output: Path | None, form: Form | None, runs: Path) -> int:
    """Write a report of a run: what ran, its result, cost and odds, with plots. Of two runs: both side by side."""
    if len(given) > 2:
        raise click.UsageError(f"A report compares two runs; these are {len(given)}.")
    chosen = form or _form_of(output)
    if output is None and chosen == "html" and sys.stdout.isatty():
        raise click.UsageError("A page is nothing for a terminal: say where it goes, with `-o FILE`, or `--format md`.")
    found = [_gathered(open_run(run, runs)) for run in given or ("last",)]
    for facts in found:
        for note in facts.notes:
            say(f"note: {facts.origin.run}: {note}")
    if output is not None:
        with whole_file(output) as out:
            out.write(_text(found, chosen).encode())
        say(f"{output}: the report of {' and '.join(facts.origin.run for facts in found)}")
    elif chosen == "json":
        json_result(_members(found))
    else:
        result(_text(found, chosen).rstrip("\n"))
    return ExitCode.DONE if all(facts.is_whole for facts in found) else ExitCode.NOT_DONE


def _gathered(directory: RunDirectory) -> Facts:
    """The facts of a run; where its task can't be had as it was, those that don't need it."""
    try:
        facts = gather(directory, load_kept_task)
    except (Refused, InputRefused, TaskError, RunUnreadable):
        facts = None
    if facts is not None and facts.is_whole:
        return facts
    without = gather(directory, None)
    if facts is not None and not without.is_whole:
        return facts
    note = "the task can't be loaded as it was, or the journal doesn't follow from it; prompts and states are left out"
    return replace(without, notes=(note, *without.notes))


def _text(found: list[Facts], form: Form) -> str:
    match form:
        case "html":
            return page(found)
        case "md":
            return markdown(found)
        case "json":
            return orjson.dumps(_members(found), option=orjson.OPT_APPEND_NEWLINE).decode()


def _members(found: list[Facts]) -> dict[str, object]:
    return {"runs": [asdict(facts) for facts in found]}


def _form_of(output: Path | None) -> Form:
    match "" if output is None else output.suffix.lower():
        case ".md" | ".markdown":
            return "md"
        case ".json":
            return "json"
        case _:
            return "html"
