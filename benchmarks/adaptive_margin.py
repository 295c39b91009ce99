"""The adaptive stopping rule beside a fixed margin: votes and success where steps are easy, mixed, hard, correlated.

    python benchmarks/adaptive_margin.py [--steps 1000] [--runs 1000] [--target 0.95] [--votes 120] [--seed 1]

Both rules know the distribution of steps: the margin is the smallest whose runs succeed often enough, the adaptive rule
has the widest bound with which they do. `votes` and `success` (of whole runs) are exact. `drawn` is the share of
simulated runs that succeeded, drawn vote by vote; luck moves it by about 0.01 for 1,000 runs.
`correlated` steps have a chance of their own each, from a Beta distribution. Where half of the wrong votes agree, the
rule is told that limit. On the next line fewer agree than it was told; on the last one more, beyond what is promised.
"""

from __future__ import annotations

import argparse
from random import Random

from maker_dsl.engine.step_model import Alike, Spread, StepModel, alike
from maker_dsl.engine.stopping import Rule
from maker_dsl.engine.stopping_value import smallest_fixed_margin, value_of, widest_table

_MIXED = (Alike(0.9, 0.99), Alike(0.1, 0.75))
_HALF = StepModel(_MIXED, 0.5)
KNOWN: tuple[tuple[str, StepModel], ...] = (
    ("easy: all 0.99", alike(0.99)),
    ("uniform: all 0.9", alike(0.9)),
    ("hard: all 0.75", alike(0.75)),
    ("mixed: 90 % 0.99, 10 % 0.8", StepModel((Alike(0.9, 0.99), Alike(0.1, 0.8)))),
    ("mixed: 90 % 0.99, 10 % 0.75", StepModel(_MIXED)),
    ("mixed: 95 % 0.999, 5 % 0.75", StepModel((Alike(0.95, 0.999), Alike(0.05, 0.75)))),
    ("hard: 70 % 0.9, 30 % 0.75", StepModel((Alike(0.7, 0.9), Alike(0.3, 0.75)))),
    ("correlated: Beta(40, 2)", StepModel((Spread(1.0, 40.0, 2.0),))),
    ("correlated: Beta(30.7, 1.6)", StepModel((Spread(1.0, 30.7, 1.6),))),
    ("half of wrong votes agree", _HALF),
)
SETTINGS: tuple[tuple[str, StepModel, StepModel], ...] = (
    *((name, model, model) for name, model in KNOWN),
    ("limit one half, 30 % agree", _HALF, StepModel(_MIXED, 0.3)),
    ("limit one half, all agree", _HALF, StepModel(_MIXED, 1.0)),
)


def simulated(rule: Rule, actual: StepModel, steps: int, runs: int, random: Random) -> float:
    """The share of runs that succeed, drawn vote by vote; a run ends at its first step that fails."""
    return sum(all(is_right(rule, actual, random) for _ in range(steps)) for _ in range(runs)) / runs


def is_right(rule: Rule, actual: StepModel, random: Random) -> bool:
    """Vote on one step of a random kind."""
    kind = random.choices(actual.kinds, [kind.weight for kind in actual.kinds])[0]
    p = kind.p if isinstance(kind, Alike) else random.betavariate(kind.a, kind.b)
    right = main = strays = 0
    for votes in range(1, rule.maximum + 1):
        if random.random() < p:
            right += 1
        elif actual.agreement == 1.0 or random.random() < actual.agreement:
            main += 1
        else:
            strays += 1
        low, high = (right, main) if right < main else (main, right)
        if strays:
            low, high = sorted((low, high, 1, min(1, strays - 1)))[2:]
        if rule.stops(high, low, votes - high - low):
            return right == high
    return False


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--target", type=float, default=0.95)
    parser.add_argument("--votes", type=int, default=120)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    random = Random(given.seed)
    print(f"runs of {given.steps:,} steps, target {given.target}, at most {given.votes} votes a step")
    print("                               adaptive                    fixed margin")
    print("steps                          votes  success   drawn      k   votes  success   drawn      votes")
    for name, stated, actual in SETTINGS:
        table = widest_table(stated, given.steps, given.target, given.votes)
        adaptive = value_of(table, actual)
        margin = smallest_fixed_margin(stated, given.steps, given.target, given.votes)
        fixed = value_of(margin, actual)
        ours, theirs = (simulated(rule, actual, given.steps, given.runs, random) for rule in (table, margin))
        print(
            f"{name:<28} {adaptive.votes:>7.3f}  {adaptive.run_success(given.steps):>7.4f}  {ours:>6.3f}"
            f"  {margin.margin:>5}  {fixed.votes:>6.3f}  {fixed.run_success(given.steps):>7.4f}  {theirs:>6.3f}"
            f"  {100 * (adaptive.votes / fixed.votes - 1):>+7.1f} %",
            flush=True,
        )


if __name__ == "__main__":
    main()
