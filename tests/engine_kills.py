"""A process that works on a run of a bundled task until it is done or killed; see test_kills."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

from maker_dsl.engine.records import DecisionRecord
from maker_dsl.engine.report import Observer, RunHandle, RunReport
from maker_dsl.engine.settings import RunOptions
from maker_dsl.engine.start import ProviderSetup, decode_inputs, resume_run, start_run
from maker_dsl.journal import RealDisk, list_runs
from maker_dsl.language import load
from maker_dsl.simulation.provider import SimulatedProvider
from maker_dsl.simulation.rates import Rates
from maker_dsl.task import Task

RATES = Rates(wrong=0.05, malformed=0.03, overlong=0.02)
SEED = 7


def bundled(name: str, inputs: Mapping[str, Any]) -> Task:
    """A bundled task."""
    program = load(name).program
    assert program is not None
    return program.bind(inputs)


def setup(task: Task, latency: str) -> ProviderSetup:
    """An unreliable model."""
    rates = RATES.model_copy(update={"latency": latency})
    return ProviderSetup(SimulatedProvider(task, Rates.model_validate(rates.model_dump()), SEED))


class Announcer:
    """Tells another process that the first sample is about to be drawn."""

    def __init__(self, working: Event) -> None:
        self._working = working

    def started(self, run: RunHandle) -> None:
        """Tell it."""
        self._working.set()

    def decided(self, decision: DecisionRecord) -> None:
        """Nothing to do."""

    def told(self, text: str) -> None:
        """Nothing to do."""


@dataclass(frozen=True)
class Work:
    """What is run: a bundled task over inputs, each call taking a time."""

    task: str
    inputs: Mapping[str, Any]
    latency: str = "0"


def work(runs: Path, work: Work, observer: Observer | None = None) -> RunReport:
    """Go on with the run in `runs`, or start it."""
    found = list_runs(runs, RealDisk())
    if found:
        return asyncio.run(
            resume_run(
                found[0],
                lambda _text, record: bundled(work.task, decode_inputs(record.inputs)),
                lambda task, _run: setup(task, work.latency),
                observer=observer,
            )
        )
    task = bundled(work.task, work.inputs)
    options = RunOptions(ahead_by=4, seed=SEED)
    return asyncio.run(start_run(task, setup(task, work.latency), options, runs, observer=observer))


def work_unseen(runs: Path, what: Work, working: Event) -> None:
    """`work` as the target of a process."""
    work(runs, what, Announcer(working))
