"""Compiles the rungs of `vote` blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from maker_dsl.checker.ladders import SAMPLES, profile_of, variant_of
from maker_dsl.checker.votes import MAX_SAMPLES, check_count
from maker_dsl.compiler.module import Entry, Module, shown
from maker_dsl.compiler.prompts import profile_name
from maker_dsl.compiler.votes import evaluate_setting
from maker_dsl.diagnostics import Problems
from maker_dsl.syntax import tree
from maker_dsl.task import ProfileName, Rung


@dataclass(frozen=True, slots=True)
class RungPlan:
    """A rung with the entry that gives its number of samples."""

    rung: tree.Rung
    samples: str


def plan_ladder(rungs: Sequence[tree.Rung], prefix: str, module: Module) -> tuple[RungPlan, ...]:
    """Compile the rungs of one step."""
    return tuple(
        RungPlan(rung, module.value(f"{prefix}_{number}", (), rung.samples)) for number, rung in enumerate(rungs)
    )


def bind_ladder(plans: Sequence[RungPlan], entries: Mapping[str, Entry], problems: Problems) -> tuple[Rung, ...]:
    """A step's rungs over one set of inputs; those out of range are reported."""
    rungs: list[Rung] = []
    for plan in plans:
        written = plan.rung
        samples = evaluate_setting(plan.samples, written.samples, entries, problems)
        if samples is None:
            continue
        check_count(SAMPLES, MAX_SAMPLES, samples, written.samples.span, f"this is {shown(samples)}", problems)
        variant = variant_of(written)
        profile = profile_name(profile_of(written))
        rungs.append(Rung(samples, profile, None if variant is None else variant.value))
    return tuple(rungs)


def ladder_profiles(rungs: Sequence[tree.Rung]) -> tuple[ProfileName, ...]:
    """The profiles that a ladder names."""
    named = (profile_name(profile_of(rung)) for rung in rungs)
    return tuple(one for one in named if one is not None)
