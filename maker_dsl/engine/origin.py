"""What a run is set to, as its records say it, and read back from them when another process goes on.

Used by `start`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from maker_dsl.engine.frame import Frame, Unit
from maker_dsl.engine.policy import FormPolicy, Setting, StepPolicy, policy_of
from maker_dsl.engine.records import (
    FORMAT,
    CapsRecord,
    FormPolicyRecord,
    PolicyRecord,
    PriceRecord,
    ProfileRecord,
    RunRecord,
    SettingRecord,
    SubRunRecord,
)
from maker_dsl.engine.run_state import RunState, hash_state
from maker_dsl.engine.settings import Caps, RunOptions, Settings, SettingsRefused, refusal
from maker_dsl.journal.run_directory import hash_task
from maker_dsl.providers.port import Price, Provider
from maker_dsl.task import Task
from maker_dsl.version import __version__


def run_record(
    run_id: str,
    now: datetime,
    task: Task,
    provider: Provider,
    profile: Mapping[str, Any],
    settings: Settings,
    profiles: Mapping[str, ProfileRecord] | None = None,
) -> RunRecord:
    """The first record of a run. `profile` has no secrets, and neither has any of `profiles`."""
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
        policy_records(settings.steps),
        settings.max_tokens,
        CapsRecord(**asdict(settings.caps)),
        settings.seed,
        settings.keep,
        policy_records(settings.defaults),
        task.plugins,
        dict(profiles or {}),
        settings.plan,
    )


def profile_record(provider: Provider, profile: Mapping[str, Any]) -> ProfileRecord:
    """What stands for a name that the task's steps ask for."""
    return ProfileRecord(provider.name, dict(profile), _price_record(provider.price))


def sub_run_record(run: RunState, parent: Frame, unit: Unit, task: Task) -> SubRunRecord:
    """The record with which a sub-run of a frame's step to come begins."""
    return SubRunRecord(
        run.totals.sub_runs + 1,
        parent.number,
        parent.index,
        *unit,
        task.name,
        task.inputs_codec.dump(dict(task.inputs)).decode(),
        hash_state(task.state_codec.dump(task.initial_state)),
        sub_run_policies(run, task),
        task.expected_steps,
    )


def sub_run_policies(run: RunState, task: Task) -> dict[str, PolicyRecord]:
    """How the steps of a sub-run that begins now are decided."""
    defaults = {name: _policy(policy) for name, policy in run.defaults.items()}
    return policy_records({step.name: policy_of(step, defaults) for step in task.steps})


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
                    "only limits can: --max-samples, --max-steps, --max-depth, --max-cost",
                )
            )
    record, old = run.record, run.caps
    return Settings(
        _with_most_samples(run.root.policies, asked),
        record.max_tokens,
        Caps(
            old.max_steps if asked.max_steps is None else asked.max_steps,
            old.max_cost_usd if asked.max_cost_usd is None else asked.max_cost_usd,
            old.max_samples if asked.max_total_samples is None else asked.max_total_samples,
            old.max_tokens if asked.max_total_tokens is None else asked.max_total_tokens,
            old.max_seconds if asked.max_seconds is None else asked.max_seconds,
            old.max_depth if asked.max_depth is None else asked.max_depth,
        ),
        record.seed,
        record.keep,
        _with_most_samples(run.defaults, asked),
    )


def policy_records(policies: Mapping[str, StepPolicy]) -> dict[str, PolicyRecord]:
    """How each kind of step is decided, as records have it."""
    return {name: _policy_record(policy) for name, policy in policies.items()}


def _with_most_samples(policies: Mapping[str, PolicyRecord], asked: RunOptions) -> dict[str, StepPolicy]:
    most = None if asked.max_samples is None else SettingRecord(asked.max_samples, "command line")
    return {
        name: _policy(policy if most is None else replace(policy, max_samples=most))
        for name, policy in policies.items()
    }


def _policy_record(policy: StepPolicy) -> PolicyRecord:
    form = policy.form
    return PolicyRecord(
        _setting_record(policy.ahead_by),
        _setting_record(policy.max_samples),
        _setting_record(policy.first_temperature),
        _setting_record(policy.temperature),
        _setting_record(policy.max_tokens),
        policy.profile,
        policy.wordings,
        None
        if form is None
        else FormPolicyRecord(_setting_record(form.temperature), _setting_record(form.max_tokens), form.profile),
        policy.voters,
        policy.order,
        policy.ladder,
        policy.adaptive,
    )


def _setting_record(setting: Setting[Any]) -> SettingRecord:
    return SettingRecord(setting.value, setting.origin)


def _policy(record: PolicyRecord) -> StepPolicy:
    form = record.form
    policy = StepPolicy(
        _setting(record.ahead_by),
        _setting(record.max_samples),
        _setting(record.first_temperature),
        _setting(record.temperature),
        profile=record.profile,
        wordings=record.wordings,
        form=None if form is None else FormPolicy(_setting(form.temperature), _setting(form.max_tokens), form.profile),
        voters=record.voters,
        order=record.order,
        ladder=record.ladder,
        adaptive=record.adaptive,
    )
    return policy if record.max_tokens is None else replace(policy, max_tokens=_setting(record.max_tokens))


def _setting(record: SettingRecord) -> Setting[Any]:
    return Setting(record.value, record.origin)  # type: ignore[arg-type]


def _price_record(price: Price | None) -> PriceRecord | None:
    return None if price is None else PriceRecord(price.input, price.output, price.cached_input)
