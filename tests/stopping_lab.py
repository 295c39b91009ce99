"""What the tests of stopping rules share: other ways to the same numbers, and steps drawn at random."""

from collections import Counter
from itertools import product
from math import exp
from random import Random

from maker_dsl.engine.step_model import Alike, StepModel
from maker_dsl.engine.stopping import Rule


def chance_of_right(model: StepModel, random: Random) -> float:
    """The p of a random step."""
    kind = random.choices(model.kinds, [kind.weight for kind in model.kinds])[0]
    return kind.p if isinstance(kind, Alike) else random.betavariate(kind.a, kind.b)


def enumerated_chance_wrong(model: StepModel, votes: int) -> dict[tuple[int, int, int], float]:
    """By (leader, runner-up, others): all sequences of right votes, main wrong ones and strays, each with its chance.

    Votes where beside two answers others have two votes too don't occur, since strays never agree.
    """
    whole: Counter[tuple[int, int, int]] = Counter()
    wrong: Counter[tuple[int, int, int]] = Counter()
    for sequence in product("RMS", repeat=votes):
        right, main, strays = (sequence.count(kind) for kind in "RMS")
        chance = exp(model.log_moment(right, main + strays)) * model.agreement**main * (1 - model.agreement) ** strays
        first, second, *_ = (*sorted([right, main, *[1] * strays], reverse=True), 0)
        if first > max(1, second):
            counts = (first, second, votes - first - second)
            whole[counts] += chance
            wrong[counts] += chance if main == first else 0.0
    return {counts: wrong[counts] / whole[counts] for counts in whole if whole[counts] > 0.0}


def vote_once(rule: Rule, p: float, agreement: float, random: Random) -> tuple[str, int]:
    """One step, vote by vote, over answers and not over roles: "right", "wrong" or "undecided", and the votes."""
    counts: Counter[str] = Counter()
    for drawn in range(1, rule.maximum + 1):
        if random.random() < p:
            counts["right"] += 1
        else:
            counts["main" if random.random() < agreement else f"stray {drawn}"] += 1
        (answer, leader), (_, runner_up) = [*counts.most_common(2), ("", 0)][:2]
        if rule.stops(leader, runner_up, drawn - leader - runner_up):
            return ("right" if answer == "right" else "wrong"), drawn
    return "undecided", rule.maximum
