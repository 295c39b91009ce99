"""A report as Markdown, for pull requests and chats. Used by `maker report --format md`.

Texts of models stand in code alone, in fences longer than any run of backticks in them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from maker_dsl.reporting.escaping import harmless
from maker_dsl.reporting.facts import Facts, HardStep
from maker_dsl.reporting.sections import (
    RESTS_ON,
    Table,
    chance_sentence,
    hard_step_line,
    origin_table,
    overview,
    summary,
    tables,
)

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|!~&@])")


def markdown(runs: Sequence[Facts]) -> str:
    """The report of a run, or of two side by side."""
    return "\n".join(_lines(runs)) + "\n"


def _lines(runs: Sequence[Facts]) -> Iterator[str]:
    yield f"# {_plain(' and '.join(run.origin.run for run in runs))}"
    for run in runs:
        yield f"\n{_plain(summary(run))}\n\n**{_plain(chance_sentence(run))}**"
        for note in run.notes:
            yield f"\n> {_plain(note)}"
    yield f"\n{_plain(RESTS_ON)}"
    yield from _table(overview(runs))
    for run in runs:
        if len(runs) > 1:
            yield f"\n## {_plain(run.origin.run)}"
        for table in tables(run):
            yield from _table(table)
        if run.hardest:
            yield "\n## Hardest steps"
        for step in run.hardest:
            yield from _hard_step(step)
    yield from _table(origin_table(runs))


def _table(table: Table) -> Iterator[str]:
    yield f"\n## {table.title}\n"
    yield _row(table.head)
    yield "|" + "---|" * len(table.head)
    for row in table.rows:
        yield _row(row)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(map(_plain, cells)) + " |"


def _hard_step(step: HardStep) -> Iterator[str]:
    yield f"\n### {_plain(hard_step_line(step))}"
    for name, text in (("State", step.state), ("Prompt", step.prompt), ("What won", step.value)):
        if text is not None:
            yield f"\n{name}:\n\n{_fenced(text)}"
    for reply in step.replies:
        won = " that won" if reply.won else ""
        wordings = f" ({', '.join(reply.wordings)})" if reply.wordings else ""
        yield f"\n{reply.number:,} × {_plain(reply.verdict)}{won}{_plain(wordings)}:"
        if reply.thought is not None:
            yield f"\n{_fenced(reply.thought)}"
        yield f"\n{_fenced(reply.text if reply.text is not None else reply.value or '')}"
    if step.left_out:
        yield f"\n… and {step.left_out:,} more samples."


def _plain(text: str) -> str:
    """A text on one line in which nothing is markup."""
    return _SPECIAL.sub(r"\\\1", " ".join(harmless(text).split()))


def _fenced(text: str) -> str:
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{harmless(text)}\n{fence}"
