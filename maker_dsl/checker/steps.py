"""Checks steps: their parts, prompts, `let`s, rules and flags, and how they update the state."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from maker_dsl.checker.assignments import check_assignments
from maker_dsl.checker.checked import CheckedLet, CheckedOn, CheckedStep, CheckedVote
from maker_dsl.checker.expressions import check_condition, not_null_paths
from maker_dsl.checker.ladders import check_ladder, check_variants
from maker_dsl.checker.lets import check_lets
from maker_dsl.checker.names import Names, warn_unused
from maker_dsl.checker.places import head
from maker_dsl.checker.prompts import PLAIN, WrittenPrompts, check_profile, check_prompts
from maker_dsl.checker.references import check_reference
from maker_dsl.checker.replies import CheckedReply, GrammarReader, check_reply
from maker_dsl.checker.scope import RAW_REPLY, Binding, Path, Scope
from maker_dsl.checker.task_context import STANDARD_FLAGS, TaskContext
from maker_dsl.checker.traversal import descendants
from maker_dsl.checker.votes import check_vote_on, check_vote_settings
from maker_dsl.diagnostics import Label, Severity, Span
from maker_dsl.syntax import tree
from maker_dsl.types.type import NeverType

_Part = TypeVar("_Part", tree.Prompt, tree.Reply, tree.Update)


def step_name(step: tree.Step) -> str:
    """The name of a step; one without a name is called `step`."""
    return "step" if step.name is None else step.name.name


def check_step(
    step: tree.Step,
    reference: tree.Reference | None,
    task_vote: CheckedVote,
    context: TaskContext,
    read_grammar: GrammarReader,
) -> CheckedStep | None:
    """Check one step with its reference; None where it can't be compiled."""
    prompts = [part for part in step.parts if isinstance(part, tree.Prompt)]
    system = only([one for one in prompts if one.kind == "system"], "system", context)
    prompt = only([one for one in prompts if one.kind == "prompt" and one.variant is None], "prompt", context)
    variants = tuple(one for one in prompts if one.variant is not None)
    reply = only([part for part in step.parts if isinstance(part, tree.Reply)], "reply", context)
    update = only([part for part in step.parts if isinstance(part, tree.Update)], "update", context)
    missing = [word for word, part in (("prompt", prompt), ("reply", reply), ("update", update)) if part is None]
    if missing:
        place = step.name.span if step.name is not None else head(step.span)
        title = "the step has " + " and ".join(f"no `{word}`" for word in missing)
        helps = {**_MISSING, "prompt": _ONLY_VARIANTS} if variants else _MISSING
        context.problems.add("MK260", title, place, help="; ".join(helps[word] for word in missing))
    facts: frozenset[Path] = frozenset()
    if step.when is not None:
        check_condition(step.when, context.state, context.problems, context.typing)
        facts = not_null_paths(step.when, context.typing)
    scope = context.state.child(facts)
    checked_reply = None if reply is None else check_reply(reply, context, read_grammar)
    reply = reply if checked_reply is None else checked_reply.declaration
    # A reply that is missing or wrong has been reported; NeverType lets all that looks at it pass.
    reply_type = NeverType() if checked_reply is None else checked_reply.type
    scope.declare(Binding("reply", reply_type, "reply", None if reply is None else reply.span))
    declared_lets = [part for part in step.parts if isinstance(part, tree.Let)]
    lets = check_lets(declared_lets, scope, Names(context.problems, context.names), context)
    written = WrittenPrompts(system, prompt, variants, reply)
    templates = check_prompts(written, lets, scope, facts, context)
    profile = check_profile([part for part in step.parts if isinstance(part, tree.WithProfile)], context)
    checks = tuple(part for part in step.parts if isinstance(part, tree.Check))
    after_checks = _check_checks(checks, scope, context)
    if update is not None:
        what = ("field", "the state")
        check_assignments(update.assignments, context.state_types, after_checks, context, *what)
    votes = [part for part in step.parts if isinstance(part, tree.VoteBlock)]
    settings = check_vote_settings(votes, context)
    ladder = _check_ladder(step, votes, task_vote.ladder, variants, context)
    if checked_reply is None or reply is None:
        return None
    on = _check_on(step, settings, task_vote.settings, checked_reply, reply, context)
    if not _uses_fields([*declared_lets, *checks, *([] if update is None else [update])]) and on is None:
        title = "nothing in this step uses the reply"
        help = "take something of it over in `update`, or check it in a `rule`: its fields are " + ", ".join(
            f"`reply.{member.name}`" for member in checked_reply.type.members
        )
        context.unused.add("MK279", title, reply.span, help=help, severity=Severity.WARNING)
    reference_lets: tuple[CheckedLet, ...] = ()
    if reference is not None:
        reference_lets = check_reference(reference, scope, lets, checked_reply.type, facts, context)
    for let in declared_lets:
        if not scope.is_used(let.name.name):
            warn_unused(context.unused, "the `let`", let.name)
    if prompt is None or update is None or templates.prompt is None:
        return None
    return CheckedStep(
        name=step_name(step),
        declaration=step,
        when=step.when,
        lets=lets,
        system=templates.system,
        prompt=templates.prompt,
        variants=templates.variants,
        profile=profile,
        format_prompt=templates.format_prompt,
        reply=reply,
        grammar=checked_reply.grammar,
        reply_type=checked_reply.type,
        checks=checks,
        update=update,
        vote=settings,
        ladder=ladder,
        vote_on=on,
        reference=reference,
        reference_lets=reference_lets,
    )


_MISSING = {
    "prompt": 'every step asks a model: add `prompt "…"`',
    "reply": 'say how the answer looks: add `reply "next = {value: int}"`',
    "update": "say how an answer changes the state: add `update { … }`",
}

_ONLY_VARIANTS = "a `prompt variant` is a further wording: write the first one as a plain `prompt`"


def only(parts: list[_Part], word: str, context: TaskContext) -> _Part | None:
    """The one part of its kind; more than one is reported."""
    for further in parts[1:]:
        also = [Label(head(parts[0].span), "first here")]
        title = f"the step has two `{word}` parts"
        help = 'a further wording has a name: `prompt variant "b"`' if word == "prompt" else None
        context.problems.add("MK258", title, head(further.span), "a second one", also=also, help=help)
    return parts[0] if parts else None


def _uses_fields(parts: Iterable[tree.Node]) -> bool:
    """Whether one of the parts looks at a field of the reply's value (the raw text and its length are no fields)."""
    nodes = [node for part in parts for node in descendants(part)]
    replies = sum(isinstance(node, tree.Name) and node.name == "reply" for node in nodes)
    raw = {member.name for member in RAW_REPLY.members}
    of_raw = sum(
        isinstance(node, tree.FieldAccess)
        and isinstance(node.object, tree.Name)
        and node.object.name == "reply"
        and node.name.name in raw
        for node in nodes
    )
    return replies > of_raw


def _check_checks(checks: Sequence[tree.Check], scope: Scope, context: TaskContext) -> Scope:
    """Check rules and flags; each one, and the update, may rely on what the earlier ones have made sure of."""
    words = {invariant.why.value: invariant.why.span for invariant in context.invariants}
    for one in checks:
        report_words(one.kind, one.why, words, context)
        check_condition(one.condition, scope.child(has_checkers=True), context.problems, context.typing)
        scope = scope.child(not_null_paths(one.condition, context.typing, one.kind == "rule"))
    return scope


def report_words(kind: str, why: tree.Text, words: dict[str, Span], context: TaskContext) -> None:
    """Report words that another rule, flag or invariant has, or that name a standard flag."""
    if why.value in words:
        also = [Label(words[why.value], "first here")]
        title = "two red flags have the same words"
        help = "reports and tests tell them apart by their words"
        context.problems.add("MK262", title, why.span, "a second time here", also=also, help=help)
    elif why.value in STANDARD_FLAGS:
        title = f'"{why.value}" is a red flag that every task has'
        context.problems.add("MK280", title, why.span, help=f"say what this {kind} is about")
    elif not why.value.strip():
        context.problems.add("MK280", f"this {kind} has no words", why.span, help="say what it is about")
    words.setdefault(why.value, why.span)


def _check_ladder(
    step: tree.Step,
    votes: Sequence[tree.VoteBlock],
    shared: tuple[tree.Rung, ...],
    variants: Sequence[tree.Prompt],
    context: TaskContext,
) -> tuple[tree.Rung, ...]:
    """The step's own ladder, or else the task's."""
    own = check_ladder(votes, context)
    wordings = [PLAIN, *(one.variant.value for one in variants if one.variant is not None)]
    place = None if own else step.name.span if step.name is not None else head(step.span)
    check_variants(own or shared, step_name(step), wordings, place, context)
    return own or shared


def _check_on(
    step: tree.Step,
    settings: Sequence[tree.VoteSetting],
    task_vote: Sequence[tree.VoteSetting],
    checked_reply: CheckedReply,
    reply: tree.Reply,
    context: TaskContext,
) -> CheckedOn | None:
    own = next((one for one in settings if one.kind == "on"), None)
    if own is not None:
        return check_vote_on(own, step_name(step), checked_reply.type, own, context)
    shared = next((one for one in task_vote if one.kind == "on"), None)
    if shared is not None:
        return check_vote_on(shared, step_name(step), checked_reply.type, reply, context)
    return None
