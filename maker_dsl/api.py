"""maker from Python: the same as the command line, typed and small. `import maker_dsl` gives all of it.

This is where the two halves meet: a task from the language, a provider from a profile, a run from the engine. The
command line is built on it.

Refused            a task, an input, a profile or a setting is wrong: carries diagnostics
├── TaskRefused
├── ProfileRefused
└── (engine) SettingsRefused, (compiler) InputRefused, (task) TaskError carry theirs too: see `diagnostics_of`
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

from maker_dsl.choosing import ProfileRefused, ProviderChoice, Refused, read_profile
from maker_dsl.diagnostics import Diagnostic, Label, Source, Span
from maker_dsl.diagnostics.text import render_all
from maker_dsl.engine.calibration_file import Calibration, read_calibration
from maker_dsl.engine.fit import Model
from maker_dsl.engine.fit import misfits as find_misfits
from maker_dsl.engine.inspection import read_status
from maker_dsl.engine.own_calibration import calibrate_first
from maker_dsl.engine.planning import PlanImpossible
from maker_dsl.engine.records import MAIN_PROFILE, RunRecord
from maker_dsl.engine.report import Observer, RunReport, Status
from maker_dsl.engine.settings import Planned, RunOptions, SettingsRefused
from maker_dsl.engine.start import ProviderSetup, begin_run, decode_inputs, reopen_run
from maker_dsl.engine.story import RunsStory, StepStory, explain_step
from maker_dsl.engine.verification import Verification, verify_run
from maker_dsl.engine.vote_choice import DEFAULT_TARGET, How, choose_votes, length_of, require_task
from maker_dsl.engine.voters import candidates_of, match_calibrations
from maker_dsl.journal.disk import RealDisk
from maker_dsl.journal.run_directory import RunDirectory, find_run
from maker_dsl.judging import Verdict
from maker_dsl.judging import judge as judge_raw
from maker_dsl.language import Checked, InputRefused, check_text
from maker_dsl.language import load as read_task
from maker_dsl.plugins.allowed import AllowedCheckers, PluginMissing
from maker_dsl.providers.clock import SystemClock
from maker_dsl.providers.open import ProfileError
from maker_dsl.providers.panel import Order
from maker_dsl.providers.profile import Profile
from maker_dsl.providers.window import window_of
from maker_dsl.task import Finish, PluginBroken, RawReply, RunStep, Step, Task, TaskError
from maker_dsl.tokens import estimate_tokens

RUNS = Path("runs")
"""Where runs are kept unless somebody says otherwise."""


class TaskRefused(Refused):
    """The task file is wrong."""


def diagnostics_of(error: BaseException) -> tuple[Diagnostic, ...] | None:
    """The findings that an exception of ours carries; None for any other exception."""
    match error:
        case Refused() | InputRefused() | SettingsRefused():
            return tuple(error.diagnostics)
        case TaskError() | ProfileError():
            return (error.diagnostic,)
        case _:
            return None


def render(diagnostics: Iterable[Diagnostic]) -> str:
    """Diagnostics as people read them: the source lines, with carets."""
    return render_all(diagnostics)


def check(task: str | Path, *, allow: Iterable[str] = ()) -> tuple[Diagnostic, ...]:
    """Everything wrong with a task file (a path or the name of a bundled one); raises FileProblem, PluginMissing."""
    return read_task(task, AllowedCheckers(allow)).diagnostics


def load(task: str | Path, *, allow: Iterable[str] = (), **inputs: object) -> Task:
    """A task, bound to its inputs; `allow` names the plug-ins that its checkers may come from.

    Raises FileProblem, TaskRefused, InputRefused, PluginMissing.
    """
    return _bound(read_task(task, AllowedCheckers(allow)), inputs)


def loads(text: str, name: str = "task.maker", *, allow: Iterable[str] = (), **inputs: object) -> Task:
    """A task from a text; `name` is what diagnostics call it. Raises as `load`."""
    return _bound(check_text(Source(name, text), checkers=AllowedCheckers(allow)), inputs)


def judge(
    task: Task,
    reply: str,
    *,
    state: Mapping[str, object] | None = None,
    step: str | None = None,
    tokens: int | None = None,
    finish: Finish = "stop",
) -> Verdict:
    """What one reply is worth: a Vote or a Flag. Default: the initial state, and the first step that applies there.

    Fields that `state` leaves out are as in the initial one. Raises ValueRefused for a state that is none, TaskError,
    and KeyError for an unknown step or one that runs tasks.
    """
    given = task.complete_state(state or {})
    kind = task.next_step(given) if step is None else task.step(step)
    if isinstance(kind, RunStep):
        raise KeyError(f"the step `{kind.name}` asks no model, it runs {', '.join(kind.tasks)}")
    raw = RawReply(reply, estimate_tokens(reply) if tokens is None else tokens, finish)
    return judge_raw(task, kind, given, kind.state_locals(given), raw)


def run(
    task: Task | str | Path,
    *,
    provider: str = "simulated",
    overrides: Sequence[str] = (),
    stand_ins: Mapping[str, str] | None = None,
    order: Order | None = None,
    ahead_by: int | How | None = None,
    target: float = DEFAULT_TARGET,
    calibrations: Sequence[str | Path] = (),
    steps: int | None = None,
    runs: str | Path = RUNS,
    options: RunOptions | None = None,
    observer: Observer | None = None,
) -> RunReport:
    """Carry out a task; one given by path or name has its default inputs. A run that stops early is a report.

    Several providers, with commas between them, vote together, asked in an `order`. `stand_ins` are profiles, by name
    or path, for the names that the task's steps ask for, as `--with` gives them.
    `ahead_by` works the margin out for a `target`, from the files of `calibrations` or from a short calibration of the
    run's own; `steps` is for tasks that don't say how many they take. A number is the margin itself.
    Raises as `load`, and ProfileRefused, ProfileError, SettingsRefused, PlanImpossible, TheoryError, TruthRefused,
    CalibrationUnreadable, ProviderError, BudgetExhausted, JournalError: nothing was run.
    """
    bound = task if isinstance(task, Task) else load(task)
    options = options or RunOptions()
    how = None if isinstance(ahead_by, int) else ahead_by
    if isinstance(ahead_by, int):
        options = replace(options, ahead_by=ahead_by)
    choice = ProviderChoice(provider, overrides, stand_ins, order)

    async def go() -> RunReport:
        setup = choice.open(bound, options.seed)
        known = [read_calibration(Path(path)) for path in calibrations]
        require_task(known, bound.name)
        planned = await _plan(bound, choice, setup, options, how, target, known, steps)
        return await begin_run(bound, setup, options, Path(runs), observer=observer, planned=planned).go()

    return _in_a_loop(go)


async def _plan(
    task: Task,
    choice: ProviderChoice,
    setup: ProviderSetup,
    options: RunOptions,
    how: How | None,
    target: float,
    known: Sequence[Calibration],
    steps: int | None,
) -> Planned:
    """How a run votes: by calibrations, or by one of its own where there are none and the margin is to be found."""
    names = tuple(choice.voters(task))
    length = length_of(task, steps)
    if how is not None and length is None:
        # Told before anything is spent.
        choose_votes(how, {}, None, target)
    spent = (0.0, 0, 0)
    if how is not None and not known:
        if names:
            raise PlanImpossible(setup.provider.name, "several models vote", "give a calibration of each")
        # Opened for this alone: a provider is closed when its calibration is over.
        own_setup = choice.open_alone(task, options.seed)
        own = await calibrate_first(task, own_setup, options, SystemClock(), Random(options.seed or 0))
        stopped = own.examination.error or own.examination.limit
        if stopped is not None:
            raise stopped
        if own.calibration is None:
            raise PlanImpossible(setup.provider.name, "not one sample passed", "look at its replies: `maker calibrate`")
        known, spent = [own.calibration], own.spent
    if not known:
        return choice.plan_voters(task, setup)
    candidates = candidates_of(setup, names)
    found = match_calibrations(candidates, known)
    matched = {one.profile or MAIN_PROFILE: found[one.asked] for one in candidates}
    planned = choose_votes(how, matched, length, target, options.max_samples, spent)
    return choice.plan_voters(task, setup, planned, known)


def resume(
    run: str | Path,
    *,
    runs: str | Path = RUNS,
    provider: str | None = None,
    overrides: Sequence[str] = (),
    stand_ins: Mapping[str, str] | None = None,
    options: RunOptions | None = None,
    observer: Observer | None = None,
) -> RunReport:
    """Go on with a run: an id, the beginning of one, or a path. Raises as `run`, and journal errors."""
    directory = open_run(run, runs)

    async def go() -> RunReport:
        choose = ProviderChoice(provider, overrides, stand_ins)
        return await reopen_run(directory, load_kept_task, choose, options, observer=observer).go()

    return _in_a_loop(go)


def _in_a_loop(go: Callable[[], Coroutine[Any, Any, RunReport]]) -> RunReport:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(go())
    raise RuntimeError("this starts an event loop of its own; inside one, await engine.start.begin_run(…).go() instead")


def status(run: str | Path, *, runs: str | Path = RUNS) -> Status:
    """Where a run stands; it may be at work meanwhile. Raises journal errors."""
    return read_status(open_run(run, runs))


def explain(run: str | Path, step: int | str, *, runs: str | Path = RUNS) -> StepStory | RunsStory:
    """Everything that happened at a step: its number from 1, or the address of a sub-run's step such as `3/left/2`.

    Raises StepMissing, ValueError for a text that is no address, and journal errors.
    """
    return explain_step(open_run(run, runs), load_kept_task, step)


def verify(run: str | Path, *, runs: str | Path = RUNS) -> Verification:
    """Replay a run's journal without a model. Raises journal errors."""
    return verify_run(open_run(run, runs), load_kept_task)


# What the command line uses too ------------------------------------------------------------------------------------


def open_run(run: str | Path, runs: str | Path = RUNS) -> RunDirectory:
    """The directory of a run; raises RunNotFound, RunAmbiguous."""
    return find_run(Path(runs), str(run), RealDisk())


def misfits(task: Task, profile: Profile, named: Mapping[str, Profile] | None = None) -> tuple[Diagnostic, ...]:
    """Warnings of prompts that may not fit into the profile's model, and of right replies that it would cut off.

    Steps with a profile of their own are held against what stands for it: `named` where that is settled, else the
    profile of that name, if it is there.
    """

    def model_of(step: Step) -> Model | None:
        chosen = profile
        if step.profile is not None and named is not None:
            chosen = named.get(step.profile.name, profile)
        elif step.profile is not None and profile.provider != "simulated":
            try:
                chosen = read_profile(step.profile.name, needs_key=False)
            except ProfileRefused:
                return None
        return Model(chosen.model or chosen.name, window_of(chosen).context, chosen.max_tokens)

    return find_misfits(task, model_of)


def load_kept_task(text: str, record: RunRecord) -> Task:
    """The task that a run keeps, over the run's inputs, its plug-ins allowed. Raises TaskRefused, InputRefused."""
    checkers = None
    try:
        checkers = AllowedCheckers(record.plugins)
        changed = {name: checkers.version(name) for name in record.plugins}
    except (PluginMissing, PluginBroken) as error:
        raise TaskRefused([_plugin_changed(record, str(error))]) from error
    for name, version in record.plugins.items():
        if changed[name] != version:
            raise TaskRefused([_plugin_changed(record, f"`{name}` was version {version} and is {changed[name]} now")])
    return _bound(check_text(Source(record.source, text), checkers=checkers), decode_inputs(record.inputs))


def _plugin_changed(record: RunRecord, why: str) -> Diagnostic:
    listed = ", ".join(f"{name} {version}" for name, version in record.plugins.items())
    return Diagnostic(
        "MK657",
        "the plug-ins are not those that the run was started with",
        Label(Span(Source(record.run, listed), 0, len(listed)), why),
        help="install those versions, or start a new run",
    )


def _bound(checked: Checked, inputs: Mapping[str, object]) -> Task:
    program = checked.program
    if program is None:
        raise TaskRefused(checked.diagnostics)
    return program.bind(inputs)
