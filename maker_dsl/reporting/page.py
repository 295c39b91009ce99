"""A report as one HTML page that needs nothing else: no scripts, no network. Used by `maker report`.

Invariant: texts come in through `escaped` alone; a policy in the page keeps browsers from running or loading anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from maker_dsl.reporting.escaping import escaped
from maker_dsl.reporting.facts import Facts, HardStep, ReplyGroup
from maker_dsl.reporting.figures import STYLES, figures
from maker_dsl.reporting.page_style import STYLE
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

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(runs: Sequence[Facts]) -> str:
    """The report of a run, or of two side by side."""
    return "\n".join(_lines(runs)) + "\n"


def _lines(runs: Sequence[Facts]) -> Iterator[str]:
    title = " and ".join(run.origin.run for run in runs)
    yield "<!DOCTYPE html>"
    yield '<html lang="en"><head><meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{escaped(title)}: report</title>"
    yield f"<style>{STYLE}</style></head><body>"
    yield f"<h1>{escaped(title)}</h1>"
    for run, style in zip(runs, STYLES, strict=False):
        key = f'<span class="key {style}"></span>' if len(runs) > 1 else ""
        yield f"<p>{key}{escaped(summary(run))}</p>"
        for note in run.notes:
            yield f'<p class="note">{escaped(note)}</p>'
        yield f'<div class="odds"><p><strong>{escaped(chance_sentence(run))}</strong></p></div>'
    yield f'<p class="dim">{escaped(RESTS_ON)}</p>'
    yield from _table(overview(runs))
    yield "<h2>Plots</h2>"
    drawn = figures(runs)
    yield '<div class="plots">' if drawn else "<p>There is nothing to draw yet.</p>"
    for figure in drawn:
        yield f"<figure><h3>{escaped(figure.title)}</h3>{figure.svg}"
        yield f"<figcaption>{escaped(figure.caption)}</figcaption></figure>"
    if drawn:
        yield "</div>"
    for run in runs:
        if len(runs) > 1:
            yield f"<h2>{escaped(run.origin.run)}</h2>"
        for table in tables(run):
            yield from _table(table, level=3 if len(runs) > 1 else 2)
        yield from _hardest(run)
    yield from _table(origin_table(runs))
    yield "</body></html>"


def _table(table: Table, level: int = 2) -> Iterator[str]:
    yield f"<h{level}>{escaped(table.title)}</h{level}>"
    yield '<div class="wide"><table><thead><tr>'
    yield "".join(f'<th scope="col">{escaped(cell)}</th>' for cell in table.head)
    yield "</tr></thead><tbody>"
    for first, *others in table.rows:
        cells = "".join(f"<td>{escaped(cell)}</td>" for cell in others)
        yield f'<tr><th scope="row">{escaped(first)}</th>{cells}</tr>'
    yield "</tbody></table></div>"


def _hardest(run: Facts) -> Iterator[str]:
    yield "<h2>Hardest steps</h2>"
    if not run.hardest:
        yield "<p>No step was contested, and no reply flagged.</p>"
        return
    yield '<p class="dim">Those that took the most samples. Long texts are shortened; '
    yield "<code>maker explain RUN STEP</code> has them whole.</p>"
    for step in run.hardest:
        yield from _hard_step(step)


def _hard_step(step: HardStep) -> Iterator[str]:
    # Open from the start, since what is folded isn't printed.
    yield f"<details open><summary>{escaped(hard_step_line(step))}</summary>"
    for name, text in (("State", step.state), ("Prompt", step.prompt), ("What won", step.value)):
        if text is not None:
            yield f"<h3>{name}</h3>{_pre(text)}"
    yield "<h3>Replies</h3>"
    for reply in step.replies:
        yield from _reply(reply)
    if step.left_out:
        yield f"<p>… and {step.left_out:,} more samples.</p>"
    yield "</details>"


def _reply(reply: ReplyGroup) -> Iterator[str]:
    style = "won" if reply.won else "flagged" if reply.value is None else "lost"
    wordings = f" · {', '.join(reply.wordings)}" if reply.wordings else ""
    won = " that won" if reply.won else ""
    yield f'<p class="{style}">{reply.number:,} × {escaped(reply.verdict)}{won}{escaped(wordings)}</p>'
    if reply.thought is not None:
        yield f'<p class="dim">the thought</p>{_pre(reply.thought)}'
    if reply.text is not None:
        yield _pre(reply.text)
    elif reply.value is not None:
        yield f'<p class="dim">The text was not kept. Its value:</p>{_pre(reply.value)}'


def _pre(text: str) -> str:
    # A line break right after the tag would be swallowed.
    return f"<pre>\n{escaped(text)}</pre>"
