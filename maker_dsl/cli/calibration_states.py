"""Where the states of a calibration come from: the reference's way, a past run, or a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import click

from maker_dsl.cli.exits import ExitCode, Leave
from maker_dsl.cli.loading import chosen_step, complete_state
from maker_dsl.cli.output import count, say
from maker_dsl.engine.start import LoadTask
from maker_dsl.engine.trajectory import Chosen, choose_from_reference, choose_from_run
from maker_dsl.journal.run_directory import RunDirectory
from maker_dsl.task import Step, Task, TaskError
from maker_dsl.types.errors import ValueRefused
from maker_dsl.types.json_text import read_json

LONG_WAY = 100_000
"""Steps of a way from which on following it takes so long that people are told."""


def from_reference(task: Task, wanted: int, random: Random) -> tuple[tuple[Chosen, ...], str, int | None]:
    """Random steps of the reference's way, in words where from, and how many steps it has, if it was seen."""
    if (task.expected_steps or 0) > LONG_WAY:
        say(f"following the reference's way, {count(task.expected_steps or 0, 'step')} …")
    sample = choose_from_reference(task, wanted, random)
    if not sample.chosen:
        why = sample.why or "it has no step that asks a model"
        raise click.UsageError(
            f"The reference of `{task.name}` gives no states: {why}. Take them from a run (--from RUN) or from a file "
            "(--from-states FILE)."
        )
    if sample.why is not None:
        say(f"the reference's way was not followed to its end: {sample.why}")
    if len(sample.chosen) < wanted and sample.steps is not None:
        say(f"the reference's way has {count(sample.steps, 'step')}: all of them are asked")
    return sample.chosen, "the way of the task's reference", sample.steps


def from_run(
    directory: RunDirectory, load_task: LoadTask, task: Task, wanted: int, random: Random
) -> tuple[tuple[Chosen, ...], str]:
    """Random steps of a past run, put to the task as it is now; those of sub-runs are left out."""
    chosen = []
    for past in choose_from_run(directory, load_task, wanted, random):
        try:
            state = task.read_state(past.state)
        except ValueRefused as error:
            said = (
                f"step {past.number} of the run {directory.run_id} had a state that `{task.name}` doesn't know: {error}"
            )
            raise click.UsageError(said) from error
        step = task.next_step(state)
        if isinstance(step, Step):
            chosen.append(Chosen(task, step, state, f"step {past.number} of the run {directory.run_id}"))
    if not chosen:
        raise Leave(ExitCode.NOT_DONE, f"the run {directory.run_id} has decided no step that asks a model")
    return tuple(chosen), f"the run {directory.run_id}"


def from_file(path: Path, task: Task, wanted: int, random: Random) -> tuple[tuple[Chosen, ...], str]:
    """Random lines of a file: each an object with `state`, and optionally `step`."""
    chosen = []
    for number, text in _lines(path):
        where = f"--from-states {path}, line {number}"
        record = _record(text, where)
        state = complete_state(task, record["state"], where, text)
        try:
            if record.get("step") is None and task.is_done(state):
                raise click.UsageError(f"{where}: the task is done in this state, so there is nothing to ask.")
        except TaskError as error:
            raise click.UsageError(f"{where}: {error}") from error
        step = chosen_step(task, record.get("step"), state)
        chosen.append(Chosen(task, step, state, f"line {number} of {path.name}"))
    if not chosen:
        raise click.UsageError(f"--from-states {path}: there is no state in it.")
    random.shuffle(chosen)
    if len(chosen) < wanted:
        say(f"{path} has {count(len(chosen), 'state')}: all of them are asked")
    return tuple(chosen[:wanted]), path.name


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise click.UsageError(f"--from-states {path}: the file can't be read: {why}") from error
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield number, line


def _record(text: str, where: str) -> dict[str, Any]:
    try:
        record = read_json(text)
    except ValueRefused as error:
        raise click.UsageError(f"{where}: {error}") from error
    if not isinstance(record, dict) or "state" not in record:
        raise click.UsageError(f'{where}: expected an object such as {{"state": {{…}}}}.')
    unknown = [key for key in record if key not in ("state", "step")]
    if unknown:
        raise click.UsageError(f"{where}: there are `state` and `step`, not `{unknown[0]}`.")
    if not isinstance(record.get("step", ""), str):
        raise click.UsageError(f"{where}: `step` is the name of a step.")
    return record
