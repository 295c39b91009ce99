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
import os
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from maker_dsl.diagnostics import Diagnostic, Label, Problems, Source, Span, concise
from maker_dsl.diagnostics.text import render_all
from maker_dsl.engine.fit import Model
from maker_dsl.engine.fit import misfits as find_misfits
from maker_dsl.engine.inspection import read_status
from maker_dsl.engine.records import RunRecord
from maker_dsl.engine.report import Observer, RunReport, Status
from maker_dsl.engine.settings import RunOptions, SettingsRefused
from maker_dsl.engine.start import ProviderSetup, begin_run, decode_inputs, reopen_run
from maker_dsl.engine.story import RunsStory, StepStory, explain_step
from maker_dsl.engine.verification import Verification, verify_run
from maker_dsl.journal.disk import RealDisk
from maker_dsl.journal.run_directory import RunDirectory, find_run
from maker_dsl.judging import Verdict
from maker_dsl.judging import judge as judge_raw
from maker_dsl.language import Checked, InputRefused, check_text
from maker_dsl.language import load as read_task
from maker_dsl.plugins.allowed import AllowedCheckers, PluginMissing
from maker_dsl.providers.open import ProfileError, open_provider
from maker_dsl.providers.profile import Profile
from maker_dsl.providers.profiles import load_profile, profile_directories
from maker_dsl.providers.secrets import STRUCK, public_value
from maker_dsl.providers.window import window_of
from maker_dsl.task import Finish, PluginBroken, RawReply, RunStep, Step, Task, TaskError
from maker_dsl.tokens import estimate_tokens

RUNS = Path("runs")
"""Where runs are kept unless somebody says otherwise."""


class Refused(Exception):
    """Something that somebody wrote is wrong; nothing was started."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n".join(concise.render(one).rstrip() for one in self.diagnostics))


class TaskRefused(Refused):
    """The task file is wrong."""


class ProfileRefused(Refused):
    """The profile is wrong."""


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
    runs: str | Path = RUNS,
    options: RunOptions | None = None,
    observer: Observer | None = None,
) -> RunReport:
    """Carry out a task; one given by path or name has its default inputs. A run that stops early is a report.

    Raises as `load`, and ProfileRefused, ProfileError, SettingsRefused, ProviderError, JournalError: nothing was run.
    """
    bound = task if isinstance(task, Task) else load(task)
    options = options or RunOptions()
    choice = ProviderChoice(provider, overrides)

    async def go() -> RunReport:
        setup = choice.open(bound, options.seed)
        return await begin_run(bound, setup, options, Path(runs), observer=observer).go()

    return _in_a_loop(go)


def resume(
    run: str | Path,
    *,
    runs: str | Path = RUNS,
    provider: str | None = None,
    overrides: Sequence[str] = (),
    options: RunOptions | None = None,
    observer: Observer | None = None,
) -> RunReport:
    """Go on with a run: an id, the beginning of one, or a path. Raises as `run`, and journal errors."""
    directory = open_run(run, runs)

    async def go() -> RunReport:
        choose = ProviderChoice(provider, overrides)
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


def read_profile(name: str, overrides: Sequence[str] = ()) -> Profile:
    """A checked profile; raises ProfileRefused."""
    problems = Problems()
    profile = load_profile(name, overrides, profile_directories(Path.cwd()), os.environ, problems)
    if profile is None:
        raise ProfileRefused(problems)
    return profile


def misfits(task: Task, profile: Profile) -> tuple[Diagnostic, ...]:
    """Warnings of prompts that may not fit into the profile's model, and of right replies that it would cut off.

    Steps with a profile of their own are held against that one, if it is there.
    """

    def model_of(step: Step) -> Model | None:
        chosen = profile
        if step.profile is not None:
            try:
                chosen = read_profile(step.profile.name)
            except ProfileRefused:
                return None
        said = chosen.max_tokens if "max_tokens" in chosen.model_fields_set else None
        return Model(chosen.model or chosen.name, window_of(chosen).context, said)

    return find_misfits(task, model_of)


class ProviderChoice:
    """Which provider a run has: a profile by name or path, and changes to single keys of it.

    With a name of None, going on with a run takes the profile and the changes that the run was started with.
    """

    def __init__(self, name: str | None, overrides: Sequence[str] = ()) -> None:
        self._name = name
        self._overrides = tuple(overrides)

    @cached_property
    def profile(self) -> Profile:
        """The profile of a new run, checked; raises ProfileRefused."""
        return read_profile(self._name or "simulated", self._overrides)

    def open(self, task: Task, seed: int | None) -> ProviderSetup:
        """The provider for a new run, ready for calls. Raises ProfileRefused, ProfileError, PermanentError."""
        return _open_setup(self.profile, self._name or "simulated", self._overrides, task, seed)

    def __call__(self, task: Task, record: RunRecord) -> ProviderSetup:
        """The provider with which to go on with a run. Raises as `open`."""
        if self._name is not None:
            return self.open(task, record.seed)
        given = {_key_of(override) for override in self._overrides}
        kept = [one for one in record.profile.get("overrides", []) if _key_of(one) not in given]
        secret = [one for one in kept if STRUCK in one]
        if secret:
            raise ProfileRefused(map(_not_kept, secret))
        asked = str(record.profile.get("asked", "simulated"))
        overrides = (*kept, *self._overrides)
        profile = read_profile(asked, overrides)
        now, then = _flat(profile.public()), _flat(record.profile)
        changed = [key for key in {**then, **now} if now.get(key) != then.get(key) and key not in given]
        changed = [key for key in changed if key not in ("asked", "overrides")]
        if changed:
            raise ProfileRefused([_changed(asked, changed)])
        return _open_setup(profile, asked, overrides, task, record.seed)


def _open_setup(profile: Profile, name: str, overrides: Sequence[str], task: Task, seed: int | None) -> ProviderSetup:
    own_seed = profile.simulate.seed or 0
    said = profile.model_fields_set
    number = _number_of(profile.temperature) if "temperature" in said else None
    options = RunOptions(
        ahead_by=profile.vote.ahead_by,
        max_samples=profile.vote.max_samples,
        first_temperature=_number_of(profile.first_temperature),
        temperature=number,
        max_tokens=profile.max_tokens,
        seed=own_seed,
    )
    return ProviderSetup(
        open_provider(profile, task, own_seed if seed is None else seed),
        profile.limits_of_calls,
        profile.retry_policy,
        options,
        {"asked": name, "overrides": [_public_override(one) for one in overrides], **profile.public()},
    )


def _flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """A table's settings by their dotted keys."""
    flat: dict[str, Any] = {}
    for key, value in table.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return flat


def _number_of(temperature: float | str | None) -> float | None:
    """The temperature to ask for; one of `default` is dropped by the adapter."""
    return None if temperature is None or isinstance(temperature, str) else temperature


def _key_of(override: str) -> str:
    return override.partition("=")[0].strip()


def _public_override(override: str) -> str:
    """The change as a run may keep it: its value struck out where any of it is secret."""
    key, _, value = override.partition("=")
    *tables, name = key.strip().split(".")
    is_secret = any(table.endswith("headers") for table in tables) or public_value(name, value) != value
    return f"{key}={STRUCK if is_secret else value}"


def _not_kept(override: str) -> Diagnostic:
    source = Source("--override", override)
    return Diagnostic(
        "MK680",
        f"the run was started with a secret `{_key_of(override)}`, which it did not keep",
        Label(Span(source, 0, len(override))),
        help=f"give it again: `--override {_key_of(override)}=…`, better as a variable that `api_key_env` names",
    )


def _changed(name: str, keys: Sequence[str]) -> Diagnostic:
    source = Source("the run's provider", name)
    listed = ", ".join(f"`{key}`" for key in keys)
    return Diagnostic(
        "MK681",
        "the profile has changed since the run started",
        Label(Span(source, 0, len(name)), f"other than it was: {listed}"),
        help=f"put it back, or say that the run is to go on with it as it is now: `--provider {name}`",
    )


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
