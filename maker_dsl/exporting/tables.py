"""From a run's directory to a table in a stream. Used by `maker export`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

from maker_dsl.engine.chronicle import Chronicle
from maker_dsl.engine.start import LoadTask
from maker_dsl.exporting.columns import Of, columns_of
from maker_dsl.exporting.rows import reply_rows, step_row
from maker_dsl.exporting.writers import Format, open_writer
from maker_dsl.journal.run_directory import RunDirectory


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written. `is_whole` is false where the journal could not be read to its end."""

    rows: int
    notes: tuple[str, ...]
    is_whole: bool


def export_run(directory: RunDirectory, of: Of, form: Format, out: BinaryIO, load_task: LoadTask | None) -> Exported:
    """Write a table of a run; with `load_task` the states in full.

    Raises ParquetMissing before anything is written, JournalError, and what `load_task` raises.
    """
    chronicle = Chronicle(directory, load_task)
    record = chronicle.record
    writer = open_writer(form, columns_of(of), out)
    rows = 0
    try:
        for entry in chronicle.entries():
            if of == "steps":
                writer.write(step_row(record, entry))
                rows += 1
            else:
                for row in reply_rows(record, entry):
                    writer.write(row)
                    rows += 1
    finally:
        writer.close()
    return Exported(rows, tuple(chronicle.notes), chronicle.is_whole)
