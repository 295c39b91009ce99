"""The model of how steps differ, from a calibration: of each state, how many votes were right and how many there were.

Pure arithmetic. Three models are fitted by maximum likelihood: all steps alike, a Beta distribution (beta-binomial:
Skellam, Journal of the Royal Statistical Society B 10 (1948), 257-261), and two kinds of steps (by expectation and
maximisation). The one with the best Bayesian information criterion is taken, so that a mixture has to help.

What comes out of a fit is as often too good as too bad, and says nothing of kinds that the sample didn't meet, on which
a rule would stop early with conviction. So the fit is guarded three times. Models that explain the counts nearly as
well as the best one are averaged with it. Each chance of a right vote, and the share of easy states, is taken at the
lower end of its one-sided 95 % interval (by its standard error). And the share 1 / (states + 1) of all steps, the rule
of succession's chance that the next state is unlike the ones seen, is taken to be harder, right down to three times of
four. All of it shrinks as states are added; with few of them it costs votes, or the target is refused, which is what
not knowing costs. A fitted Beta distribution is cut off where a right vote has a chance of 0.7, and caution takes no
kind below it that was fitted above: what lies there is extrapolation, which would refuse most targets. This makes
misses of the target rarer and smaller and proves nothing: a tail that the states didn't show stays unknown. A rule from
a fit should therefore aim higher than the run has to reach, with half of the error budget left to the fit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, log, log1p, sqrt

from maker_dsl.engine.beta_search import likeliest_beta
from maker_dsl.engine.step_model import Alike, Spread, StepModel, log_sum
from maker_dsl.engine.theory import TheoryError

_ROUNDS = 80
_GUARD_PLACES = (0.75, 0.85, 0.95)
"""Below these a step takes more votes than a run allows, so that a guard there would refuse every target."""
_HARDEST = 0.7
_QUANTILE = 1.644854
_NEAR = 6.0
"""How much worse a fit's criterion may be than the best one's for the data to leave it open which is true."""
_SLICES, _EASIEST, _SLIGHT = 40, 1e-6, 1e-12
_Outcomes = Mapping[tuple[int, int], int]
"""The number of states by votes right and wrong."""


@dataclass(frozen=True, slots=True)
class CountedState:
    """What a calibration saw of one state: right votes, and all votes."""

    right: int
    total: int


def fit_steps(states: Sequence[CountedState], errors_agree: float | None = None, *, guarded: bool = True) -> StepModel:
    """The model that explains the counts best, guarded as above unless `guarded` is false.

    `errors_agree` is how often two wrong votes of a state agree. With shares q_i of the wrong votes it is the sum of
    q_i^2, which is at least the square of the largest: its root is the most that the main wrong answer can have, as far
    as states are alike in this. Not given: all wrong votes agree. Raises TheoryError without any vote.
    """
    if any(not 0 <= state.right <= state.total for state in states):
        raise TheoryError("a state has more right votes than votes")
    if errors_agree is not None and not 0.0 <= errors_agree <= 1.0:
        raise TheoryError(f"how often two wrong votes agree lies between 0 and 1; it is {errors_agree}")
    outcomes = Counter((state.right, state.total - state.right) for state in states if state.total)
    if not outcomes:
        raise TheoryError("without a vote nothing is known")
    number = outcomes.total()
    fits = (_all_alike(outcomes), _one_spread(outcomes), _two_kinds(outcomes))
    criteria = [_criterion(outcomes, kinds, number) for kinds in fits]
    if guarded:
        near = [kinds for kinds, one in zip(fits, criteria, strict=True) if one <= min(criteria) + _NEAR]
        kinds = _with_unseen(_averaged([_cut_off(_lowered(kinds, outcomes)) for kinds in near]), 1.0 / (number + 1.0))
    else:
        kinds = fits[criteria.index(min(criteria))]
    agreement = 1.0 if errors_agree is None else max(sqrt(errors_agree), 1.0 / (number + 1.0))
    return StepModel(kinds, agreement)


_Kinds = tuple[Alike | Spread, ...]


def _lowered(kinds: _Kinds, outcomes: _Outcomes) -> _Kinds:
    """The kinds with what is uncertain about them taken at its lower end."""
    states = sum(outcomes.values())
    votes = sum((right + wrong) * number for (right, wrong), number in outcomes.items())
    weights = [kind.weight for kind in kinds]
    if len(kinds) == 2:
        easier, harder = (0, 1) if kinds[0].log_moment(1, 0) >= kinds[1].log_moment(1, 0) else (1, 0)
        weights[easier] = _low_end(weights[easier], states)
        weights[harder] = 1.0 - weights[easier]
    lowered: list[Alike | Spread] = []
    for kind, weight in zip(kinds, weights, strict=True):
        match kind:
            case Alike(weight=seen, p=p):
                lowered.append(Alike(weight, max(_low_end(p, votes * seen), min(p, _HARDEST))))
            case Spread(weight=seen, a=a, b=b):
                effect = 1.0 + (votes / states - 1.0) / (a + b + 1.0)
                mean = _low_end(a / (a + b), votes * seen / effect)
                lowered.append(Spread(weight, a, a * (1.0 - mean) / mean))
    return tuple(lowered)


def _low_end(share: float, samples: float) -> float:
    """The lower end of a share's interval; never less than half of it, so that it stays above 0."""
    return max(share / 2.0, share - _QUANTILE * sqrt(share * (1.0 - share) / max(samples, 1.0)))


def _cut_off(kinds: _Kinds) -> _Kinds:
    """Beta distributions without their tail below the hardest promised step, as single values by their 1-p."""
    return tuple(part for kind in kinds for part in (_sliced(kind) if isinstance(kind, Spread) else (kind,)))


def _sliced(kind: Spread) -> _Kinds:
    hardest, easiest = log(1.0 - _HARDEST), log(_EASIEST)
    places = [hardest - (slice_ + 0.5) * (hardest - easiest) / _SLICES for slice_ in range(_SLICES)]
    logs = [(kind.a - 1.0) * log1p(-exp(place)) + kind.b * place for place in places]
    whole = log_sum(logs)
    parts = [(exp(one - whole), 1.0 - exp(place)) for one, place in zip(logs, places, strict=True)]
    total = sum(weight for weight, _ in parts if weight > _SLIGHT)
    return tuple(Alike(kind.weight * weight / total, p) for weight, p in parts if weight > _SLIGHT)


def _averaged(fits: Sequence[_Kinds]) -> _Kinds:
    return tuple(_weighted(kind, 1.0 / len(fits)) for kinds in fits for kind in kinds)


def _weighted(kind: Alike | Spread, share: float) -> Alike | Spread:
    match kind:
        case Alike(weight=weight, p=p):
            return Alike(weight * share, p)
        case Spread(weight=weight, a=a, b=b):
            return Spread(weight * share, a, b)


def _with_unseen(kinds: _Kinds, share: float) -> _Kinds:
    mean = exp(StepModel(kinds).log_moment(1, 0))
    harder = [place for place in _GUARD_PLACES if place < mean] or [_GUARD_PLACES[0]]
    scaled = [_weighted(kind, 1.0 - share) for kind in kinds]
    return (*scaled, *(Alike(share / len(harder), place) for place in harder))


def _criterion(outcomes: _Outcomes, kinds: _Kinds, states: int) -> float:
    numbers = sum(2 if isinstance(kind, Spread) else 1 for kind in kinds) + len(kinds) - 1
    return numbers * log(states) - 2.0 * _log_likelihood(outcomes, kinds)


def _log_likelihood(outcomes: _Outcomes, kinds: _Kinds) -> float:
    return sum(
        states * log_sum([log(kind.weight) + kind.log_moment(right, wrong) for kind in kinds])
        for (right, wrong), states in outcomes.items()
    )


def _pooled(outcomes: _Outcomes) -> float:
    """The share of right votes, as if one vote more had been seen, half of it wrong: never 0 or 1."""
    right = sum(right * states for (right, _), states in outcomes.items())
    wrong = sum(wrong * states for (_, wrong), states in outcomes.items())
    return (right + 0.5) / (right + wrong + 1.0)


def _all_alike(outcomes: _Outcomes) -> _Kinds:
    return (Alike(1.0, _pooled(outcomes)),)


def _one_spread(outcomes: _Outcomes) -> _Kinds:
    """A Beta distribution."""
    pooled = _pooled(outcomes)
    a, b = likeliest_beta(
        lambda a, b: _log_likelihood(outcomes, (Spread(1.0, a, b),)),
        log(pooled) - log1p(-pooled),
        lambda odds, size: abs(odds) < 25.0 and -3.0 < size < 12.0,
    )
    return (Spread(1.0, a, b),)


def _two_kinds(outcomes: _Outcomes) -> _Kinds:
    """Easy steps and hard ones; each round shares the states out between them, then fits both anew."""
    pooled = _pooled(outcomes)
    easy, hard = Alike(0.8, 1.0 - (1.0 - pooled) / 3.0), Alike(0.2, max(pooled - 3.0 * (1.0 - pooled), pooled / 2.0))
    total = sum(outcomes.values())
    for _ in range(_ROUNDS):
        weight = right_easy = votes_easy = right_hard = votes_hard = 0.0
        for (right, wrong), states in outcomes.items():
            mine = log(easy.weight) + easy.log_moment(right, wrong)
            other = log(hard.weight) + hard.log_moment(right, wrong)
            belongs = exp(mine - log_sum([mine, other]))
            weight += states * belongs
            right_easy += states * belongs * right
            votes_easy += states * belongs * (right + wrong)
            right_hard += states * (1.0 - belongs) * right
            votes_hard += states * (1.0 - belongs) * (right + wrong)
        share = (weight + 0.5) / (total + 1.0)
        easy = Alike(share, (right_easy + 0.5) / (votes_easy + 1.0))
        hard = Alike(1.0 - share, (right_hard + 0.5) / (votes_hard + 1.0))
    return easy, hard
