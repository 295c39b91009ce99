"""What a run was planned on, and how it does so far, in words."""

from __future__ import annotations

from collections.abc import Iterator

from maker_dsl.cli.output import count
from maker_dsl.cli.plan_text import share_text
from maker_dsl.cli.watching import duration
from maker_dsl.engine.odds import LiveOdds
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


def odds_told(odds: LiveOdds | None) -> Iterator[str]:
    """A line for the running estimates, once a step is decided."""
    if odds is None:
        return
    chance = "" if odds.chance is None else f"; all right so far with a chance of about {share_text(odds.chance)}"
    yield (
        f"odds, if what won is right: {share_text(odds.p)} of votes right ({share_text(odds.p_low)} to "
        f"{share_text(odds.p_high)}), {share_text(odds.v)} of replies pass{chance}"
    )
    if odds.seconds_left and odds.cost_usd is not None:
        yield f"forecast: ${odds.cost_usd:.4g} in all, {duration(odds.seconds_left)} of work left"
