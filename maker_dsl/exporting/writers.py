"""The forms of the tables: JSON Lines, CSV, Parquet. Each takes row after row and keeps none, or one batch.

Parquet needs pyarrow, which is imported here alone, when a Parquet file is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, BinaryIO, Literal, Protocol

import orjson

from maker_dsl.exporting.columns import Cell, Column, Row

Format = Literal["jsonl", "csv", "parquet"]

BATCH = 20_000
"""Rows of a group in a Parquet file; fewer where their texts are long."""

BATCH_CHARACTERS = 16_000_000


class ParquetMissing(Exception):
    """pyarrow is not installed."""

    def __init__(self) -> None:
        super().__init__("Parquet files need pyarrow, which is not installed: `pip install 'maker-dsl[parquet]'`")


class Writer(Protocol):
    """What a table is written with."""

    def write(self, row: Row) -> None:
        """Write a row, or keep it for the next batch."""
        ...

    def close(self) -> None:
        """Write what is left. The stream stays open."""
        ...


def open_writer(form: Format, columns: Sequence[Column], out: BinaryIO) -> Writer:
    """A writer of a table to a stream. Raises ParquetMissing."""
    match form:
        case "jsonl":
            return _JsonLines(columns, out)
        case "csv":
            return _Csv(columns, out)
        case "parquet":
            return _Parquet(columns, out)


class _JsonLines:
    def __init__(self, columns: Sequence[Column], out: BinaryIO) -> None:
        self._names = [column.name for column in columns]
        self._out = out

    def write(self, row: Row) -> None:
        self._out.write(orjson.dumps({name: row[name] for name in self._names}, option=orjson.OPT_APPEND_NEWLINE))

    def close(self) -> None:
        self._out.flush()


class _Csv:
    """Texts are always in quotes and absent cells never, so that readers can tell an empty text from none."""

    def __init__(self, columns: Sequence[Column], out: BinaryIO) -> None:
        self._names = [column.name for column in columns]
        self._out = out
        self._out.write((",".join(self._names) + "\n").encode())

    def write(self, row: Row) -> None:
        self._out.write((",".join([_csv_cell(row[name]) for name in self._names]) + "\n").encode())

    def close(self) -> None:
        self._out.flush()


class _Parquet:
    def __init__(self, columns: Sequence[Column], out: BinaryIO) -> None:
        try:
            import pyarrow
            import pyarrow.parquet
        except ImportError as error:
            raise ParquetMissing from error
        types = {
            "text": pyarrow.string(),
            "whole": pyarrow.int64(),
            "number": pyarrow.float64(),
            "truth": pyarrow.bool_(),
        }
        self._schema: Any = pyarrow.schema([(column.name, types[column.kind]) for column in columns])
        self._make_batch: Any = pyarrow.RecordBatch.from_pylist
        self._file: Any = pyarrow.parquet.ParquetWriter(out, self._schema, compression="zstd")
        self._rows: list[Row] = []
        self._characters = 0

    def write(self, row: Row) -> None:
        self._rows.append(row)
        self._characters += sum(len(cell) for cell in row.values() if isinstance(cell, str))
        if len(self._rows) >= BATCH or self._characters >= BATCH_CHARACTERS:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._file.close()

    def _flush(self) -> None:
        if self._rows:
            self._file.write_batch(self._make_batch(self._rows, schema=self._schema))
            self._rows.clear()
            self._characters = 0


def _csv_cell(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return "true" if cell else "false"
        case str():
            return '"' + cell.replace('"', '""') + '"'
        case _:
            return repr(cell)
