"""The tables and tasks of docs/replies.md are true."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from maker_dsl.diagnostics import Source
from maker_dsl.language import check_text
from maker_dsl.task import Parsed, ReplyFormat
from maker_dsl.types.codec import codec

PAGE = (Path(__file__).parents[2] / "docs" / "replies.md").read_text(encoding="utf-8")


def table(heading: str) -> list[list[str]]:
    after = PAGE[PAGE.index(heading) :]
    rows = re.search(r"(?m)(^\|.*\n)+", after)
    assert rows is not None
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row.strip("|"))] for row in rows[0].split("\n")[2:-1]]


def spans(cell: str) -> list[str]:
    return [span.replace("\\|", "|") for span in re.findall(r"`([^`]*)`", cell)]


@cache
def format_of(type: str) -> ReplyFormat:
    text = f'''task t {{
      state {{ n: int = 0 }}
      done when n == 1
      step {{
        prompt "{{{{ reply.format }}}}"
        reply """x = {{x: {type}}}"""
        update {{ n = 1 }}
      }}
    }}'''
    checked = check_text(Source("t.maker", text))
    assert checked.program is not None, checked.diagnostics
    return checked.program.bind({}).steps[0].reply


@pytest.mark.parametrize("row", table("How each type is written"), ids=lambda row: row[0])
def test_the_notation_of_each_type(row: list[str]) -> None:
    (type,) = spans(row[0])
    for spelling in spans(row[1]):
        assert isinstance(format_of(type).read(f"x = {spelling}"), Parsed), spelling
    for spelling in spans(row[2]):
        assert not isinstance(format_of(type).read(f"x = {spelling}"), Parsed), spelling


@pytest.mark.parametrize("row", table("## When two replies are one vote"), ids=" ".join)
def test_equality_of_votes(row: list[str]) -> None:
    (type,), (one,), (other,), verdict = spans(row[0]), spans(row[1]), spans(row[2]), row[3]
    format = format_of(type)
    first, second = format.read(f"x = {one}"), format.read(f"x = {other}")
    assert isinstance(first, Parsed)
    if verdict == "the second is refused":
        assert not isinstance(second, Parsed)
        return
    assert isinstance(second, Parsed)
    key = codec(format.type).dump
    assert (key(first.value) == key(second.value)) == (verdict == "one vote")


@pytest.mark.parametrize("task", re.findall(r"(?s)```maker\n(.*?)```", PAGE))
def test_the_tasks_check_clean(task: str) -> None:
    assert check_text(Source("t.maker", task)).diagnostics == ()
