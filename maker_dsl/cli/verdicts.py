"""How `maker validate` shows what became of a reply."""

from __future__ import annotations

from typing import Any

from maker_dsl.cli.output import result, say
from maker_dsl.diagnostics import Source
from maker_dsl.judging import Flag


def flag_as_json(flag: Flag, text: str) -> dict[str, Any]:
    """A reject as `--json` and `--jsonl` give it."""
    place = {} if flag.offset is None else _position(text, flag.offset)
    return {
        "verdict": "reject",
        "reason": flag.name,
        "detail": flag.detail,
        "stage": flag.stage,
        "value": None,
        "state": None,
        **place,
    }


def print_flag(flag: Flag, text: str) -> None:
    """A reject for people."""
    place = ""
    if flag.offset is not None:
        position = _position(text, flag.offset)
        place = f" (line {position['line']}, column {position['column']})"
    result(f"reject: {flag.name}\n  {flag.detail}{place}")


def say_verdicts(total: int, rejected: int) -> None:
    """How many of many were accepted."""
    say(f"{total - rejected:,} accepted, {rejected:,} rejected")


def _position(text: str, offset: int) -> dict[str, int]:
    place = Source("reply", text).position(offset)
    return {"line": place.line, "column": place.column}
