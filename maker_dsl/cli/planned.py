"""What a run was planned on, in words: as it begins, and where it stands."""

from __future__ import annotations

from collections.abc import Iterator

from maker_dsl.cli.output import count
from maker_dsl.cli.plan_text import share_text
from maker_dsl.engine.records import PlanRecord


def plan_told(plan: PlanRecord | None, margin: int | None = None) -> Iterator[str]:
    """A line for a plan with a target; nothing where a run just counts on a calibration."""
    if plan is None or plan.target is None or plan.steps is None or plan.success is None:
        return
    ahead = [] if margin is None else [f"ahead by {margin}"]
    if plan.table is not None:
        ahead = ["adaptive margin" if margin is None else f"adaptive margin in place of ahead by {margin}"]
    votes = [] if plan.votes_per_step is None else [f"about {plan.votes_per_step:.2f} votes a step"]
    chance = f"all {count(plan.steps, 'step')} right with a chance of {share_text(plan.success)}"
    wanted = f"{share_text(plan.target)} wanted"
    yield f"planned: {', '.join([*ahead, *votes, chance, wanted])} ({plan.source})"
