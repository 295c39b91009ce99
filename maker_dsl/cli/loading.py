"""From what stands on the command line to a task and its values, or to diagnostics and exit code 2."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from maker_dsl.cli.exits import ExitCode, Leave
from maker_dsl.cli.files import file_bytes
from maker_dsl.cli.output import say_diagnostics
from maker_dsl.diagnostics import Diagnostic, Label, Severity, Source, Span, did_you_mean
from maker_dsl.language import Checked, FileProblem, InputRefused, Program, load
from maker_dsl.task import Checkers, RunStep, State, Step, Task, TaskError
from maker_dsl.types.errors import ValueRefused

F = TypeVar("F", bound=Callable[..., Any])


def set_option(command: F) -> F:
    """`--set NAME=VALUE`, repeatable."""
    return click.option(
        "--set", "settings", multiple=True, metavar="NAME=VALUE|@FILE", help="Set an input (repeatable)."
    )(command)


def task_option(command: F) -> F:
    """`--task NAME`."""
    return click.option(
        "--task", "task_name", metavar="NAME", help="A task of FILE, or of what it uses. [default: its main one]"
    )(command)


def state_option(command: F) -> F:
    """`--state JSON|@FILE`."""
    return click.option(
        "--state", "state_text", metavar="JSON|@FILE", help="A state; fields left out take their initial values."
    )(command)


def step_option(command: F) -> F:
    """`--step NAME`."""
    return click.option("--step", "step_name", metavar="NAME", help="The step kind (default: the first that applies).")(
        command
    )


def json_option(command: F) -> F:
    """`--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")(command)


def allow_option(command: F) -> F:
    """`--allow NAME`, repeatable: the parameter `allowed` has the checkers; None where nothing is allowed."""
    return click.option(
        "--allow",
        "allowed",
        multiple=True,
        metavar="NAME",
        callback=lambda _context, _option, names: _allowed(names),
        help="Allow a plug-in that the task's checkers come from (repeatable).",
    )(command)


def _allowed(names: Sequence[str]) -> Checkers | None:
    if not names:
        return None
    # Looking for installed packages takes time that only those who allow a plug-in have to spend.
    from maker_dsl.plugins.allowed import AllowedCheckers, PluginMissing

    try:
        return AllowedCheckers(names)
    except PluginMissing as error:
        listed = "there are: " + (", ".join(f"`{name}`" for name in error.installed) or "none")
        raise click.UsageError(f"--allow: {error}; {did_you_mean(error.name, error.installed, listed)}") from error


def check_file(name_or_path: str, allowed: Checkers | None = None) -> Checked:
    """A task file, checked; leaves with 2 where it can't be read."""
    try:
        return load(name_or_path, allowed)
    except FileProblem as problem:
        source = Source("TASK", name_or_path)
        label = Label(Span(source, 0, len(name_or_path)))
        say_diagnostics([Diagnostic("MK691", str(problem), label, help=problem.hint)])
        raise Leave(ExitCode.WRONG) from problem


def load_program(name_or_path: str, allowed: Checkers | None = None, task: str | None = None) -> Program:
    """The checked program of a file, or with `task` another one of it; leaves with 2 where the file is wrong."""
    checked = check_file(name_or_path, allowed)
    main = require_program(checked)
    if task is None:
        return main
    names = [program.name for program in checked.programs]
    if task not in names:
        listing = "there are: " + ", ".join(f"`{known}`" for known in names)
        raise click.UsageError(f"{name_or_path} has no task `{task}`; {did_you_mean(task, names, listing)}")
    return checked.programs[names.index(task)]


def require_program(checked: Checked) -> Program:
    """The program, or its diagnostics on standard error and exit code 2; warnings are left to `maker check`."""
    if checked.program is None:
        say_diagnostics(d for d in checked.diagnostics if d.severity is Severity.ERROR)
        raise Leave(ExitCode.WRONG)
    return checked.program


def bind_program(program: Program, settings: Sequence[str]) -> Task:
    """The task with its inputs set; leaves with 2 where they don't fit."""
    texts: dict[str, str] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals or not name.strip():
            raise click.UsageError(f"--set takes NAME=VALUE, not `{setting}`.")
        if name.strip() in texts:
            raise click.UsageError(f"--set {name.strip()} is given twice.")
        texts[name.strip()] = given_text(text, f"--set {name.strip()}")
    try:
        return program.bind(program.read_inputs(texts))
    except InputRefused as refused:
        say_diagnostics(refused.diagnostics)
        raise Leave(ExitCode.WRONG) from refused
    except TaskError as error:
        say_diagnostics([error.diagnostic])
        raise Leave(ExitCode.WRONG) from error


def given_state(task: Task, text: str | None) -> State:
    """The state of `--state`, over the initial one; leaves with 2 where it doesn't fit."""
    if text is None:
        return task.initial_state
    said = given_text(text, "--state")
    return _fitting(lambda: task.read_state(said), "--state", said)


def given_text(text: str, option: str) -> str:
    """What an option says: itself, or the text of a file (`@FILE`, `@-`: standard input); `@@` stands for one `@`."""
    if text.startswith("@@") or not text.startswith("@"):
        return text.removeprefix("@")
    try:
        if text == "@-":
            return sys.stdin.read()
        read = file_bytes(Path(text[1:])).decode("utf-8-sig")
        return read.replace("\r\n", "\n").replace("\r", "\n")
    except OSError as error:
        raise click.UsageError(f"{option} {text}: the file can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise click.UsageError(f"{option} {text}: the file is not UTF-8 text") from error


def complete_state(task: Task, given: object, name: str, text: str) -> State:
    """A decoded state over the initial one, from a text called `name`; leaves with 2 where it doesn't fit."""
    return _fitting(lambda: task.complete_state(given), name, text)


def _fitting(make: Callable[[], State], name: str, text: str) -> State:
    try:
        return make()
    except ValueRefused as refused:
        label = Label(Span(Source(name, text), 0, len(text)))
        help = "`maker show FILE schema --of state` shows what a state looks like"
        say_diagnostics([Diagnostic("MK690", f"this is no state of the task: {refused}", label, help=help)])
        raise Leave(ExitCode.WRONG) from refused


def chosen_step(task: Task, name: str | None, state: State) -> Step:
    """The step kind of `--step`, else the first that applies in the state; it has to be one that asks a model."""
    if name is None:
        try:
            step = task.next_step(state)
        except TaskError as error:
            say_diagnostics([error.diagnostic])
            raise Leave(ExitCode.WRONG) from error
        if isinstance(step, Step):
            return step
        raise click.UsageError(_runs_tasks(task, step, "comes next in this state; it "))
    try:
        return task.step(name)
    except KeyError:
        for step in task.run_steps:
            if step.name == name:
                raise click.UsageError(_runs_tasks(task, step)) from None
        names = [step.name for step in task.steps]
        listing = "there are: " + ", ".join(f"`{known}`" for known in names)
        hint = did_you_mean(name, names, listing if names else "none of its steps asks a model")
        raise click.UsageError(f"The task `{task.name}` has no step `{name}`; {hint}") from None


def _runs_tasks(task: Task, step: RunStep, what: str = "") -> str:
    """That a step asks no model, and where to look instead."""
    names = " and ".join(f"`{name}`" for name in step.tasks)
    said = f"The step `{step.name}` of `{task.name}` {what}runs {names} and asks no model"
    choices = [
        *(f"--step {one.name}" for one in task.steps),
        *(f"--task {name}" for name in step.tasks if name != task.name),
    ]
    return f"{said}; look at what does: {', '.join(f'`{one}`' for one in choices)}." if choices else f"{said}."
