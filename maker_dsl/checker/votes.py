"""Checks `vote` blocks: each setting once, of the right type; literal values in range."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from decimal import Decimal

from maker_dsl.checker.checked import CheckedOn
from maker_dsl.checker.expressions import check
from maker_dsl.checker.scope import Binding, Scope
from maker_dsl.checker.task_context import TaskContext
from maker_dsl.checker.types import literal_number
from maker_dsl.diagnostics import Label, Problems, Span, did_you_mean
from maker_dsl.syntax import tree
from maker_dsl.types.type import FloatType, IntType, NeverType, NullType, RecordType

SETTING_WORDS = {"ahead_by": "ahead by", "max_samples": "at most … samples", "temperature": "temperature", "on": "on"}

MAX_TEMPERATURE = 2
MAX_LEAD = 1_000
MAX_SAMPLES = 1_000_000


def check_vote_settings(blocks: Iterable[tree.VoteBlock], context: TaskContext) -> tuple[tree.VoteSetting, ...]:
    """The settings of a task's or step's blocks, doubled and wrong ones reported; `on` is checked per step.

    Rungs are left to `ladders`.
    """
    found: dict[str, tree.VoteSetting] = {}
    for block in blocks:
        for setting in block.settings:
            if isinstance(setting, tree.Rung):
                continue
            earlier = found.setdefault(setting.kind, setting)
            if earlier is not setting:
                also = [Label(earlier.span, "first here")]
                title = f"`{SETTING_WORDS[setting.kind]}` stands twice"
                context.problems.add("MK501", title, setting.span, "a second time here", also=also)
            elif setting.kind != "on":
                _check_setting(setting, context)
    ahead, most = found.get("ahead_by"), found.get("max_samples")
    if ahead is not None and most is not None:
        _compare(ahead, most, context)
    return tuple(found.values())


def _check_setting(setting: tree.VoteSetting, context: TaskContext) -> None:
    wanted = FloatType() if setting.kind == "temperature" else IntType()
    for value in (setting.first, setting.value):
        if value is None:
            continue
        check(value, context.inputs, context.problems, context.typing, wanted)
        number = literal_number(value)
        if number is not None:
            check_range(setting, number, value.span, "out of range", context.problems)


def check_range(
    setting: tree.VoteSetting, number: Decimal | float, place: Span, label: str, problems: Problems
) -> None:
    """Report a setting whose value no vote can have."""
    if setting.kind == "temperature":
        if not 0 <= number <= MAX_TEMPERATURE:
            problems.add("MK502", f"a temperature is from 0 to {MAX_TEMPERATURE}", place, label)
        return
    what, most = ("a lead", MAX_LEAD) if setting.kind == "ahead_by" else ("a number of samples", MAX_SAMPLES)
    check_count(what, most, number, place, label, problems)


def check_count(what: str, most: int, number: Decimal | float, place: Span, label: str, problems: Problems) -> None:
    """Report a number below 1 or above `most`."""
    if number < 1:
        problems.add("MK502", f"{what} is at least 1", place, label)
    elif number > most:
        problems.add("MK502", f"{what} is at most {most:,}", place, label)


def _compare(ahead: tree.VoteSetting, most: tree.VoteSetting, context: TaskContext) -> None:
    lead, cap = literal_number(ahead.value), literal_number(most.value)
    if lead is not None and cap is not None:
        check_reachable(ahead, lead, most, cap, context.problems)


def check_reachable(
    ahead: tree.VoteSetting, lead: Decimal | int, most: tree.VoteSetting, cap: Decimal | int, problems: Problems
) -> None:
    """Report a lead that no vote with that many samples can have."""
    if 1 <= cap < lead <= MAX_LEAD:
        also = [Label(ahead.value.span, "the lead")]
        title = f"a lead of {lead} can't be reached with {cap} samples"
        help = f"allow at least {lead} samples, better several times as many"
        problems.add("MK503", title, most.value.span, also=also, help=help)


def check_vote_on(
    setting: tree.VoteSetting, step: str, reply: RecordType, place: tree.Node, context: TaskContext
) -> CheckedOn | None:
    """Check `on e` against one step's reply fields; `place` is what to point at when they are missing there."""
    names = [member.name for member in reply.members]
    for name in sorted(context.dependencies.names(setting.value)):
        if name not in names and context.inputs.find(name) is None:
            listed = "the reply has " + ", ".join(f"`{one}`" for one in names)
            title = f"the reply of step `{step}` has no field `{name}`"
            also = [] if place is setting else [Label(place.span, "this step's reply")]
            help = did_you_mean(name, names, listed)
            if name == "reply":
                bare = _without_reply(setting.value)
                title = "`on` names fields of the reply without `reply.`"
                help = f"write `on {bare}`; {listed}" if bare in names else listed
            context.problems.add("MK504", title, setting.value.span, "", also=also, help=help)
            return None
    # A copy, since what the checker notes of a node may differ from step to step.
    value = deepcopy(setting.value, {id(context.source): context.source})
    scope = Scope(context.inputs)
    for member in reply.members:
        scope.declare(Binding(member.name, member.type, "reply field"))
    type_ = check(value, scope, context.problems, context.typing)
    if isinstance(type_, NullType):
        context.problems.add("MK504", "every vote would be the same", setting.value.span)
    if isinstance(type_, NeverType | NullType):
        return None
    if not any(scope.is_used(name) for name in names):
        context.problems.add("MK504", "every vote would be the same", setting.value.span, "no field of the reply in it")
        return None
    return CheckedOn(value, type_)


def _without_reply(value: tree.Expression) -> str | None:
    """The field that `reply.field` names."""
    if isinstance(value, tree.FieldAccess) and isinstance(value.object, tree.Name):
        return value.name.name
    return None
