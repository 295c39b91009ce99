"""SIGKILL at random moments of a real process on a real disk."""

from __future__ import annotations

import multiprocessing
import signal
from pathlib import Path
from random import Random

import pytest
from engine_kills import Work, bundled, work, work_unseen

from maker_dsl.engine.inspection import read_events
from maker_dsl.engine.records import DecisionRecord, SubRunRecord
from maker_dsl.engine.start import decode_inputs
from maker_dsl.engine.verification import verify_run
from maker_dsl.journal import RealDisk, RunDirectory, list_runs

PRELOAD = ["maker_dsl.language", "maker_dsl.engine.start", "maker_dsl.simulation.provider"]
"""Imported once, in the process that the workers are forked from.

(Python 3.11 does not find the tests' modules there.)
"""


HANOI = Work("hanoi", {"disks": 10})
SORT = Work("sort", {"numbers": [number * 37 % 101 for number in range(200)]}, latency="0.001")
"""With calls that take a time, so that sub-runs are side by side."""


def decisions(directory: RunDirectory) -> list[tuple[object, ...]]:
    """The decisions by their places in the tree of sub-runs."""
    places: dict[int, tuple[int | str, ...]] = {0: ()}
    found: list[tuple[object, ...]] = []
    for event in read_events(directory):
        if isinstance(event, SubRunRecord):
            places[event.number] = (*places[event.parent], event.step, event.name)
        if isinstance(event, DecisionRecord):
            votes = tuple(sorted(votes for _, votes in event.votes))
            place = (*places[event.sub], event.step)
            found.append((place, event.value, votes, event.samples, event.state_hash))
    return sorted(found, key=lambda decision: str(decision[0]))


@pytest.mark.long
@pytest.mark.parametrize(("what", "most_kills"), [(HANOI, 100), (SORT, 20)], ids=["hanoi", "sort"])
def test_a_run_killed_many_times_ends_with_the_same_decisions(what: Work, most_kills: int, tmp_path: Path) -> None:
    undisturbed = work(tmp_path / "undisturbed", what)
    (reference,) = list_runs(tmp_path / "undisturbed", RealDisk())
    expected = decisions(reference)
    assert undisturbed.status == "done"
    assert len(expected) > (1000 if what is HANOI else 100)

    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(PRELOAD)
    random = Random(1)
    kills = runs = 0
    while kills < most_kills:
        runs += 1
        place = tmp_path / str(runs)
        while True:
            working = processes.Event()
            worker = processes.Process(target=work_unseen, args=(place, what, working))
            worker.start()
            if random.random() < 0.9:  # the others are killed while they start
                working.wait(30)
            worker.join(random.uniform(0.0, 0.15) if kills < most_kills else None)
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
    assert runs < most_kills
    found = verify_run(directory, lambda _text, record: bundled(what.task, decode_inputs(record.inputs)))
    assert (found.mismatch, found.status, found.wrong_steps) == (None, "done", 0)


@pytest.mark.long
def test_a_long_run_is_opened_again_from_a_snapshot_of_its_end(tmp_path: Path) -> None:
    """The work does not depend on how many steps lie behind."""
    work(tmp_path, Work("hanoi", {"disks": 12}))
    (directory,) = list_runs(tmp_path, RealDisk())
    newest = directory.snapshots.load().good[0]
    behind = [event for event in read_events(directory, newest.position) if isinstance(event, DecisionRecord)]
    assert behind == []
    report = work(tmp_path, Work("hanoi", {"disks": 12}))
    assert (report.status, report.steps) == ("done", 4095)
