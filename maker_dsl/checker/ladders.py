"""Checks the rungs of `vote` blocks: `then 40 samples with profile "strong" with variant "short"`.

A ladder of the task is checked once, but for its wordings: those are each step's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from maker_dsl.checker.expressions import check
from maker_dsl.checker.prompts import check_profile_name
from maker_dsl.checker.task_context import TaskContext
from maker_dsl.checker.types import literal_number
from maker_dsl.checker.votes import MAX_SAMPLES, check_count
from maker_dsl.diagnostics import Label, Span, did_you_mean
from maker_dsl.syntax import tree
from maker_dsl.types.type import IntType

SAMPLES = "a number of samples"


def check_ladder(blocks: Iterable[tree.VoteBlock], context: TaskContext) -> tuple[tree.Rung, ...]:
    """The rungs of a task's or step's blocks, in order; wrong numbers and names of profiles are reported."""
    rungs = tuple(one for block in blocks for one in block.settings if isinstance(one, tree.Rung))
    for rung in rungs:
        check(rung.samples, context.inputs, context.problems, context.typing, IntType())
        number = literal_number(rung.samples)
        if number is not None:
            check_count(SAMPLES, MAX_SAMPLES, number, rung.samples.span, "out of range", context.problems)
        _check_parts(rung, context)
    return rungs


def profile_of(rung: tree.Rung) -> tree.Text | None:
    """The profile that a rung names."""
    return next((part.profile for part in rung.parts if isinstance(part, tree.WithProfile)), None)


def variant_of(rung: tree.Rung) -> tree.Text | None:
    """The wording that a rung names."""
    return next((part.variant for part in rung.parts if isinstance(part, tree.WithVariant)), None)


def check_variants(
    rungs: Sequence[tree.Rung], step: str, wordings: Sequence[str], place: Span | None, context: TaskContext
) -> None:
    """Report wordings that a step doesn't have; `place` is the step's, where the ladder is the task's."""
    for rung in rungs:
        variant = variant_of(rung)
        if variant is None or variant.value in wordings:
            continue
        listed = "it has " + ", ".join(f"`{one}`" for one in wordings)
        if place is not None:
            listed += "; or give the step a ladder of its own, in a `vote` of its own"
        elif len(wordings) == 1:
            listed = f'add one: `prompt variant "{variant.value}" """…"""`'
        title = f"step `{step}` has no wording `{variant.value}`"
        also = [] if place is None else [Label(place, "this step")]
        help = did_you_mean(variant.value, wordings, listed)
        context.problems.add("MK505", title, variant.span, also=also, help=help)


def _check_parts(rung: tree.Rung, context: TaskContext) -> None:
    seen: dict[str, tree.Node] = {}
    for part in rung.parts:
        word = "with profile" if isinstance(part, tree.WithProfile) else "with variant"
        earlier = seen.setdefault(word, part)
        if earlier is not part:
            also = [Label(earlier.span, "first here")]
            help = "samples of another model or in another wording are a rung of their own: `then 40 samples …`"
            context.problems.add(
                "MK501", f"`{word}` stands twice", part.span, "a second time here", also=also, help=help
            )
        elif isinstance(part, tree.WithProfile):
            check_profile_name(part.profile, context)
