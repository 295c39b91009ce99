"""Who is listened to, and what is refused before a run."""

from __future__ import annotations

import pytest
from engine_lab import countdown, right

from maker_dsl.engine.policy import Setting
from maker_dsl.engine.settings import RunOptions, Settings, SettingsRefused, resolve
from maker_dsl.providers.scripted import ScriptedProvider
from maker_dsl.task import VoteSettings

TASK = countdown(vote=VoteSettings(ahead_by=4, max_samples=40, first_temperature=0.2))


NOTHING = RunOptions()


def settled(asked: RunOptions, profile: RunOptions = NOTHING) -> Settings:
    return resolve(TASK, ScriptedProvider(right), asked, profile)


def test_the_command_line_wins_over_the_profile_over_the_task_over_the_defaults() -> None:
    policy = settled(RunOptions(ahead_by=5), RunOptions(ahead_by=6, max_samples=70)).steps["step"]
    assert policy.ahead_by == Setting(5, "command line")
    assert policy.max_samples == Setting(70, "profile")
    assert policy.first_temperature == Setting(0.2, "task")
    assert policy.temperature == Setting(0.1, "default")


def test_the_defaults_are_ahead_by_three_at_most_sixty_and_cold_first() -> None:
    policy = resolve(countdown(), ScriptedProvider(right), RunOptions(), RunOptions()).steps["step"]
    values = policy.ahead_by.value, policy.max_samples.value, policy.first_temperature.value
    assert values == (3, 60, 0.0)


def test_a_vote_that_can_not_be_won_is_refused_with_whose_words_say_so() -> None:
    with pytest.raises(SettingsRefused) as refused:
        settled(RunOptions(ahead_by=50))
    (diagnostic,) = refused.value.diagnostics
    assert diagnostic.code == "MK552"
    assert diagnostic.title == (
        "step `step` can never be decided: 50 votes ahead (command line) with at most 40 samples (task)"
    )
    with pytest.raises(SettingsRefused):
        settled(RunOptions(ahead_by=0))


def test_a_limit_of_nothing_is_a_limit() -> None:
    assert settled(RunOptions(max_steps=0)).caps.max_steps == 0


@pytest.mark.parametrize(
    "asked",
    [
        RunOptions(max_cost_usd=float("nan")),
        RunOptions(max_cost_usd=float("inf")),
        RunOptions(max_cost_usd=-1.0),
        RunOptions(max_seconds=float("nan")),
        RunOptions(max_steps=2**63),
        RunOptions(seed=-(2**63)),
        RunOptions(ahead_by="3"),  # type: ignore[arg-type]
    ],
    ids=str,
)
def test_a_limit_that_limits_nothing_is_refused(asked: RunOptions) -> None:
    with pytest.raises(SettingsRefused) as refused:
        settled(asked)
    assert [one.code for one in refused.value.diagnostics] == ["MK555"]
