"""Compiles steps: once per task file to entries and templates, then per set of inputs to `task.Step`s."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from maker_dsl.checker.checked import CheckedStep
from maker_dsl.checker.places import head
from maker_dsl.checker.replies import make_notation, make_place, reply_fields
from maker_dsl.checker.traversal import descendants
from maker_dsl.compiler.binding import Binding
from maker_dsl.compiler.expressions import Parameter
from maker_dsl.compiler.ladders import RungPlan, bind_ladder, ladder_profiles, plan_ladder
from maker_dsl.compiler.module import Entry, Module, guarded
from maker_dsl.compiler.prompts import PromptPlan, bind_prompts, plan_prompts, profile_name
from maker_dsl.compiler.references import ReferencePlan, bind_reference, plan_reference
from maker_dsl.compiler.types import Bounds
from maker_dsl.compiler.votes import SettingPlan, bind_settings, make_vote_key, plan_settings
from maker_dsl.replies.format import reply_format
from maker_dsl.replies.longest import REASONING_TOKENS
from maker_dsl.syntax import tree
from maker_dsl.task import Check, Locals, ReplyFormat, ReplyValue, State, Step, StepOutline
from maker_dsl.types.type import Member, RecordType

_ALL: tuple[Parameter, ...] = ("state", "local", "reply", "raw")


@dataclass(frozen=True, slots=True)
class StepPlan:
    """A step compiled but not yet bound: the names of its entries, and its templates."""

    checked: CheckedStep
    when: str | None
    state_lets: str | None
    reply_lets: str | None
    checks: tuple[str, ...]
    update: str
    on: str | None
    vote: tuple[SettingPlan, ...]
    ladder: tuple[RungPlan, ...]
    prompts: PromptPlan
    reference: ReferencePlan | None


def plan_step(checked: CheckedStep, index: int, module: Module, bounds: Bounds) -> StepPlan:
    """Add a step's entries to the module and compile its templates."""
    prefix = f"step_{index}"
    for _, type_expression in reply_fields(checked.reply.notation):
        bounds.add(type_expression)
    early = [(let.name, let.value) for let in checked.lets if not let.looks_at_reply]
    late = [(let.name, let.value) for let in checked.lets if let.looks_at_reply]
    updates = [(one.name.name, one.value) for one in checked.update.assignments]
    checks = tuple(
        module.condition(f"{prefix}_check_{number}", _ALL, one.condition, negate=one.kind == "flag")
        for number, one in enumerate(checked.checks)
    )
    on = checked.vote_on
    reference = checked.reference
    return StepPlan(
        checked=checked,
        when=None if checked.when is None else module.condition(f"{prefix}_when", ("state",), checked.when),
        state_lets=module.lets(f"{prefix}_lets", ("state",), early) if early else None,
        reply_lets=module.lets(f"{prefix}_reply_lets", _ALL, late) if late else None,
        checks=checks,
        update=module.record(f"{prefix}_update", _ALL, updates, base="state"),
        on=None if on is None else module.value(f"{prefix}_on", ("reply",), on.value),
        vote=plan_settings(checked.vote, f"{prefix}_vote", module),
        ladder=plan_ladder(checked.ladder, f"{prefix}_rung", module),
        prompts=plan_prompts(checked),
        reference=None
        if reference is None
        else plan_reference(reference, checked.reference_lets, f"{prefix}_reference", module),
    )


def bind_step(
    plan: StepPlan, shared_vote: Sequence[SettingPlan], state_names: frozenset[str], binding: Binding
) -> Step:
    """A step over one set of inputs; what is wrong with its settings goes to the binding's problems."""
    checked = plan.checked
    entries = binding.entries
    reply = _bind_reply(plan, binding)
    state_locals = (
        _no_locals
        if plan.state_lets is None
        else guarded(entries[plan.state_lets], checked.lets[0].value.span, f"a `let` of step `{checked.name}`")
    )
    changing = state_names | {let.name for let in checked.lets}
    wordings, formatting = bind_prompts(plan.prompts, reply, binding.inputs, changing)
    if formatting is not None:
        formatting = replace(formatting, max_tokens=_max_tokens(reply, thinks_first=False))
    return Step(
        name=checked.name,
        applies=_bind_when(plan, entries),
        state_locals=state_locals,
        reply_locals=None if plan.reply_lets is None else entries[plan.reply_lets],
        render=wordings[0].render,
        reply=reply,
        checks=tuple(
            Check(one.kind, one.why.value, entries[name]) for one, name in zip(checked.checks, plan.checks, strict=True)
        ),
        update=entries[plan.update],
        vote_key=_bind_vote_key(plan, reply, binding),
        vote=replace(
            bind_settings(plan.vote, shared_vote, entries, binding.problems),
            ladder=bind_ladder(plan.ladder, entries, binding.problems),
        ),
        reference=None if plan.reference is None else bind_reference(plan.reference, state_locals, entries),
        mistakes=() if plan.reference is None else _bind_mistakes(plan.reference, state_locals, entries),
        variants=wordings[1:],
        profile=profile_name(checked.profile),
        formatting=formatting,
        max_tokens=_max_tokens(reply, thinks_first=formatting is not None),
        overlong_above=None if formatting is not None or _limits_length(checked) else reply.longest_tokens,
        place=head(checked.declaration.span) if checked.declaration.name is None else checked.declaration.name.span,
    )


def _max_tokens(reply: ReplyFormat, *, thinks_first: bool) -> int:
    """Room for the longest right reply; where that has no bound, what the method's paper gave."""
    longest = reply.longest_tokens
    if longest is None:
        return REASONING_TOKENS
    return longest + REASONING_TOKENS if thinks_first else longest


def _limits_length(checked: CheckedStep) -> bool:
    """Whether the step's own flags or rules look at how many tokens a reply has."""
    looking = [*(one.condition for one in checked.checks), *(let.value for let in checked.lets)]
    return any(
        isinstance(node, tree.FieldAccess)
        and node.name.name == "tokens"
        and isinstance(node.object, tree.Name)
        and node.object.name == "reply"
        for root in looking
        for node in descendants(root)
    )


def outline_step(checked: CheckedStep) -> StepOutline:
    """What is known of a step before any input."""
    format_with = checked.reply.format_with
    formatting = None if format_with is None else profile_name(format_with.profile)
    named = (profile_name(checked.profile), formatting, *ladder_profiles(checked.ladder))
    return StepOutline(checked.name, checked.reference is not None, tuple(one for one in named if one is not None))


def _bind_vote_key(plan: StepPlan, reply: ReplyFormat, binding: Binding) -> Callable[[ReplyValue], str]:
    name, on = plan.checked.name, plan.checked.vote_on
    if plan.on is None or on is None:
        return make_vote_key(binding.codec(f"reply of {name}", reply.type))
    return make_vote_key(binding.codec(f"votes of {name}", on.type), binding.entries[plan.on])


def _no_locals(_state: State) -> Locals:
    return {}


def _bind_mistakes(
    plan: ReferencePlan, state_locals: Callable[[State], Locals], entries: Mapping[str, Entry]
) -> tuple[Callable[[State], dict[str, Any]], ...]:
    return tuple(bind_reference(plan, state_locals, entries, mistake) for mistake in plan.mistakes)


def _bind_when(plan: StepPlan, entries: Mapping[str, Entry]) -> Callable[[State], bool]:
    if plan.when is None or plan.checked.when is None:
        return lambda _state: True
    return guarded(entries[plan.when], plan.checked.when.span, f"the `when` of step `{plan.checked.name}`")


def _bind_reply(plan: StepPlan, binding: Binding) -> ReplyFormat:
    """The reply's format; the same one again for the same concrete types, since making it is not cheap."""
    checked = plan.checked
    notation = checked.reply.notation
    members = {name.name: binding.types.resolve(type_expression) for name, type_expression in reply_fields(notation)}
    record = RecordType(tuple(Member(name, type_) for name, type_ in members.items()))
    binding.stop_on_errors()

    def make() -> ReplyFormat:
        return reply_format(make_notation(notation, record, checked.grammar), make_place(checked.reply.placement))

    return binding.formats.get((checked.name, record), make)
