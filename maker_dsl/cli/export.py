"""`maker export`: a run's steps or replies as a table."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import BinaryIO

import click

from maker_dsl.api import load_kept_task, open_run
from maker_dsl.cli.exits import ExitCode, Leave
from maker_dsl.cli.output import count, say
from maker_dsl.cli.working import runs_option
from maker_dsl.cli.writing import whole_file
from maker_dsl.exporting.columns import Of
from maker_dsl.exporting.tables import Exported, export_run
from maker_dsl.exporting.writers import Format, ParquetMissing
from maker_dsl.journal.run_directory import RunDirectory


@click.command()
@click.argument("run", metavar="RUN", default="last")
@click.option(
    "--format",
    "form",
    type=click.Choice(["jsonl", "csv", "parquet"]),
    help="The form of the table. [default: what FILE ends in, else jsonl]",
)
@click.option("--of", type=click.Choice(["steps", "replies"]), default="steps", show_default=True, help="What of.")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write to FILE.")
@click.option("--states", is_flag=True, help="The states in full, not their hashes alone (slower).")
@runs_option
def export(run: str, form: Format | None, of: Of, output: Path | None, states: bool, runs: Path) -> int:
    """Write the steps or the replies of a run as a table, for pandas, DuckDB and the like.

    A run that is at work, was killed or is damaged: what is there is written, and a note says so.
    """
    chosen = form or _form_of(output)
    if output is None and chosen == "parquet" and sys.stdout.isatty():
        raise click.UsageError("A Parquet file is nothing for a terminal: say where it goes, with `-o FILE`.")
    directory = open_run(run, runs)
    try:
        if output is None:
            written = _write(directory, of, chosen, sys.stdout.buffer, states)
        else:
            with whole_file(output) as out:
                written = _write(directory, of, chosen, out, states)
    except ParquetMissing as missing:
        raise Leave(ExitCode.USAGE, f"{missing}") from missing
    for note in written.notes:
        say(f"note: {note}")
    if output is not None:
        say(f"{output}: {count(written.rows, 'row')}")
    return ExitCode.DONE if written.is_whole else ExitCode.NOT_DONE


def _write(directory: RunDirectory, of: Of, form: Format, out: BinaryIO, states: bool) -> Exported:
    return export_run(directory, of, form, out, load_kept_task if states else None)


def _form_of(output: Path | None) -> Format:
    match "" if output is None else output.suffix.lower():
        case ".csv":
            return "csv"
        case ".parquet" | ".pq":
            return "parquet"
        case _:
            return "jsonl"
