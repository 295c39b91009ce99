"""Compiles what a step says to models: the prompt in every wording, and how a thought is put into form.

Once per task file to templates, then per set of inputs to functions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from maker_dsl.checker.checked import CheckedStep
from maker_dsl.checker.prompts import PLAIN, THOUGHT
from maker_dsl.compiler.templates import CompiledTemplate, Renderer, compile_template
from maker_dsl.diagnostics import Diagnostic, Label
from maker_dsl.expressions.errors import EvaluationError
from maker_dsl.syntax import tree
from maker_dsl.task import Formatting, Locals, ProfileName, Prompt, ReplyFormat, State, Step, TaskError, Wording

_FORM_REQUEST = """\
Between the two lines of equals signs stands an answer that somebody has thought out. Copy its final answer into the \
form that is described after it. Solve nothing and change nothing: a final answer that looks wrong is copied as it is. \
If there is no final answer, write only: none

{line} the answer {line}
{thought}
{line} end of the answer {line}

{form}"""
"""What the second call of a step is asked where the task has no words of its own for it."""


def _line_for(thought: str) -> str:
    """Equals signs, more in a row than the thought has, so that it can't seem to end where it doesn't."""
    return "=" * max(5, *(len(run) + 1 for run in re.findall("={5,}", thought)), 0)


@dataclass(frozen=True, slots=True)
class PromptPlan:
    """A step's templates, compiled; the first wording is the plain prompt."""

    system: CompiledTemplate | None
    wordings: tuple[tuple[str, CompiledTemplate], ...]
    formatter: ProfileName | None
    form: CompiledTemplate | None


def plan_prompts(checked: CheckedStep) -> PromptPlan:
    """Compile a step's templates."""
    format_with = checked.reply.format_with
    return PromptPlan(
        None if checked.system is None else compile_template(checked.system),
        (
            (PLAIN, compile_template(checked.prompt)),
            *((one.name, compile_template(one.template)) for one in checked.variants),
        ),
        None if format_with is None else profile_name(format_with.profile),
        None if checked.format_prompt is None else compile_template(checked.format_prompt),
    )


def bind_prompts(
    plan: PromptPlan, reply: ReplyFormat, inputs: Mapping[str, Any], changing: frozenset[str] | set[str]
) -> tuple[tuple[Wording, ...], Formatting | None]:
    """The wordings of a step over one set of inputs, the plain one first, and its formatting."""
    changing = frozenset(changing)
    base: dict[str, Any] = dict(inputs)
    templates = [plan.system, plan.form, *(template for _, template in plan.wordings)]
    if any(one is not None and one.uses_reply_forms for one in templates):
        base["reply"] = {"format": reply.instructions, "example": reply.example}
    system = None if plan.system is None else plan.system.bind(base, changing)
    wordings = tuple(Wording(name, _asking(system, template.bind(base, changing))) for name, template in plan.wordings)
    if plan.formatter is None:
        return wordings, None
    if plan.form is None:
        return wordings, Formatting(plan.formatter, _plain_form(reply))
    return wordings, Formatting(plan.formatter, _own_form(plan.form.bind(base, changing | {THOUGHT})))


def write_prompts(step: Step, state: State, local: Locals, turn: int | None = None) -> int:
    """Write all that a step may ask in a state, to see that it can be written: how many characters. Raises TaskError.

    With a `turn` it is one wording alone, the next one with each turn. What a model will have thought is not known: the
    example of the reply stands for it.
    """
    wordings = step.wordings
    chosen = wordings if turn is None else (wordings[turn % len(wordings)],)
    prompts = [wording.render(state, local) for wording in chosen]
    if step.formatting is not None:
        try:
            prompts.append(step.formatting.render(state, local, step.reply.example))
        except EvaluationError as error:
            place = step.formatting.profile.place if error.span is None else error.span
            title = "the prompt for the form can't be written in this state"
            raise TaskError(Diagnostic("MK391", title, Label(place, str(error)))) from error
    return sum(len(prompt.user) + len(prompt.system or "") for prompt in prompts)


def profile_name(text: tree.Text | None) -> ProfileName | None:
    """The profile that a text names."""
    return None if text is None else ProfileName(text.value, text.span)


def _asking(system: Renderer | None, user: Renderer) -> Callable[[State, Locals], Prompt]:
    if system is None:
        return lambda state, local: Prompt(None, user(state, local))
    return lambda state, local: Prompt(system(state, local), user(state, local))


def _plain_form(reply: ReplyFormat) -> Callable[[State, Locals, str], Prompt]:
    form = reply.instructions

    def render(_state: State, _local: Locals, thought: str) -> Prompt:
        return Prompt(None, _FORM_REQUEST.format(line=_line_for(thought), thought=thought.strip(), form=form))

    return render


def _own_form(user: Renderer) -> Callable[[State, Locals, str], Prompt]:
    def render(state: State, local: Locals, thought: str) -> Prompt:
        try:
            return Prompt(None, user(state, {**local, THOUGHT: thought}))
        except TaskError as error:
            # The text is the task's, but what failed on it is a model's: no reason to stop the run.
            finding = error.diagnostic
            raise EvaluationError(finding.primary.text or finding.title, finding.primary.span) from error

    return render
