"""Replies as they are given to `maker validate`: as an argument, a file, standard input, or JSON Lines."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO, get_args

import click

from maker_dsl.cli.exits import ExitCode, Leave
from maker_dsl.cli.files import file_bytes
from maker_dsl.task import Finish
from maker_dsl.types.errors import ValueRefused
from maker_dsl.types.json_text import read_json

RECORD_KEYS: dict[str, type] = {"reply": str, "state": dict, "step": str, "tokens": int, "finish": str}
"""What a line of `--jsonl` may say of a reply to a task."""

_JSON_NAMES = {str: "string", dict: "object", int: "integer"}


def given_reply(reply: str | None) -> str:
    """The reply itself, or the text of a file (`@FILE`; `@@` stands for one `@`) or of standard input (`-`, None)."""
    if reply is None and sys.stdin.isatty():
        raise click.UsageError("Missing REPLY (or `-` to read it from standard input).")
    if reply in (None, "-", "@-"):
        return sys.stdin.buffer.read().decode("utf-8", "replace")
    # As it was typed, whatever the locale made of it.
    text = os.fsencode(str(reply)).decode("utf-8", "replace")
    if text.startswith("@@") or not text.startswith("@"):
        return text.removeprefix("@")
    try:
        return file_bytes(Path(str(reply)[1:])).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise click.UsageError(f"REPLY {text}: the file can't be read: {why}") from error


def given_lines(path: str) -> Iterator[tuple[int, str]]:
    """The lines of `--jsonl` that are not blank, with their numbers."""
    if path == "-":
        yield from _numbered(sys.stdin)
        return
    try:
        with Path(path).open(encoding="utf-8") as file:
            yield from _numbered(file)
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise click.UsageError(f"--jsonl {path}: the file can't be read: {why}") from error


def _numbered(file: TextIO) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(file, 1):
        if line.strip():
            yield number, line


def line_name(path: str, number: int) -> str:
    """What to call a line of `--jsonl` in a message."""
    return f"{'standard input' if path == '-' else path}, line {number}"


def given_record(line: str, where: str, keys: Mapping[str, type] = RECORD_KEYS) -> dict[str, Any]:
    """A line as an object with `reply`; leaves with 3 where it is something else."""
    try:
        value = read_json(line)
    except ValueRefused as error:
        raise Leave(ExitCode.USAGE, f"{where}: {error}") from error
    record = {"reply": value} if isinstance(value, str) else value
    if not isinstance(record, dict) or "reply" not in record:
        raise Leave(ExitCode.USAGE, f"{where}: expected a JSON string (the reply) or an object with `reply`")
    for key, one in record.items():
        if key not in keys:
            raise Leave(ExitCode.USAGE, f"{where}: unknown key `{key}`; there are: {', '.join(keys)}")
        if not isinstance(one, keys[key]) or isinstance(one, bool):
            raise Leave(ExitCode.USAGE, f"{where}: `{key}` must be a JSON {_JSON_NAMES[keys[key]]}")
    if "finish" in record and record["finish"] not in get_args(Finish):
        raise Leave(ExitCode.USAGE, f"{where}: `finish` is one of {', '.join(get_args(Finish))}")
    return record
