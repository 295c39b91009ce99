"""Whether a task's prompts and replies fit a model: what is found out before a run, without asking the model.

Used by `maker check --provider` and at the start of `maker run`. A prompt is measured in the initial state and in the
largest one that the state's types allow; fields without bounds count as they are at the start. Its tokens are
estimated, so the findings are warnings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
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


def _prompt_misfit(task: Task, step: Step, model: Model) -> Diagnostic | None:
    if model.context_tokens is None:
        return None
    room = model.max_tokens or step.max_tokens or 0
    sizes = [(_prompt_tokens(step, state), words) for words, state in _states(task, step)]
    tokens, words = max(((size, words) for size, words in sizes if size is not None), default=(0, ""))
    if tokens + room <= model.context_tokens:
        return None
    reply = f", and a reply may have {room:,}" if room else ""
    return Diagnostic(
        "MK556",
        f"step `{step.name}` asks more than `{model.name}` can take in",
        Label(_place(task, step), f"{words} its prompt has about {tokens:,} tokens{reply}"),
        severity=Severity.WARNING,
        help=f"the model's context window has {model.context_tokens:,} tokens: show less in the prompt, bound the "
        "state more narrowly, choose another model, or put its `context_tokens` into the profile",
    )


def _reply_misfit(task: Task, step: Step, model: Model) -> Diagnostic | None:
    if model.max_tokens is None or step.reference is None:
        return None
    state = task.initial_state
    try:
        if not step.applies(state):
            return None
        tokens = estimate_tokens(step.reply.render(step.reference(state)))
    except (TaskError, ValueRefused):
        return None
    if tokens <= model.max_tokens:
        return None
    return Diagnostic(
        "MK557",
        f"right replies of step `{step.name}` would be cut off",
        Label(_place(task, step), f"in the initial state the reference's reply has about {tokens:,} tokens"),
        severity=Severity.WARNING,
        help=f"`max_tokens` is {model.max_tokens:,}: raise it, or leave it out of the profile, so that there is room "
        "for the longest right reply",
    )


def _states(task: Task, step: Step) -> Iterator[tuple[str, State]]:
    """The states in which a prompt is measured, each with words for it."""
    try:
        if step.applies(task.initial_state):
            yield "in the initial state", task.initial_state
    except TaskError:
        return
    yield "in the largest state", largest_state(task)


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


def _prompt_tokens(step: Step, state: State) -> int | None:
    """About how many tokens the longest wording has; None where a state has no prompt, as one made up may not."""
    try:
        local = step.state_locals(state)
        prompts = [wording.render(state, local) for wording in step.wordings]
    except TaskError:
        return None
    return max(estimate_tokens(prompt.user) + estimate_tokens(prompt.system or "") for prompt in prompts)


def _place(task: Task, step: Step) -> Span:
    return step.place or Span(Source(task.source_name, task.source_text), 0, 0)
