"""A whole run of the Towers of Hanoi on the simulated model: time, errors, memory, and the journal verified.

    python benchmarks/million.py                            20 disks, 1,048,575 steps, 1 % wrong replies
    python benchmarks/million.py --disks 12                 4,095 steps
    python benchmarks/million.py --max-steps 20000          the beginning of a long one

The margin comes from the formula: the smallest with which the whole task succeeds with a chance of 0.999.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import pstats
import tempfile
import time
from pathlib import Path

import orjson

from maker_dsl.engine.records import DecisionRecord
from maker_dsl.engine.report import RunHandle
from maker_dsl.engine.settings import RunOptions
from maker_dsl.engine.start import ProviderSetup, start_run
from maker_dsl.engine.theory import smallest_margin
from maker_dsl.engine.verification import verify_run
from maker_dsl.journal import RealDisk, list_runs
from maker_dsl.language import load
from maker_dsl.simulation.provider import SimulatedProvider
from maker_dsl.simulation.rates import Rates
from maker_dsl.task import Task


def resident_mb() -> float:
    """This process's memory, in MB."""
    with Path("/proc/self/statm").open() as statm:
        return int(statm.read().split()[1]) * 4096 / 1e6


class Watch:
    """Notes memory at 1 % of the way and then at every tenth."""

    def __init__(self, steps: int) -> None:
        self._marks = {max(1, steps // 100), *(steps * tenth // 10 for tenth in range(1, 11))}
        self._began_s = time.perf_counter()
        self.memory_mb: list[float] = []

    def started(self, run: RunHandle) -> None:
        """The clock starts."""
        self._began_s = time.perf_counter()

    def decided(self, decision: DecisionRecord) -> None:
        """Look at the memory now and then."""
        step = decision.step + 1
        if step in self._marks:
            self.memory_mb.append(resident_mb())
            seconds = time.perf_counter() - self._began_s
            print(f"{step:>9,} steps  {seconds:8.1f} s  {step / seconds:7.0f} steps/s  {self.memory_mb[-1]:6.1f} MB")

    def told(self, text: str) -> None:
        """Nothing to do."""


def hanoi(disks: int) -> Task:
    """The bundled task."""
    program = load("hanoi").program
    assert program is not None
    return program.bind({"disks": disks})


def main() -> None:
    """Run, report, verify."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--disks", type=int, default=20)
    options.add_argument("--wrong", type=float, default=0.01)
    options.add_argument("--max-steps", type=int)
    options.add_argument("--ahead-by", type=int)
    options.add_argument("--runs", type=Path, help="where to keep the run; else it is thrown away")
    options.add_argument("--no-verify", action="store_true")
    options.add_argument("--profile", action="store_true", help="show where the time goes")
    given = options.parse_args()
    task = hanoi(given.disks)
    whole = 2**given.disks - 1
    steps = min(whole, given.max_steps or whole)
    margin = given.ahead_by or smallest_margin(1 - given.wrong, whole, 0.999)
    print(f"{given.disks} disks, {steps:,} of {whole:,} steps, {given.wrong:.1%} wrong replies, ahead by {margin}")
    setup = ProviderSetup(SimulatedProvider(task, Rates(wrong=given.wrong), seed=1))
    asked = RunOptions(ahead_by=margin, max_steps=given.max_steps)
    watch = Watch(steps)
    with tempfile.TemporaryDirectory() as thrown_away:
        runs = given.runs or Path(thrown_away) / "runs"
        profile = cProfile.Profile()
        if given.profile:
            profile.enable()
        report = asyncio.run(start_run(task, setup, asked, runs, observer=watch))
        profile.disable()
        print(orjson.dumps(report.members()).decode()[:600])
        print(f"{report.seconds / max(1, report.steps) * 1e6:.0f} µs a step")
        print(f"memory: {watch.memory_mb[0]:.1f} MB at 1 %, {watch.memory_mb[-1]:.1f} MB at the end")
        if given.profile:
            pstats.Stats(profile).sort_stats("tottime").print_stats(40)
        directory = list_runs(runs, RealDisk())[-1]
        size = sum(file.stat().st_size for file in directory.path.rglob("*") if file.is_file())
        print(f"{size / 1e6:.0f} MB on disk, {size / max(1, report.steps):.0f} bytes a step")
        if not given.no_verify:
            began_s = time.perf_counter()
            found = verify_run(directory, lambda _text, _record: task)
            seconds = time.perf_counter() - began_s
            print(f"verified in {seconds:.1f} s: {found.mismatch or 'good'}; wrong steps: {found.wrong_steps}")


if __name__ == "__main__":
    main()
