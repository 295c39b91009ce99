"""Compiles vote settings and the key under which a reply votes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from maker_dsl.checker.votes import check_range, check_reachable
from maker_dsl.compiler.module import Entry, Module, explain_failure, shown
from maker_dsl.diagnostics import Problems
from maker_dsl.expressions.errors import EvaluationError
from maker_dsl.syntax import tree
from maker_dsl.task import ReplyValue, ValueCodec, VoteSettings


@dataclass(frozen=True, slots=True)
class SettingPlan:
    """One setting with the entries that give its values."""

    setting: tree.VoteSetting
    value: str
    first: str | None


def plan_settings(settings: Sequence[tree.VoteSetting], prefix: str, module: Module) -> tuple[SettingPlan, ...]:
    """Compile the settings of one `vote` block; `on` is compiled with its step."""
    plans: list[SettingPlan] = []
    for setting in settings:
        if setting.kind == "on":
            continue
        name = f"{prefix}_{setting.kind}"
        value = module.value(name, (), setting.value)
        first = None if setting.first is None else module.value(f"{name}_first", (), setting.first)
        plans.append(SettingPlan(setting, value, first))
    return tuple(plans)


def bind_settings(
    own: Sequence[SettingPlan], shared: Sequence[SettingPlan], entries: Mapping[str, Entry], problems: Problems
) -> VoteSettings:
    """A step's settings over the task's; those out of range are reported."""
    found: dict[str, Any] = {}
    places: dict[str, tree.VoteSetting] = {}
    for plan in (*shared, *own):
        kind = plan.setting.kind
        places[kind] = plan.setting
        found[kind] = evaluate_setting(plan.value, plan.setting.value, entries, problems)
        if kind == "temperature":
            first = plan.setting.first
            found["first"] = None
            if plan.first is not None and first is not None:
                found["first"] = evaluate_setting(plan.first, first, entries, problems)
    for setting in places.values():
        kind = setting.kind
        values = (found["first"], found[kind]) if kind == "temperature" else (found[kind],)
        for value in values:
            if value is not None:
                check_range(setting, value, setting.span, f"this is {shown(value)}", problems)
    ahead, most = found.get("ahead_by"), found.get("max_samples")
    if ahead is not None and most is not None:
        check_reachable(places["ahead_by"], ahead, places["max_samples"], most, problems)
    return VoteSettings(
        ahead_by=ahead, max_samples=most, first_temperature=found.get("first"), temperature=found.get("temperature")
    )


def evaluate_setting(entry: str, value: tree.Expression, entries: Mapping[str, Entry], problems: Problems) -> Any:
    """The value of a setting; None where it can't be computed, which is reported."""
    try:
        return entries[entry]()
    except EvaluationError as error:
        finding = explain_failure(error, value.span, "this setting")
        problems.add("MK361", finding.title, finding.primary.span, finding.primary.text)
        return None


def make_vote_key(codec: ValueCodec, on: Entry | None = None) -> Callable[[ReplyValue], str]:
    """The canonical key of a reply: of its whole value, or of what `on` gives; `codec` is for either."""
    dump = codec.dump
    if on is None:
        return lambda reply: str(dump(reply), "utf-8")
    return lambda reply: str(dump(on(reply)), "utf-8")
