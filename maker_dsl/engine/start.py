"""Making runs, and opening them again: everything that is done once.

The command line and the Python API begin here. Invariant: the run record is on disk before the first sample is drawn,
and what the run directory holds (its own copy of the task, its inputs, its settings) is what counts from then on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from pydantic import TypeAdapter, ValidationError

from maker_dsl.engine.budget import RunBudget
from maker_dsl.engine.checkpoint import restore
from maker_dsl.engine.constraints import Constraints, JournalNotes, unwritable_steps
from maker_dsl.engine.encoding import decode, encode, run_members
from maker_dsl.engine.fold import Fold
from maker_dsl.engine.gateways import Gateways
from maker_dsl.engine.ledger import RunLedger
from maker_dsl.engine.origin import policy_records, profile_record, resumed_settings, run_record
from maker_dsl.engine.recorder import Pace, Recorder
from maker_dsl.engine.records import (
    FORMAT,
    CapsRecord,
    GrantRecord,
    ResumedRecord,
    RunRecord,
)
from maker_dsl.engine.report import Observer, RunReport
from maker_dsl.engine.run import Run
from maker_dsl.engine.run_state import FoldError, RunState, begin
from maker_dsl.engine.settings import (
    NOTHING_PLANNED,
    Caps,
    Planned,
    RunOptions,
    SettingsRefused,
    refusal,
    require_possible,
    resolve,
)
from maker_dsl.engine.step import Decider
from maker_dsl.journal.disk import Disk, RealDisk
from maker_dsl.journal.errors import JournalError, JournalMissing, RunUnreadable
from maker_dsl.journal.log import Journal
from maker_dsl.journal.recovery import Opened
from maker_dsl.journal.run_directory import RunDirectory, RunLock, hash_task, make_run_id
from maker_dsl.providers.clock import Clock, SystemClock
from maker_dsl.providers.gateway import Gateway, Limits
from maker_dsl.providers.port import Provider
from maker_dsl.providers.retry import RetryPolicy
from maker_dsl.task import Task
from maker_dsl.version import __version__

LoadTask = Callable[[str, RunRecord], Task]
"""The task of a text that a run keeps, over the inputs and with the plug-ins of its record."""


@dataclass(frozen=True, slots=True)
class ProviderSetup:
    """A provider as a profile describes it. `profile` is what the journal may know of it: no secrets."""

    provider: Provider
    limits: Limits = field(default_factory=Limits)
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    options: RunOptions = field(default_factory=RunOptions)
    """What the profile says of the run."""
    profile: Mapping[str, Any] = field(default_factory=dict)
    named: Mapping[str, ProviderSetup] = field(default_factory=dict)
    """What stands for the names that the task's steps ask for; this one answers for a name that isn't here."""


ChooseProvider = Callable[[Task, RunRecord], ProviderSetup]
"""The provider with which to go on with a run."""


@dataclass(frozen=True, slots=True)
class World:
    """Time, chance and the disk, as arguments."""

    disk: Disk = field(default_factory=RealDisk)
    clock: Clock = field(default_factory=SystemClock)
    utc_now: Callable[[], datetime] = lambda: datetime.now(UTC)
    random: Random = field(default_factory=Random)
    pace: Pace = field(default_factory=Pace)


async def start_run(
    task: Task,
    setup: ProviderSetup,
    asked: RunOptions,
    runs_directory: Path,
    *,
    observer: Observer | None = None,
    world: World | None = None,
    planned: Planned = NOTHING_PLANNED,
) -> RunReport:
    """Run a task until it is done or something stops it.

    Raises SettingsRefused before anything is written, TaskError where the task's own text fails, and JournalError where
    the run's directory can't be made. A cancellation stops the run cleanly and goes on.
    """
    return await begin_run(task, setup, asked, runs_directory, observer=observer, world=world, planned=planned).go()


def begin_run(
    task: Task,
    setup: ProviderSetup,
    asked: RunOptions,
    runs_directory: Path,
    *,
    observer: Observer | None = None,
    world: World | None = None,
    in_flight: int | None = None,
    planned: Planned = NOTHING_PLANNED,
) -> Run:
    """Make a run: its directory and its first record, on disk. `in_flight` is the least number of open slots.

    What was spent before it began, by a plan of its own, counts against its limits.
    """
    world = world or World()
    if task.unallowed:
        raise SettingsRefused(*task.unallowed)
    settings = resolve(task, setup.provider, asked, setup.options, setup.named, planned)
    _require_writable(task, setup)
    now = world.utc_now()
    run_id = make_run_id(task.name, now, world.random)
    profiles = {name: profile_record(one.provider, one.profile) for name, one in setup.named.items()}
    record = run_record(run_id, now, task, setup.provider, setup.profile, settings, profiles)
    directory = RunDirectory.create(
        runs_directory, run_id, task.source_text, {"record": run_members(record)}, world.disk
    )
    with ExitStack() as undo:
        lock = directory.lock()
        undo.callback(lock.release)
        journal = directory.create_journal()
        undo.callback(_abandon, journal)
        recorder = Recorder(journal, directory.snapshots, Fold(begin(record, task)), world.clock.now_s, world.pace)
        recorder.begin(record)
        run = _assemble(setup, recorder, settings.caps, lock, observer, world, in_flight)
        undo.pop_all()
    return run


async def resume_run(
    directory: RunDirectory,
    load_task: LoadTask,
    choose_provider: ChooseProvider,
    asked: RunOptions | None = None,
    *,
    task_text: str | None = None,
    observer: Observer | None = None,
    world: World | None = None,
) -> RunReport:
    """Go on with a run. Raises as `reopen_run` and `start_run`."""
    run = reopen_run(directory, load_task, choose_provider, asked, task_text=task_text, observer=observer, world=world)
    return await run.go()


def reopen_run(
    directory: RunDirectory,
    load_task: LoadTask,
    choose_provider: ChooseProvider,
    asked: RunOptions | None = None,
    *,
    task_text: str | None = None,
    observer: Observer | None = None,
    world: World | None = None,
    in_flight: int | None = None,
) -> Run:
    """Open a run where it stopped: the newest snapshot and what came after it. Only limits may be set anew.

    `task_text` is the text of a file that the user named: it must be the one that the run was started with. Raises
    SettingsRefused, FoldError, RecordUnreadable and JournalError.
    """
    world = world or World(disk=directory.disk)
    asked = asked or RunOptions()
    text = directory.task_text()
    if task_text is not None and hash_task(task_text) != hash_task(text):
        raise SettingsRefused(
            refusal(
                "MK553",
                "the task has changed since the run started",
                "maker resume",
                directory.run_id,
                "a run goes on with its own copy of the task: leave the file out, or start a new run with it",
            )
        )
    with ExitStack() as undo:
        lock = directory.lock()
        undo.callback(lock.release)
        record = read_run_record(directory)
        task = load_task(text, record)
        journal, state = _recover(directory, task, record, undo)
        if state.record != record or record.task_sha256 != hash_task(text):
            raise RunUnreadable(directory.path, "run.json or task.maker was changed since the run started")
        setup = choose_provider(task, record)
        settings = resumed_settings(state, asked)
        require_possible(settings, setup.provider, *(one.provider for one in setup.named.values()))
        _require_writable(task, setup)
        recorder = Recorder(journal, directory.snapshots, Fold(state), world.clock.now_s, world.pace)
        recorder.begin(
            ResumedRecord(
                world.utc_now().isoformat(timespec="seconds"),
                __version__,
                setup.provider.name,
                CapsRecord(**asdict(settings.caps)),
                policy_records(settings.steps),
                state.granted.minus(state.spent).as_tuple(),
                policy_records(settings.defaults),
                {name: one.provider.name for name, one in setup.named.items()},
            )
        )
        run = _assemble(setup, recorder, settings.caps, lock, observer, world, in_flight)
        undo.pop_all()
    return run


def _require_writable(task: Task, setup: ProviderSetup) -> None:
    """Raise SettingsRefused where a grammar that a profile requires can't be written; sub-runs' come up later."""
    named = {name: one.provider for name, one in setup.named.items()}
    found = unwritable_steps(task.steps, setup.provider, named)
    if found:
        raise SettingsRefused(*found)


def read_run_record(directory: RunDirectory) -> RunRecord:
    """How a run was started, from its directory. Raises RunUnreadable."""
    try:
        record = _RUN_RECORDS.validate_python(directory.facts().configuration.get("record"))
    except ValidationError as error:
        raise RunUnreadable(directory.path, "run.json is not what this version of maker writes") from error
    if record.format > FORMAT:
        raise RunUnreadable(directory.path, f"it was made by a newer version of maker (format {record.format})")
    try:
        is_object = isinstance(decode_inputs(record.inputs), dict)
    except ValueError:
        is_object = False
    if not is_object:
        raise RunUnreadable(directory.path, "run.json has no inputs that can be read")
    return record


def decode_inputs(text: str) -> dict[str, Any]:
    """Inputs from their canonical JSON; numbers exact."""
    inputs: dict[str, Any] = json.loads(text, parse_float=Decimal)
    return inputs


_RUN_RECORDS = TypeAdapter(RunRecord)


def _recover(directory: RunDirectory, task: Task, record: RunRecord, undo: ExitStack) -> tuple[Journal, RunState]:
    """The journal, open for writing until `undo`, and the run as its records say."""
    try:
        opened: Opened = directory.open_journal()
    except JournalMissing:
        # The process that made the directory died before it had written a record.
        journal = directory.create_journal()
        undo.callback(_abandon, journal)
        return _first_record(journal, task, record)
    journal = opened.journal
    undo.callback(_abandon, journal)
    records = opened.records()
    if opened.snapshot is not None:
        run = restore(opened.snapshot.payload, task)
    else:
        first = next(records, None)
        if first is None:
            return _first_record(journal, task, record)
        event = decode(first.type, first.payload)
        if not isinstance(event, RunRecord):
            raise FoldError("the first record", "a run", type(event).__name__)
        run = begin(event, task)
    fold = Fold(run)
    for following in records:
        fold.apply(decode(following.type, following.payload))
    return journal, run


def _abandon(journal: Journal) -> None:
    """Close a journal that nobody is going to write to, whatever state it is in."""
    with suppress(JournalError):
        journal.close()


def _first_record(journal: Journal, task: Task, record: RunRecord) -> tuple[Journal, RunState]:
    journal.append(*encode(record))
    journal.sync()
    return journal, begin(record, task)


def _assemble(
    setup: ProviderSetup,
    recorder: Recorder,
    caps: Caps,
    lock: RunLock,
    observer: Observer | None,
    world: World,
    in_flight: int | None,
) -> Run:
    run = recorder.fold.run
    deadline_s = None
    if caps.max_seconds is not None:
        deadline_s = world.clock.now_s() + caps.max_seconds - run.totals.seconds
    budget: RunBudget | None = RunBudget(
        caps,
        run.spent,
        run.granted,
        lambda granted: recorder.grant(GrantRecord(*granted)),
        now_s=world.clock.now_s,
        deadline_s=deadline_s,
    )
    setups = {id(one.provider): one for one in (setup, *setup.named.values())}
    prices = [one.provider.price for one in setups.values()]
    is_free = all(price is None or (price.input == 0 and price.output == 0) for price in prices)
    if is_free and budget is not None and not budget.is_limited:
        budget = None
    ledger = RunLedger(recorder, budget)
    opened = {
        provider: Gateway(one.provider, one.limits, one.retry, world.clock, world.random, ledger, budget)
        for provider, one in setups.items()
    }
    gateways = Gateways(
        opened[id(setup.provider)], {name: opened[id(one.provider)] for name, one in setup.named.items()}
    )
    decider = Decider(
        gateways,
        Constraints(gateways, world.random, JournalNotes(ledger, recorder, observer)),
        ledger,
        recorder,
        max_tokens=run.record.max_tokens,
        keep=run.record.keep,
        in_flight=in_flight,
    )
    return Run(decider, recorder, caps, lock, observer)
