"""Whether a task's prompts and replies fit a model: what is found out before a run, without asking the model.

Used by `maker check --provider` and at the start of `maker run`. A prompt is measured in the initial state and in the
largest one that the state's types allow and in which it can be written out; fields without bounds count as they are
at the start. Its tokens are estimated, so the findings are warnings.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from maker_dsl.diagnostics import Diagnostic, Label, Severity, Source, Span
from maker_dsl.task import State, Step, Task, TaskError
from maker_dsl.tokens import estimate_tokens
from maker_dsl.types.errors import ValueRefused
from maker_dsl.types.longest import Unbounded, largest
from maker_dsl.types.type import RecordType


@dataclass(frozen=True, slots=True)
class Model:
    """What is asked: its name for people; in tokens, its context window if known and what a reply may have if said."""

    name: str
    context_tokens: int | None = None
    max_tokens: int | None = None


def misfits(task: Task, model_of: Callable[[Step], Model | None]) -> tuple[Diagnostic, ...]:
    """Warnings of prompts that don't fit, and of limits that cut right replies off; None is a model not looked at."""
    found = []
    for step in task.steps:
        model = model_of(step)
        if model is not None:
            found += [one for one in (_prompt_misfit(task, step, model), _reply_misfit(task, step, model)) if one]
    return tuple(found)


@dataclass(frozen=True, slots=True)
class PromptTokens:
    """About how many tokens a step's prompt has; None where it is not asked, or where that can't be found out."""

    initial: int | None
    largest: int | None


def prompt_tokens(task: Task, step: Step) -> PromptTokens:
    """The tokens of a step's longest wording, in the initial state and in the largest."""
    try:
        is_first = task.next_step(task.initial_state) is step
    except TaskError:
        is_first = False
    initial = _tokens_in(step, task.initial_state) if is_first else None
    return PromptTokens(initial, _largest_tokens(task, step))


def _prompt_misfit(task: Task, step: Step, model: Model) -> Diagnostic | None:
    if model.context_tokens is None:
        return None
    room = model.max_tokens or step.max_tokens or 0
    prompt = prompt_tokens(task, step)
    tokens = max(prompt.initial or 0, prompt.largest or 0)
    if not tokens or tokens + room <= model.context_tokens:
        return None
    words = "initial" if tokens == prompt.initial else "largest"
    reply = f", and a reply may have {room:,}" if room else ""
    asked = f"about {tokens + room:,} tokens of {model.context_tokens:,}"
    return Diagnostic(
        "MK556",
        f"step `{step.name}` may not fit into `{model.name}`: {asked}",
        Label(_place(task, step), f"in the {words} state its prompt has about {tokens:,} tokens{reply}"),
        severity=Severity.WARNING,
        help="show less in the prompt, bound the state more narrowly, choose a model with a larger context window, or "
        "put its size into the profile as `context_tokens`",
    )


def _reply_misfit(task: Task, step: Step, model: Model) -> Diagnostic | None:
    if model.max_tokens is None or step.reference is None:
        return None
    state = task.initial_state
    try:
        if task.next_step(state) is not step:
            return None
        tokens = estimate_tokens(step.reply.render(step.reference(state)))
    except (TaskError, ValueRefused):
        return None
    if tokens <= model.max_tokens:
        return None
    return Diagnostic(
        "MK557",
        f"right replies of step `{step.name}` would be cut off: about {tokens:,} tokens, and `max_tokens` is "
        f"{model.max_tokens:,}",
        Label(_place(task, step), "so long is the reference's reply in the initial state"),
        severity=Severity.WARNING,
        help="raise it, or leave it out of the profile: then there is room for the longest right reply",
    )


def largest_state(task: Task) -> State:
    """A state as large as the types allow, field by field; those without bounds are as in the initial state."""
    type = task.state_codec.type
    state = dict(task.initial_state)
    for member in type.members if isinstance(type, RecordType) else ():
        try:
            state[member.name] = largest(member.type)
        except Unbounded:
            continue
    return state


def _largest_tokens(task: Task, step: Step) -> int | None:
    """The tokens in the largest state that has the step's prompt."""
    large = largest_state(task)
    tokens = _tokens_in(step, large)
    if tokens is not None:
        return tokens
    # An index at its upper bound may point past the end of a list: each field grows if the prompt can follow.
    state = task.initial_state
    tokens = _tokens_in(step, state)
    for name in large:
        grown = {**state, name: large[name]}
        again = _tokens_in(step, grown)
        if again is not None and again >= (tokens or 0):
            state, tokens = grown, again
    return tokens


def _tokens_in(step: Step, state: State) -> int | None:
    """The tokens of the longest wording in a state; None where that has no prompt, as one made up may not."""
    try:
        local = step.state_locals(state)
        prompts = [wording.render(state, local) for wording in step.wordings]
    except TaskError:
        return None
    return max(estimate_tokens(prompt.user) + estimate_tokens(prompt.system or "") for prompt in prompts)


def _place(task: Task, step: Step) -> Span:
    return step.place or Span(Source(task.source_name, task.source_text), 0, 0)
