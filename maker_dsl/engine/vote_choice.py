"""What a run is planned on, from calibrations: its margin or stopping table, and what it takes its models to be.

Used where a run is begun, by the command line and the Python API. Pure. It is worked out once: the run's first record
has it, and nothing afterwards works anything out anew, so the error budget of the whole run is spent once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from maker_dsl.engine.calibration_file import Calibration, Estimate
from maker_dsl.engine.records import AssumedRecord, PlanRecord, TableRecord
from maker_dsl.engine.settings import Planned, SettingsRefused, refusal
from maker_dsl.engine.vote_plan import VotePlan, plan_votes
from maker_dsl.task import Task

How = Literal["auto", "adaptive"]
DEFAULT_TARGET = 0.95


def require_task(calibrations: Sequence[Calibration], task: str) -> None:
    """Raise SettingsRefused for calibrations of another task."""
    found = [
        refusal(
            "MK513",
            f"a calibration is of `{one.task}`, and the run is of `{task}`",
            "--calibration",
            one.task,
            f"measure this task: `maker calibrate {task} --provider {one.provider} -o FILE`",
        )
        for one in calibrations
        if one.task != task
    ]
    if found:
        raise SettingsRefused(*found)


def length_of(task: Task, said: int | None) -> int | None:
    """The steps of a run: what the task says, or what is `said` where it doesn't or where that is more.

    Raises SettingsRefused where fewer are said than the task takes: its error budget would be spent more than once.
    """
    known = None if task.run_steps else task.expected_steps
    if known is not None and said is not None and said < known:
        raise SettingsRefused(
            refusal(
                "MK514",
                f"`{task.name}` takes {known:,} steps with these inputs, more than {said:,}",
                "--steps",
                said,
                "leave `--steps` out: the task says how many there are",
            )
        )
    return said or known


def choose_votes(
    how: How | None,
    matched: Mapping[str, Calibration],
    steps: int | None,
    target: float,
    max_samples: int | None = None,
    spent: tuple[float, int, int] = (0.0, 0, 0),
    source: str = "",
) -> Planned:
    """How a run votes, by calibrations by profile (`""`: the run's own); without `how`, what it counts on alone.

    Of several models the weakest makes the margin, since a vote of any other counts at least as much. Raises
    PlanImpossible where no margin reaches the target, TheoryError for a number that is out of its range, and
    SettingsRefused where the steps are not known.
    """
    assumed = {name: _assumed(one) for name, one in matched.items()}
    if how is None:
        return Planned(PlanRecord(assumed, steps, source=source, spent=spent))
    if steps is None:
        raise SettingsRefused(
            refusal(
                "MK514",
                "nobody knows how many steps the run has, so its error budget can't be shared out",
                "--ahead-by",
                how,
                "say how many there are at most, those of sub-runs included: `--steps N`",
            )
        )
    weakest = min(matched.values(), key=lambda one: one.p.low)
    plan = plan_votes(weakest, steps, target, adaptive=how == "adaptive", max_samples=max_samples)
    record = PlanRecord(
        assumed, steps, target, plan.success, plan.votes_per_step, _table(plan), spent, source or weakest.source
    )
    return Planned(record, plan.ahead_by, plan.max_samples)


def _assumed(one: Calibration) -> AssumedRecord:
    return AssumedRecord(
        one.p.value,
        one.p.low,
        one.passing.value,
        one.passing.low,
        sum(state.votes for state in one.states),
        one.truth,
        _value(one.cost_usd),
        _value(one.latency_s),
    )


def _table(plan: VotePlan) -> TableRecord | None:
    table = plan.table
    return None if table is None else TableRecord(table.bound, table.maximum, tuple(sorted(table.decided)))


def _value(estimate: Estimate | None) -> float | None:
    return None if estimate is None else estimate.value
