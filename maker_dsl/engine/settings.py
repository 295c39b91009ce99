"""What a run is set to: asked for, in whose words, and what that comes to for each kind of step.

Used by `run`. The command line wins over the profile, the profile over the task, the task over the defaults; where
each value came from is kept, shown and journaled.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol, TypeVar

from maker_dsl.diagnostics import Diagnostic, Label, Source, Span
from maker_dsl.engine.policy import (
    DEFAULT_AHEAD_BY,
    DEFAULT_FIRST_TEMPERATURE,
    DEFAULT_MAX_SAMPLES,
    DEFAULT_TEMPERATURE,
    Setting,
    StepPolicy,
    policy_of,
    settle,
)
from maker_dsl.engine.records import DEFAULT_MAX_DEPTH, MAIN_PROFILE, PlanRecord, VoterRecord
from maker_dsl.providers.port import Provider
from maker_dsl.task import Task

Keep = Literal["all", "contested", "none"]
T = TypeVar("T")

MOST_DEPTH = 200
"""The largest `max_depth`: each level of sub-runs that are carried out in turn takes a part of Python's stack."""


class SettingsRefused(Exception):
    """What was asked for can't be run; nothing was started. Carries the findings; the command line exits with 2."""

    def __init__(self, *diagnostics: Diagnostic) -> None:
        super().__init__("; ".join(diagnostic.title for diagnostic in diagnostics))
        self.diagnostics = diagnostics


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What one voice asks for: the command line, or a profile. None where it says nothing.

    `max_samples` is for one step, as in `vote { at most 60 samples }`; `max_total_samples` and `max_total_tokens` are
    for the run, and so are `max_cost_usd`, `max_steps`, `max_seconds` and `max_depth`. A temperature of None is left to
    the next voice.
    """

    ahead_by: int | None = None
    max_samples: int | None = None
    first_temperature: float | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    max_steps: int | None = None
    max_cost_usd: float | None = None
    max_total_samples: int | None = None
    max_total_tokens: int | None = None
    max_seconds: float | None = None
    max_depth: int | None = None
    seed: int | None = None
    keep: Keep | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """How a run votes, as far as that was worked out before it began; what it says stands above everything else.

    `voters` are for the steps that name no profile of their own: the run's own profile is None there, others are
    among the setup's named ones. A plan with a table makes the steps adaptive.
    """

    plan: PlanRecord | None = None
    ahead_by: int | None = None
    max_samples: int | None = None
    voters: tuple[VoterRecord, ...] = ()
    order: Literal["rotate", "cheapest"] = "rotate"


NOTHING_PLANNED = Planned()


@dataclass(frozen=True, slots=True)
class Caps:
    """Limits of the whole run; None where there is none."""

    max_steps: int | None = None
    max_cost_usd: float | None = None
    max_samples: int | None = None
    max_tokens: int | None = None
    max_seconds: float | None = None
    max_depth: int = DEFAULT_MAX_DEPTH
    """How many tasks may stand above a sub-run."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run goes by. `max_tokens` caps one reply, where somebody says so; else each step has its own cap."""

    steps: Mapping[str, StepPolicy]
    max_tokens: int | None
    caps: Caps
    seed: int
    keep: Keep
    defaults: Mapping[str, StepPolicy] = field(default_factory=dict)
    """For steps of sub-runs whose tasks say nothing, by profile; empty where the task runs no others."""
    plan: PlanRecord | None = None


class NamedProvider(Protocol):
    """What stands for a name that the task's steps ask for."""

    @property
    def provider(self) -> Provider:
        """The provider."""
        ...

    @property
    def options(self) -> RunOptions:
        """What its profile says of the run: of the steps that name it."""
        ...


def resolve(
    task: Task,
    provider: Provider,
    asked: RunOptions,
    profile: RunOptions,
    named: Mapping[str, NamedProvider] | None = None,
    planned: Planned = NOTHING_PLANNED,
) -> Settings:
    """Settle every setting. Raises SettingsRefused where the answer can't be run."""
    named = named or {}
    defaults = {
        MAIN_PROFILE: replace(
            _defaults(asked, profile, planned),
            voters=planned.voters,
            order=planned.order,
        ),
        **{name: _defaults(asked, one.options, planned) for name, one in named.items()},
    }
    max_depth = _first(asked.max_depth, profile.max_depth)
    settings = Settings(
        steps={step.name: policy_of(step, defaults) for step in task.steps},
        max_tokens=_first(asked.max_tokens, profile.max_tokens),
        caps=Caps(
            max_steps=_first(asked.max_steps, profile.max_steps),
            max_cost_usd=_first(asked.max_cost_usd, profile.max_cost_usd),
            max_samples=_first(asked.max_total_samples, profile.max_total_samples),
            max_tokens=_first(asked.max_total_tokens, profile.max_total_tokens),
            max_seconds=_first(asked.max_seconds, profile.max_seconds),
            max_depth=DEFAULT_MAX_DEPTH if max_depth is None else max_depth,
        ),
        seed=_first(asked.seed, profile.seed) or 0,
        keep=_first(asked.keep, profile.keep) or "all",
        defaults=defaults if task.run_steps else {},
        plan=planned.plan,
    )
    require_possible(settings, provider, *(one.provider for one in named.values()))
    return settings


def require_possible(settings: Settings, *providers: Provider) -> None:
    """Raise SettingsRefused for limits that can't be held with these providers, and votes that can't be won."""
    _require_numbers(settings)
    found = []
    for name, policy in settings.steps.items():
        if policy.ahead_by.value < 1:
            found.append(refusal("MK552", "a margin below 1", "--ahead-by", policy.ahead_by.value, "use 1 or more"))
        elif policy.max_samples.value + sum(rung.samples for rung in policy.ladder) < policy.ahead_by.value:
            found.append(
                refusal(
                    "MK552",
                    f"step `{name}` can never be decided: {policy.ahead_by.value} votes ahead "
                    f"({policy.ahead_by.origin}) with at most {policy.max_samples.value} samples "
                    f"({policy.max_samples.origin})",
                    "--max-samples",
                    policy.max_samples.value,
                    f"allow at least {policy.ahead_by.value} samples, better ten times as many",
                )
            )
    caps = settings.caps
    unpriced = next((one.name for one in providers if one.price is None), None)
    if caps.max_cost_usd is not None and unpriced is not None:
        found.append(
            refusal(
                "MK550",
                f"nobody knows what `{unpriced}` costs, so a limit on money can't be held",
                "--max-cost",
                caps.max_cost_usd,
                "put the price into the profile: [price] with input and output, in USD per million tokens",
            )
        )
    for option, cap in (("--max-cost", caps.max_cost_usd), ("max_total_tokens", caps.max_tokens)):
        if cap is not None and any(_is_endless(policy) for policy in settings.steps.values()):
            found.append(
                refusal(
                    "MK551",
                    f"a reply of `{providers[0].name}` may be of any length, so a limit on what it costs can't be held",
                    option,
                    cap,
                    "put max_tokens into the profile: the most tokens one reply may have",
                )
            )
    if found:
        raise SettingsRefused(*found)


def _is_endless(policy: StepPolicy) -> bool:
    """Whether nobody says how long a reply of the step, or the form of a thought, may be."""
    return policy.max_tokens.value is None or (policy.form is not None and policy.form.max_tokens.value is None)


def _require_numbers(settings: Settings) -> None:
    """Raise SettingsRefused for numbers that a journal can't hold or that limit nothing; Python lets any through."""
    caps = settings.caps
    whole = {
        "seed": settings.seed,
        "max_tokens": settings.max_tokens,
        "max_steps": caps.max_steps,
        "max_total_samples": caps.max_samples,
        "max_total_tokens": caps.max_tokens,
        "max_depth": caps.max_depth,
        **{f"max_samples of `{name}`": policy.max_samples.value for name, policy in settings.steps.items()},
        **{f"ahead_by of `{name}`": policy.ahead_by.value for name, policy in settings.steps.items()},
    }
    found = [
        refusal("MK555", f"`{name}` is no number that a run can have", name, value, "use a whole number of 64 bits")
        for name, value in whole.items()
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 2**63)
    ]
    for name, amount in (("max_cost_usd", caps.max_cost_usd), ("max_seconds", caps.max_seconds)):
        is_number = isinstance(amount, int | float) and not isinstance(amount, bool) and math.isfinite(amount)
        if amount is not None and not (is_number and amount >= 0):
            found.append(refusal("MK555", f"`{name}` limits nothing", name, amount, "use a number from 0 on"))
    if isinstance(caps.max_depth, int) and not 0 <= caps.max_depth <= MOST_DEPTH:
        help = f"use a number from 0 to {MOST_DEPTH}"
        found.append(refusal("MK555", "no run can go as deep as `max_depth` says", "--max-depth", caps.max_depth, help))
    if found:
        raise SettingsRefused(*found)


def _defaults(asked: RunOptions, profile: RunOptions, planned: Planned) -> StepPolicy:
    """How steps are decided whose task says nothing."""
    ahead_by = settle(asked.ahead_by, profile.ahead_by, DEFAULT_AHEAD_BY)
    max_samples = settle(asked.max_samples, profile.max_samples, DEFAULT_MAX_SAMPLES)
    return StepPolicy(
        ahead_by if planned.ahead_by is None else Setting(planned.ahead_by, "plan"),
        max_samples if planned.max_samples is None else Setting(planned.max_samples, "plan"),
        settle(asked.first_temperature, profile.first_temperature, DEFAULT_FIRST_TEMPERATURE),
        settle(asked.temperature, profile.temperature, DEFAULT_TEMPERATURE),
        settle(asked.max_tokens, profile.max_tokens, None),
        adaptive=planned.plan is not None and planned.plan.table is not None,
    )


def _first(asked: T | None, profile: T | None) -> T | None:
    return profile if asked is None else asked


def refusal(code: str, title: str, option: str, value: object, help: str) -> Diagnostic:
    """A finding about an option, pointing at its value."""
    source = Source(option, str(value))
    return Diagnostic(code, title, Label(Span(source, 0, len(source.text))), help=help)
