"""`maker show FILE prompt`: what a step asks, in any of its wordings, and how it has a thought put into form."""

from __future__ import annotations

from dataclasses import replace

import click

from maker_dsl.cli.exits import ExitCode, Leave
from maker_dsl.cli.loading import given_text
from maker_dsl.cli.output import json_result, result, say_diagnostics
from maker_dsl.diagnostics import did_you_mean
from maker_dsl.expressions.errors import EvaluationError
from maker_dsl.task import Prompt, State, Step, Task, TaskError, Wording


def show_prompt(task: Task, step: Step, state: State, variant: str | None, thought: str | None, as_json: bool) -> None:
    """Print a prompt; leaves with 2 where it can't be written."""
    if thought is not None:
        if variant is not None:
            raise click.UsageError("--thought and --variant don't go together: a thought has one prompt for its form.")
        prompt, name = _form_prompt(step, state, given_text(thought, "--thought")), None
    else:
        wording = chosen_wording(step, variant)
        prompt, name = _asked(wording, task, step, state), wording.name
    if as_json:
        members = {"step": step.name, "wording": name, "system": prompt.system, "prompt": prompt.user}
        json_result({key: value for key, value in members.items() if key != "wording" or len(step.wordings) > 1})
        return
    if prompt.system is not None:
        result(f"--- system\n{prompt.system}\n--- prompt")
    result(prompt.user)


def chosen_wording(step: Step, name: str | None) -> Wording:
    """The wording of `--variant`, else the plain one."""
    wordings = step.wordings
    for one in wordings:
        if name is None or one.name == name:
            return one
    names = [one.name for one in wordings]
    listing = "there are: " + ", ".join(f"`{known}`" for known in names)
    if len(names) == 1:
        listing = "it has one prompt alone, which is called `prompt`"
    hint = did_you_mean(name or "", names, listing)
    raise click.UsageError(f"Step `{step.name}` has no wording `{name}`; {hint}")


def _asked(wording: Wording, task: Task, step: Step, state: State) -> Prompt:
    try:
        return wording.render(state, step.state_locals(state))
    except TaskError as error:
        found = error.diagnostic
        if not _comes_next(task, step, state):
            help = f"step `{step.name}` is not what comes next in this state; give one in which it is, with `--state`"
            found = replace(found, help=help)
        say_diagnostics([found])
        raise Leave(ExitCode.WRONG) from error


def _comes_next(task: Task, step: Step, state: State) -> bool:
    try:
        return not task.is_done(state) and task.next_step(state).name == step.name
    except TaskError:
        return False


def _form_prompt(step: Step, state: State, thought: str) -> Prompt:
    if step.formatting is None:
        raise click.UsageError(f"Step `{step.name}` puts no thought into form: its reply has no `then format with`.")
    try:
        return step.formatting.render(state, step.state_locals(state), thought)
    except TaskError as error:
        say_diagnostics([error.diagnostic])
        raise Leave(ExitCode.WRONG) from error
    except EvaluationError as error:
        raise click.UsageError(f"This thought can't be put into the prompt: {error}.") from error
