"""How a run is to vote so that it succeeds often enough: its margin or its stopping table, from a calibration.

Pure arithmetic, done once, before a run begins; `maker plan` says the same figures. Two pictures of the steps have to
agree that it is enough: all steps alike, at the lower end of p, and steps that differ as the calibration's states do
(`step_fit`, guarded). Each has its blind spot: the mean hides the hard steps, the fit hides how little is known of the
mean. The wanted chance is asked of the first and more of the second, half of whose error budget is left to what a fit
can't know. Wrong votes of a step are taken to agree, which is the worst case.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log1p, sqrt

from maker_dsl.engine import theory
from maker_dsl.engine.calibration_file import Calibration
from maker_dsl.engine.planning import MOST_MARGIN, Model, PlanImpossible, model_of, require_a_chance
from maker_dsl.engine.policy import DEFAULT_MAX_SAMPLES
from maker_dsl.engine.step_fit import CountedState, fit_steps
from maker_dsl.engine.step_model import Alike, StepModel, alike
from maker_dsl.engine.stopping import LEAST_AGREEING, StoppingTable, error_share
from maker_dsl.engine.stopping_value import value_of, widest_table
from maker_dsl.engine.theory import TheoryError
from maker_dsl.engine.vote_chain import vote_lengths

MOST_SAMPLES = 2000
"""As many as `maker plan --max-samples` and a run's limit may be."""
_UNDECIDED_PART = 0.01
"""Of the error budget, where the limit of samples is ours to choose."""
_TABLE_VOTES = 120
_WORTHWHILE = 0.01
"""A table that saves a smaller share of the votes isn't worth having."""
_UNLUCKY = 3.0
"""So many standard deviations more flags than the mean are allowed for, where a table counts votes."""


@dataclass(frozen=True, slots=True)
class VotePlan:
    """How a run is to vote so that it succeeds often enough: worked out once, before it begins."""

    ahead_by: int
    """The smallest fixed margin that is enough; where there is a table, for comparison and beyond its last vote."""
    max_samples: int
    """The limit of a step: the caller's, or large enough that undecided steps take next to nothing of the budget."""
    table: StoppingTable | None
    """None where a fixed margin was asked for, or where no table saves votes."""
    steps: int
    target: float
    success: float
    """The chance that all steps are decided, and rightly, by the more doubtful of the two pictures."""
    votes_per_step: float
    """Where steps differ as the guarded fit has it."""
    passing: float
    """The lower end of v."""


def plan_votes(
    calibration: Calibration, steps: int, target: float, *, adaptive: bool = False, max_samples: int | None = None
) -> VotePlan:
    """The plan for a run of `steps` steps that are all decided rightly with a chance of `target`.

    Raises PlanImpossible where nothing reaches it, TheoryError where a number is out of its range.
    """
    model = model_of(calibration.provider, calibration)
    pictures = _pictures(calibration, model, steps, target)
    passing = calibration.passing.low
    if not passing > 0.0:
        raise PlanImpossible(
            model.name,
            "so few replies passed the flags that perhaps none does",
            "calibrate with more states, or look at what the flags discard: `maker calibrate` lists them",
        )
    fixed = _fixed(pictures, model, steps, target, passing, max_samples)
    return _with_table(fixed, pictures, steps, max_samples is None) if adaptive else fixed


@dataclass(frozen=True, slots=True)
class _Picture:
    """What steps may be like, and the chance of success that is asked for if they are."""

    kinds: StepModel
    target: float
    share: float
    """How often a step may fail."""


def _pictures(calibration: Calibration, model: Model, steps: int, target: float) -> tuple[_Picture, ...]:
    """The steps all alike, and, as the last, those that the calibration's states tell of, where it has states."""
    share = error_share(steps, target)
    require_a_chance(model)
    # Never exactly 1: a model with no error so far makes one now and then.
    average = _Picture(alike(min(model.p_low, 1.0 - 1e-12)), target, share)
    states = [CountedState(state.right, state.votes) for state in calibration.states if state.votes]
    if not states:
        return (average,)
    if model.systematic:
        number = "a state" if model.systematic == 1 else f"{model.systematic:,} states"
        raise PlanImpossible(
            model.name,
            f"in {number} of {len(states):,} most votes are wrong, and voting makes such steps surely wrong",
            "the calibration lists them under `states`; a rule that flags their wrong answers, or another wording of "
            "the prompt, may help",
        )
    higher = (1.0 + target) / 2.0
    fitted = fit_steps(states)
    hardest = min(kind.p for kind in fitted.kinds if isinstance(kind, Alike))
    if hardest <= 0.5:
        raise PlanImpossible(
            model.name,
            f"some steps may have as little as {hardest:.2g} of their votes right, and voting needs more than one half",
            "calibrate with more states (`--states N`), or make the hard ones easier: `maker calibrate` lists them",
        )
    return average, _Picture(fitted, higher, error_share(steps, higher))


def _fixed(
    pictures: tuple[_Picture, ...],
    model: Model,
    steps: int,
    target: float,
    passing: float,
    max_samples: int | None,
) -> VotePlan:
    spare = 1.0 - (_UNDECIDED_PART if max_samples is None else 0.0)
    margin = max(_margin_for(each, each.share * spare, model.name) for each in pictures)
    limit = DEFAULT_MAX_SAMPLES if max_samples is None else max_samples

    def is_rare(chances: list[float], part: float) -> bool:
        return all(chance <= part * each.share for chance, each in zip(chances, pictures, strict=True))

    while True:
        undecided = [_undecided(each.kinds, margin, limit, passing) for each in pictures]
        failing = [_wrong(each.kinds, margin) + lost for each, lost in zip(pictures, undecided, strict=True)]
        if is_rare(failing, 1.0) and (max_samples is not None or is_rare(undecided, _UNDECIDED_PART)):
            break
        if max_samples is None and limit < MOST_SAMPLES:
            limit = min(MOST_SAMPLES, limit + max(limit // 2, 1))
        elif max_samples is not None and is_rare(undecided, 1.0):
            margin += 1
        else:
            raise _too_few_samples(model, margin, limit, max_samples)
    chances = [_run_success(lost, steps) for lost in failing]
    return VotePlan(margin, limit, None, steps, target, min(chances), _votes(pictures[-1].kinds, margin), passing)


def _too_few_samples(model: Model, margin: int, limit: int, given: int | None) -> PlanImpossible:
    if given is None:
        return PlanImpossible(
            model.name,
            f"hard steps would take more than {limit:,} samples to be ahead by {margin:,}",
            "make the step smaller or its prompt clearer, or take a better model",
        )
    return PlanImpossible(
        model.name,
        f"at most {limit:,} samples a step leave too many steps undecided ahead by {margin:,}",
        "allow more with `--max-samples`",
    )


def _with_table(fixed: VotePlan, pictures: tuple[_Picture, ...], steps: int, is_free: bool) -> VotePlan:
    """The plan with a table, if one is good enough in all pictures and saves votes; `is_free`: the limit is ours."""
    limit = max(fixed.max_samples, _samples_for(_TABLE_VOTES, fixed.passing)) if is_free else fixed.max_samples
    votes = min(_votes_of(limit, fixed.passing), _TABLE_VOTES)
    last = pictures[-1]
    if votes < LEAST_AGREEING:
        return fixed
    try:
        table = widest_table(last.kinds, steps, last.target, votes)
    except TheoryError:
        return fixed
    values = [value_of(table, each.kinds) for each in pictures]
    chances = [value.run_success(steps) for value in values]
    is_enough = all(chance >= each.target for chance, each in zip(chances, pictures, strict=True))
    if not is_enough or values[-1].votes > (1.0 - _WORTHWHILE) * fixed.votes_per_step:
        return fixed
    return VotePlan(
        fixed.ahead_by,
        limit,
        table,
        steps,
        fixed.target,
        min(chances),
        values[-1].votes,
        fixed.passing,
    )


def _votes_of(samples: int, passing: float) -> int:
    """The votes that so many samples have at least, but for very bad luck."""
    return int(samples * passing - _UNLUCKY * sqrt(samples * passing * (1.0 - passing)))


def _samples_for(votes: int, passing: float) -> int:
    """The samples that have so many votes, but for very bad luck; as many as a run may allow at most."""
    samples = votes
    while samples < MOST_SAMPLES and _votes_of(samples, passing) < votes:
        samples = min(MOST_SAMPLES, samples + max(samples // 10, 1))
    return samples


def _margin_for(picture: _Picture, share: float, name: str) -> int:
    """The smallest margin that decides no more than `share` of the steps wrongly."""
    above = 1
    while _wrong(picture.kinds, above) > share:
        above *= 2
        if above > MOST_MARGIN:
            raise PlanImpossible(
                name,
                f"it would take a margin above {MOST_MARGIN:,}: the votes of some steps are too near to one half",
                "make the step smaller or its prompt clearer, or take a better model",
            )
    below = above // 2
    while above - below > 1:
        middle = (above + below) // 2
        if _wrong(picture.kinds, middle) > share:
            below = middle
        else:
            above = middle
    return above


def _wrong(kinds: StepModel, margin: int) -> float:
    return sum(kind.weight * theory.step_error(kind.p, margin) for kind in _values(kinds))


def _votes(kinds: StepModel, margin: int) -> float:
    return sum(kind.weight * theory.expected_votes(kind.p, margin) for kind in _values(kinds))


def _undecided(kinds: StepModel, margin: int, samples: int, passing: float) -> float:
    if margin > samples:
        return 1.0
    return sum(
        kind.weight * vote_lengths(kind.p, margin, samples, passing=passing).undecided for kind in _values(kinds)
    )


def _values(kinds: StepModel) -> tuple[Alike, ...]:
    """A guarded fit has single values only: it cuts Beta distributions up."""
    return tuple(kind for kind in kinds.kinds if isinstance(kind, Alike))


def _run_success(failing: float, steps: int) -> float:
    return 0.0 if failing >= 1.0 else exp(steps * log1p(-failing))
