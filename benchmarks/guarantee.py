"""Whether whole runs succeed as often as they should, and what that costs: fixed and adaptive margins side by side.

    python benchmarks/guarantee.py [--quick] [--steps 1000] [--target 0.95] [--states 100] [--samples 10] [--seed 1]

Each distribution of steps is voted on by four rules. Those that are `known` are made from the distribution itself,
`auto` and `adaptive` from a calibration, as `--ahead-by auto` and `--ahead-by adaptive` do: 40 calibrations of 100
states with 10 samples each, and 25 runs with what each of them makes. All 1,000 runs of a line are drawn vote by vote.
`votes` is the mean of a drawn step, `success` the share of runs that succeeded, `95 %` where the true chance lies:
Wilson's interval, by calibrations where there are several, since the runs of one hang together. `exact` is the mean
chance of success of the rules, worked out over all orders of votes where all wrong ones agree; `met` holds it, or else
`success`, against the target. `refused` counts the calibrations (or distributions) that make no rule because no margin
would do: they have no runs.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from math import log
from random import Random

from maker_dsl.engine.calibration_file import FORMAT, Calibration, ShareEstimate, StateTally
from maker_dsl.engine.clusters import share_by_states
from maker_dsl.engine.planning import PlanImpossible
from maker_dsl.engine.step_model import Alike, Spread, StepModel, alike
from maker_dsl.engine.stopping import AheadBy, Rule
from maker_dsl.engine.stopping_value import smallest_fixed_margin, value_of, widest_table
from maker_dsl.engine.theory import TheoryError, wilson_interval
from maker_dsl.engine.vote_plan import plan_votes

_MIXED = (Alike(0.9, 0.99), Alike(0.1, 0.75))
SETTINGS: tuple[tuple[str, StepModel], ...] = (
    ("easy: all 0.99", alike(0.99)),
    ("uniform: all 0.9", alike(0.9)),
    ("hard: all 0.75", alike(0.75)),
    ("mixed: 90 % 0.99, 10 % 0.75", StepModel(_MIXED)),
    ("mixed: 95 % 0.999, 5 % 0.75", StepModel((Alike(0.95, 0.999), Alike(0.05, 0.75)))),
    ("hard: 70 % 0.9, 30 % 0.75", StepModel((Alike(0.7, 0.9), Alike(0.3, 0.75)))),
    ("correlated: Beta(40, 2)", StepModel((Spread(1.0, 40.0, 2.0),))),
    ("half of wrong votes agree", StepModel(_MIXED, 0.5)),
    ("tail: 99.5 % 0.99, 0.5 % 0.6", StepModel((Alike(0.995, 0.99), Alike(0.005, 0.6)))),
)
_MOST_VOTES = 120
_RUNS = 1000


@dataclass(slots=True)
class Drawn:
    """What came of the runs of one line."""

    runs: int = 0
    succeeded: int = 0
    steps: int = 0
    votes: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """One rule on one distribution: the drawn runs by calibration, and the mean chance of success."""

    votes: float
    succeeded: Sequence[tuple[int, int]]
    exact: float | None
    """None where wrong votes scatter: counting their orders takes too long for so many rules."""
    refused: int


def calibrated(model: StepModel, states: int, samples: int, random: Random) -> Calibration:
    """A calibration of steps that follow the distribution; no reply is flagged."""
    tallies = []
    for _ in range(states):
        p = _chance(model, random)
        right = sum(random.random() < p for _ in range(samples))
        tallies.append(
            StateTally(origin="drawn", task="t", step="s", state={}, samples=samples, votes=samples, right=right)
        )
    share = share_by_states([state.right for state in tallies], [samples] * states)
    return Calibration(
        format=FORMAT,
        task="t",
        provider="drawn",
        truth="reference",
        p=ShareEstimate(value=share.value, low=share.low, high=share.high),
        passing=ShareEstimate(value=1.0, low=1.0, high=1.0),
        states=tuple(tallies),
    )


def drawn_runs(rule: Rule, model: StepModel, steps: int, runs: int, random: Random, into: Drawn) -> int:
    """Draw runs vote by vote, each to its end; the number that succeed."""
    unanimous = next(votes for votes in range(1, rule.maximum + 1) if rule.stops(votes, 0, 0))
    succeeded = 0
    for _ in range(runs):
        is_right = True
        for _ in range(steps):
            p = _chance(model, random)
            # The votes before the first wrong one: most steps are over by then.
            rights = int(log(1.0 - random.random()) / log(p))
            if rights >= unanimous:
                into.votes += unanimous
                continue
            votes, won = _contested(rule, p, model.agreement, rights, random)
            into.votes += votes
            is_right = is_right and won
        succeeded += is_right
    into.runs += runs
    into.steps += runs * steps
    into.succeeded += succeeded
    return succeeded


def _contested(rule: Rule, p: float, agreement: float, right: int, random: Random) -> tuple[int, bool]:
    """The votes of a step that begins with so many right ones and then a wrong one, and whether it is won."""
    main = strays = 0
    is_right = False
    for votes in range(right + 1, rule.maximum + 1):
        if is_right:
            right += 1
        elif agreement == 1.0 or random.random() < agreement:
            main += 1
        else:
            strays += 1
        low, high = (right, main) if right < main else (main, right)
        if strays:
            low, high = sorted((low, high, 1, min(1, strays - 1)))[2:]
        if rule.stops(high, low, votes - high - low):
            return votes, right == high
        is_right = random.random() < p
    return rule.maximum, False


def _chance(model: StepModel, random: Random) -> float:
    at = random.random()
    for kind in model.kinds:
        at -= kind.weight
        if at < 0.0:
            break
    return kind.p if isinstance(kind, Alike) else random.betavariate(kind.a, kind.b)


def line(rules: Sequence[Rule | None], model: StepModel, steps: int, runs: int, random: Random) -> Line:
    """Draw so many runs with each rule; None stands for a refused target."""
    drawn, succeeded, exact = Drawn(), [], []
    worth: dict[Rule, float] = {}
    for rule in rules:
        if rule is None:
            continue
        if model.agreement == 1.0:
            if rule not in worth:
                worth[rule] = value_of(rule, model).run_success(steps)
            exact.append(worth[rule])
        succeeded.append((drawn_runs(rule, model, steps, runs, random, drawn), runs))
    mean = sum(exact) / len(exact) if exact else None
    return Line(drawn.votes / max(drawn.steps, 1), succeeded, mean, sum(rule is None for rule in rules))


def known(model: StepModel, steps: int, target: float, adaptive: bool) -> Rule | None:
    """The rule of somebody who knows the distribution; None where none reaches the target."""
    try:
        best = widest_table if adaptive else smallest_fixed_margin
        return best(model, steps, target, _MOST_VOTES)
    except TheoryError:
        return None


def planned(calibration: Calibration, steps: int, target: float, adaptive: bool) -> Rule | None:
    """The rule that a run would go by; None where the target is refused."""
    try:
        plan = plan_votes(calibration, steps, target, adaptive=adaptive)
    except PlanImpossible:
        return None
    return plan.table or AheadBy(plan.ahead_by, plan.max_samples)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true", help="4 calibrations and 40 runs a line, of 100 steps")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--target", type=float, default=0.95)
    parser.add_argument("--states", type=int, default=100)
    parser.add_argument("--samples", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    steps = given.steps or (100 if given.quick else 1000)
    number, runs = (4, 40) if given.quick else (40, _RUNS)
    print(
        f"{runs:,} runs of {steps:,} steps a line, target {given.target}; auto and adaptive: {number} calibrations of "
        f"{given.states} states with {given.samples} samples each"
    )
    print("steps                         rule               votes  success          95 %   exact  met  refused")
    asked = [_Asked(at, given.seed, number, given.states, given.samples, steps, given.target, runs) for at in _PLACES]
    with ProcessPoolExecutor() as pool:
        for lines in pool.map(_lines, asked):
            print("\n".join(lines), flush=True)


@dataclass(frozen=True, slots=True)
class _Asked:
    place: int
    seed: int
    calibrations: int
    states: int
    samples: int
    steps: int
    target: float
    runs: int


_PLACES = range(len(SETTINGS))


def _lines(asked: _Asked) -> list[str]:
    """The lines of one distribution, which has random numbers of its own."""
    name, model = SETTINGS[asked.place]
    steps, target = asked.steps, asked.target
    random = Random(f"{asked.seed} {name}")
    calibrations = [calibrated(model, asked.states, asked.samples, random) for _ in range(asked.calibrations)]
    rules: dict[str, list[Rule | None]] = {
        "fixed, known": [known(model, steps, target, False)],
        "auto": [planned(one, steps, target, False) for one in calibrations],
        "adaptive, known": [known(model, steps, target, True)],
        "adaptive": [planned(one, steps, target, True) for one in calibrations],
    }
    lines = []
    for rule, made in rules.items():
        found = line(made, model, steps, asked.runs // len(made), random)
        lines.append(f"{name:<28}  {rule:<15}  {_cells(found, target)}")
    return lines


def _cells(found: Line, target: float) -> str:
    succeeded = [right for right, _ in found.succeeded]
    runs = [number for _, number in found.succeeded]
    if not runs:
        return f"{'-':>7}  {'-':>7}  {'-':>12}  {'-':>6}  {'-':>3}  {found.refused:>7}"
    if len(runs) == 1:
        low, high = _wilson(succeeded[0], runs[0])
    else:
        interval = share_by_states(succeeded, runs)
        low, high = interval.low, interval.high
    share = sum(succeeded) / sum(runs)
    exact = "-" if found.exact is None else f"{found.exact:.4f}"
    is_met = (share if found.exact is None else found.exact) >= target
    return (
        f"{found.votes:>7.3f}  {share:>7.3f}  {f'{low:.3f}-{high:.3f}':>12}  {exact:>6}"
        f"  {'yes' if is_met else 'NO':>3}  {found.refused:>7}"
    )


def _wilson(hits: int, number: int) -> tuple[float, float]:
    interval = wilson_interval(hits, number)
    return interval.low, interval.high


if __name__ == "__main__":
    main()
