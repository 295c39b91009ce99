"""A process that works on a run of the Towers of Hanoi until it is done or killed; see test_kills."""

from __future__ import annotations

import asyncio
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


def hanoi(inputs: dict[str, Any]) -> Task:
    """The bundled task."""
    program = load("hanoi").program
    assert program is not None
    return program.bind(inputs)


def setup(task: Task) -> ProviderSetup:
    """An unreliable model."""
    return ProviderSetup(SimulatedProvider(task, RATES, SEED))


class Announcer:
    """Tells another process that the first sample is about to be drawn."""

    def __init__(self, working: Event) -> None:
        self._working = working

    def started(self, run: RunHandle) -> None:
        """Tell it."""
        self._working.set()

    def decided(self, decision: DecisionRecord) -> None:
        """Nothing to do."""


def work(runs: Path, disks: int, observer: Observer | None = None) -> RunReport:
    """Go on with the run in `runs`, or start it."""
    found = list_runs(runs, RealDisk())
    if found:
        return asyncio.run(
            resume_run(
                found[0],
                lambda _text, record: hanoi(decode_inputs(record.inputs)),
                lambda task, _run: setup(task),
                observer=observer,
            )
        )
    task = hanoi({"disks": disks})
    return asyncio.run(start_run(task, setup(task), RunOptions(ahead_by=4, seed=SEED), runs, observer=observer))


def work_unseen(runs: Path, disks: int, working: Event) -> None:
    """`work` as the target of a process."""
    work(runs, disks, Announcer(working))
