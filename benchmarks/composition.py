"""Long multiplication and sorting by tasks that run tasks, with wrong replies: how many problems come out right.

    python benchmarks/composition.py                                200 products, 50 sorted lists, 2 % wrong replies
    python benchmarks/composition.py --products 20 --lists 5        fewer of them
    python benchmarks/composition.py --digits 40 --numbers 100      longer factors, shorter lists

Each problem is a run of its own on the simulated model, with a journal. The margin is the one that the tasks declare;
the chance that all come out right with it is that of the formula, if no wrong reply is refused and all agree.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from maker_dsl.engine.settings import RunOptions
from maker_dsl.engine.start import ProviderSetup, start_run
from maker_dsl.engine.theory import task_success
from maker_dsl.language import Program, load
from maker_dsl.simulation.provider import SimulatedProvider
from maker_dsl.simulation.rates import Rates


@dataclass(frozen=True, slots=True)
class Problem:
    """The inputs of a run, and what it has to result in."""

    inputs: dict[str, Any]
    result: dict[str, Any]


@dataclass(slots=True)
class Tally:
    """What became of the problems of a task."""

    right: int = 0
    wrong: int = 0
    undecided: int = 0
    steps: int = 0
    samples: int = 0
    seconds: float = 0.0


def products(count: int, digits: int, random: Random) -> Iterator[Problem]:
    """Pairs of factors with so many digits."""
    for _ in range(count):
        a, b = (random.randrange(10 ** (digits - 1), 10**digits) for _ in range(2))
        yield Problem({"a": a, "b": b}, {"product": a * b})


def lists(count: int, numbers: int, random: Random) -> Iterator[Problem]:
    """Lists of so many numbers, some of them negative, some with a fraction, some equal."""
    for _ in range(count):
        found = [Decimal(random.randint(-numbers * 4, numbers * 4)) / random.choice((1, 1, 2)) for _ in range(numbers)]
        yield Problem({"numbers": found}, {"sorted": sorted(found)})


def solve(program: Program, problems: Iterable[Problem], wrong: float, runs: Path) -> Tally:
    """Run all of them, one after the other."""
    tally = Tally()
    for seed, problem in enumerate(problems):
        task = program.bind(problem.inputs)
        began_s = time.perf_counter()
        setup = ProviderSetup(SimulatedProvider(task, Rates(wrong=wrong), seed))
        report = asyncio.run(start_run(task, setup, RunOptions(), runs))
        tally.seconds += time.perf_counter() - began_s
        tally.steps += report.steps
        tally.samples += report.samples
        if report.status != "done":
            tally.undecided += 1
        elif report.result == problem.result:
            tally.right += 1
        else:
            tally.wrong += 1
    return tally


def main() -> None:
    """Solve both kinds of problems and say how it went."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--products", type=int, default=200)
    options.add_argument("--digits", type=int, default=10)
    options.add_argument("--lists", type=int, default=50)
    options.add_argument("--numbers", type=int, default=500)
    options.add_argument("--wrong", type=float, default=0.02)
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    random = Random(given.seed)
    kinds: dict[str, tuple[str, int, Callable[[], Iterator[Problem]]]] = {
        "multiply": ("products", given.products, lambda: products(given.products, given.digits, random)),
        "sort": ("lists", given.lists, lambda: lists(given.lists, given.numbers, random)),
    }
    total = 0
    margins = []
    for name, (what, count, make) in kinds.items():
        program = load(name).program
        assert program is not None
        with tempfile.TemporaryDirectory() as runs:
            tally = solve(program, make(), given.wrong, Path(runs))
        margins += [step.vote.ahead_by for step in program.bind().steps if step.vote.ahead_by is not None]
        total += tally.steps
        print(
            f"{name}: {tally.right} of {count} {what} right, {tally.wrong} wrong, {tally.undecided} undecided; "
            f"{tally.steps:,} steps, {tally.samples:,} samples, {tally.seconds:.1f} s"
        )
    chance = task_success(1 - given.wrong, min(margins), max(1, total))
    print(f"ahead by {min(margins)}: all are right with a chance of {chance:.6f} or more")


if __name__ == "__main__":
    main()
