"""What a run is set to, as its records say it, and read back from them when another process goes on.

Used by `start`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from maker_dsl.engine.fold import RunState, hash_state
from maker_dsl.engine.records import FORMAT, CapsRecord, PolicyRecord, PriceRecord, RunRecord, SettingRecord
from maker_dsl.engine.settings import Caps, RunOptions, Setting, Settings, SettingsRefused, StepPolicy, refusal
from maker_dsl.journal.run_directory import hash_task
from maker_dsl.providers.port import Price, Provider
from maker_dsl.task import Task
from maker_dsl.version import __version__


def run_record(
    run_id: str, now: datetime, task: Task, provider: Provider, profile: Mapping[str, Any], settings: Settings
) -> RunRecord:
    """The first record of a run. `profile` has no secrets."""
    inputs = task.inputs_codec.dump(dict(task.inputs))
    return RunRecord(
        FORMAT,
        __version__,
        run_id,
        now.isoformat(timespec="seconds"),
        task.name,
        task.source_name,
        hash_task(task.source_text),
        inputs.decode(),
        sha256(inputs).hexdigest(),
        hash_state(task.state_codec.dump(task.initial_state)),
        task.expected_steps,
        provider.name,
        dict(profile),
        _price_record(provider.price),
        policy_records(settings),
        settings.max_tokens,
        CapsRecord(**asdict(settings.caps)),
        settings.seed,
        settings.keep,
    )


def resumed_settings(run: RunState, asked: RunOptions) -> Settings:
    """The run's own settings, with limits as asked for now. Raises SettingsRefused for what can't change any more."""
    for name in ("ahead_by", "first_temperature", "temperature", "max_tokens", "seed", "keep"):
        if getattr(asked, name) is not None:
            option = f"--{name.replace('_', '-')}"
            raise SettingsRefused(
                refusal(
                    "MK554",
                    f"`{option}` can't be changed in the middle of a run",
                    option,
                    getattr(asked, name),
                    "only limits can: --max-samples, --max-steps, --max-cost",
                )
            )
    record, old = run.record, run.caps
    steps = {}
    for name, policy in run.policies.items():
        most = policy.max_samples
        if asked.max_samples is not None:
            most = SettingRecord(asked.max_samples, "command line")
        steps[name] = _policy(replace(policy, max_samples=most))
    return Settings(
        steps,
        record.max_tokens,
        Caps(
            old.max_steps if asked.max_steps is None else asked.max_steps,
            old.max_cost_usd if asked.max_cost_usd is None else asked.max_cost_usd,
            old.max_samples if asked.max_total_samples is None else asked.max_total_samples,
            old.max_tokens if asked.max_total_tokens is None else asked.max_total_tokens,
            old.max_seconds if asked.max_seconds is None else asked.max_seconds,
        ),
        record.seed,
        record.keep,
    )


def policy_records(settings: Settings) -> dict[str, PolicyRecord]:
    """How each kind of step is decided, as records have it."""
    return {
        name: PolicyRecord(*(SettingRecord(each.value, each.origin) for each in _settings_of(policy)))
        for name, policy in settings.steps.items()
    }


def _settings_of(policy: StepPolicy) -> tuple[Setting[Any], ...]:
    return policy.ahead_by, policy.max_samples, policy.first_temperature, policy.temperature


def _policy(record: PolicyRecord) -> StepPolicy:
    kept: list[Setting[Any]] = [
        Setting(each.value, each.origin)  # type: ignore[arg-type]
        for each in (record.ahead_by, record.max_samples, record.first_temperature, record.temperature)
    ]
    return StepPolicy(*kept)


def _price_record(price: Price | None) -> PriceRecord | None:
    return None if price is None else PriceRecord(price.input, price.output, price.cached_input)
