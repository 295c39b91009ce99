"""How one kind of step is decided: its margin, limits, temperatures and profile, each with whose word it is.

Used by `settings`, which settles all that a run is set to, and by `origin`, which puts it on record.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from maker_dsl.engine.records import MAIN_PROFILE, RungRecord, VoterRecord
from maker_dsl.task import Formatting, ProfileName, Rung, Step

Origin = Literal["command line", "profile", "task", "default", "plan"]
T = TypeVar("T")

DEFAULT_AHEAD_BY = 3
DEFAULT_MAX_SAMPLES = 60
DEFAULT_FIRST_TEMPERATURE = 0.0
DEFAULT_TEMPERATURE = 0.1
"""As in the paper: the first sample at 0, the others at 0.1."""

FORM_TEMPERATURE = 0.0
"""Putting a thought into form asks for no ideas."""


@dataclass(frozen=True, slots=True)
class Setting(Generic[T]):
    """A value and whose it is."""

    value: T
    origin: Origin


@dataclass(frozen=True, slots=True)
class FormPolicy:
    """How thoughts are put into form. `profile` as in `StepPolicy`."""

    temperature: Setting[float | None]
    max_tokens: Setting[int | None]
    profile: str | None = None


@dataclass(frozen=True, slots=True)
class StepPolicy:
    """How one kind of step is decided. Temperatures of None are left to the provider."""

    ahead_by: Setting[int]
    max_samples: Setting[int]
    first_temperature: Setting[float | None]
    temperature: Setting[float | None]
    max_tokens: Setting[int | None] = Setting(None, "default")
    """Tokens of one reply: where nobody says, what the longest right one may need; None where nobody knows."""
    profile: str | None = None
    """The name of the profile that samples come from; None: the run's own."""
    wordings: tuple[str, ...] = ()
    """The names of the wordings, where there are several."""
    form: FormPolicy | None = None
    """Where samples are thoughts that are put into form."""
    voters: tuple[VoterRecord, ...] = ()
    """The models that samples go to, where they are several."""
    order: Literal["rotate", "cheapest"] = "rotate"
    ladder: tuple[RungRecord, ...] = ()
    """What is drawn beyond `max_samples` while the step is not decided."""
    adaptive: bool = False
    """Whether the run's stopping table decides."""


def policy_of(step: Step, defaults: Mapping[str, StepPolicy]) -> StepPolicy:
    """How a step is decided: what its task says comes before defaults, and after what anybody asked for.

    `defaults` are by profile; a name that isn't there is left to the run's own.
    """
    vote = step.vote
    profile = _known(step.profile, defaults)
    own = defaults[profile or MAIN_PROFILE]
    wordings = step.wordings
    return StepPolicy(
        _over(own.ahead_by, vote.ahead_by),
        _over(own.max_samples, vote.max_samples),
        _over(own.first_temperature, vote.first_temperature),
        _over(own.temperature, vote.temperature),
        _over(own.max_tokens, step.max_tokens),
        profile,
        tuple(one.name for one in wordings) if len(wordings) > 1 else (),
        None if step.formatting is None else _form_policy(step.formatting, defaults),
        own.voters if profile is None else (),
        own.order if profile is None else "rotate",
        own.ladder or _ladder(vote.ladder, defaults),
        own.adaptive,
    )


def _form_policy(formatting: Formatting, defaults: Mapping[str, StepPolicy]) -> FormPolicy:
    profile = _known(formatting.profile, defaults)
    own = defaults[profile or MAIN_PROFILE]
    temperature: Setting[float | None] = Setting(FORM_TEMPERATURE, "default")
    if own.temperature.origin == "profile":
        temperature = own.temperature
    return FormPolicy(temperature, _over(own.max_tokens, formatting.max_tokens), profile)


def _ladder(rungs: tuple[Rung, ...], defaults: Mapping[str, StepPolicy]) -> tuple[RungRecord, ...]:
    return tuple(RungRecord(rung.samples, _known(rung.profile, defaults), rung.variant) for rung in rungs)


def _known(name: ProfileName | None, defaults: Mapping[str, StepPolicy]) -> str | None:
    return name.name if name is not None and name.name in defaults else None


def _over(default: Setting[T], task: T | None) -> Setting[T]:
    return default if task is None or default.origin != "default" else Setting(task, "task")


def settle(asked: T | None, profile: T | None, default: T) -> Setting[T]:
    """What counts of what the command line and a profile say."""
    if asked is not None:
        return Setting(asked, "command line")
    return Setting(default, "default") if profile is None else Setting(profile, "profile")
