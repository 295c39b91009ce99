"""How often the intervals of calibrations hold the truth, and how wide they are: states that are alike, and mixed ones.

    python benchmarks/calibration.py [--calibrations 1000] [--states 30] [--samples 10] [--seed 1]

Each line is one distribution of the chance that a vote is right. `covered` counts the simulated calibrations whose 95 %
interval holds the true p, `above low` those whose lower end is not above it, which is what plans count on; beside it
the same for Wilson's interval over all samples, as if those of one state were independent. The last columns draw up to
ten times as many states, and stop as `maker calibrate --precision` does; and how many states that took.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from maker_dsl.engine.calibration import BATCH
from maker_dsl.engine.calibration_summary import FEWEST_STATES
from maker_dsl.engine.clusters import ClusteredShare, share_by_states
from maker_dsl.engine.theory import wilson_interval


@dataclass(frozen=True, slots=True)
class Difficulty:
    """How a state's chance of a right vote is drawn, and its mean."""

    name: str
    draw: Callable[[Random], float]
    truth: float


def mixed(name: str, share: float, easy: float, hard: float) -> Difficulty:
    """States of two kinds."""
    return Difficulty(name, lambda random: easy if random.random() < share else hard, share * easy + (1 - share) * hard)


def beta(name: str, mean: float, correlation: float) -> Difficulty:
    """States whose chances follow a Beta distribution; two samples of a state have that correlation."""
    weight = 1 / correlation - 1
    return Difficulty(name, lambda random: random.betavariate(mean * weight, (1 - mean) * weight), mean)


DIFFICULTIES = (
    mixed("all 0.9", 1, 0.9, 0),
    mixed("all 0.99", 1, 0.99, 0),
    mixed("all 0.999", 1, 0.999, 0),
    beta("Beta, mean 0.95, r 0.1", 0.95, 0.1),
    beta("Beta, mean 0.95, r 0.3", 0.95, 0.3),
    beta("Beta, mean 0.8, r 0.2", 0.8, 0.2),
    mixed("80 % 0.98, 20 % 0.8", 0.8, 0.98, 0.8),
    mixed("90 % 0.99, 10 % 0.7", 0.9, 0.99, 0.7),
    mixed("95 % 0.995, 5 % 0.5", 0.95, 0.995, 0.5),
    mixed("90 % 0.999, 10 % 0.3", 0.9, 0.999, 0.3),
)


def sample(difficulty: Difficulty, states: int, samples: int, random: Random) -> list[int]:
    """The right votes of each state of one calibration."""
    chances = [difficulty.draw(random) for _ in range(states)]
    return [sum(random.random() < chance for _ in range(samples)) for chance in chances]


def stopped(rights: list[int], samples: int, precision: float) -> tuple[ClusteredShare, int]:
    """The interval where a calibration with `precision` would have stopped, and after how many states."""
    for states in range(BATCH, len(rights), BATCH):
        if states >= FEWEST_STATES:
            early = share_by_states(rights[:states], [samples] * states)
            if max(early.high - early.value, early.value - early.low) <= precision:
                return early, states
    return share_by_states(rights, [samples] * len(rights)), len(rights)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--calibrations", type=int, default=1000)
    parser.add_argument("--states", type=int, default=30)
    parser.add_argument("--samples", type=int, default=10)
    parser.add_argument("--precision", type=float, default=0.04)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    random = Random(given.seed)
    print(f"{given.calibrations:,} calibrations, {given.states} states, {given.samples} samples of each")
    print("p of the states          covered  above low  mean width  naive covered  early covered  states")
    for difficulty in DIFFICULTIES:
        held = above = naive = early = took = 0
        width = 0.0
        for _ in range(given.calibrations):
            rights = sample(difficulty, given.states, given.samples, random)
            found = share_by_states(rights, [given.samples] * given.states)
            held += found.low <= difficulty.truth <= found.high
            above += found.low <= difficulty.truth
            width += found.high - found.low
            plain = wilson_interval(sum(rights), given.samples * given.states)
            naive += plain.low <= difficulty.truth <= plain.high
            more = rights + sample(difficulty, 9 * given.states, given.samples, random)
            once, states = stopped(more, given.samples, given.precision)
            early += once.low <= difficulty.truth <= once.high
            took += states
        number = given.calibrations
        shares = (f"{100 * count / number:.1f} %" for count in (held, above))
        covered, low = shares
        print(
            f"{difficulty.name:<24} {covered:>7}  {low:>9}  {width / number:>10.4f}"
            f"  {f'{100 * naive / number:.1f} %':>13}  {f'{100 * early / number:.1f} %':>13}  {took / number:>6.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
