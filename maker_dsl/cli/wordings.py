"""How the wordings of a task's prompts have done, as a small table: at the end of a run, and in `maker status`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from maker_dsl.engine.report import WordingReport

_LONGEST_NAME = 40


def wording_lines(wordings: Sequence[WordingReport]) -> Iterator[str]:
    """A line for each wording, under one for its step; nothing where no step has several."""
    width = max((len(_shortened(one.wording)) for one in wordings), default=0)
    for (task, step), rows in groupby(wordings, key=lambda one: (one.task, one.step)):
        yield f"wordings of {task}, step {step}:"
        for one in rows:
            yield (
                f"  {_shortened(one.wording):<{width}}  {one.samples:>9,} samples, "
                f"{share(one.flags, one.samples):>7} flagged, {share(one.lost, one.votes):>7} of votes lost"
            )


def share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}".replace("%", " %") if whole else "–"


def _shortened(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"
