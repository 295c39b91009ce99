"""SIGKILL at random moments of a real process on a real disk."""

from __future__ import annotations

import multiprocessing
import signal
from pathlib import Path
from random import Random

import pytest
from engine_kills import hanoi, work, work_unseen

from maker_dsl.engine.inspection import read_events
from maker_dsl.engine.records import DecisionRecord
from maker_dsl.engine.start import decode_inputs
from maker_dsl.engine.verification import verify_run
from maker_dsl.journal import RealDisk, RunDirectory, list_runs

KILLS = 100
PRELOAD = ["maker_dsl.language", "maker_dsl.engine.start", "maker_dsl.simulation.provider"]
"""Imported once, in the process that the workers are forked from.

(Python 3.11 does not find the tests' modules there.)
"""


def decisions(directory: RunDirectory) -> list[tuple[object, ...]]:
    return [
        (event.step, event.value, tuple(sorted(votes for _, votes in event.votes)), event.samples, event.state_hash)
        for event in read_events(directory)
        if isinstance(event, DecisionRecord)
    ]


@pytest.mark.long
def test_a_run_killed_a_hundred_times_ends_with_the_same_decisions(tmp_path: Path) -> None:
    disks = 10
    undisturbed = work(tmp_path / "undisturbed", disks)
    (reference,) = list_runs(tmp_path / "undisturbed", RealDisk())
    expected = decisions(reference)
    assert undisturbed.status == "done"
    assert [decision[0] for decision in expected] == list(range(2**disks - 1))

    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(PRELOAD)
    random = Random(1)
    kills = runs = 0
    while kills < KILLS:
        runs += 1
        place = tmp_path / str(runs)
        while True:
            working = processes.Event()
            worker = processes.Process(target=work_unseen, args=(place, disks, working))
            worker.start()
            if random.random() < 0.9:  # the others are killed while they start
                working.wait(30)
            worker.join(random.uniform(0.0, 0.15) if kills < KILLS else None)
            if worker.exitcode is None:
                worker.kill()
                worker.join()
                kills += 1
                assert worker.exitcode == -signal.SIGKILL
                continue
            assert worker.exitcode == 0
            break
        (directory,) = list_runs(place, RealDisk())
        assert decisions(directory) == expected
    assert runs < KILLS
    found = verify_run(directory, lambda _text, record: hanoi(decode_inputs(record.inputs)))
    assert (found.mismatch, found.status, found.wrong_steps) == (None, "done", 0)


@pytest.mark.long
def test_a_long_run_is_opened_again_from_a_snapshot_of_its_end(tmp_path: Path) -> None:
    """The work does not depend on how many steps lie behind."""
    work(tmp_path, 12)
    (directory,) = list_runs(tmp_path, RealDisk())
    newest = directory.snapshots.load().good[0]
    behind = [event for event in read_events(directory, newest.position) if isinstance(event, DecisionRecord)]
    assert behind == []
    report = work(tmp_path, 12)
    assert (report.status, report.steps) == ("done", 4095)
