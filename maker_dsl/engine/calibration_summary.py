"""What a calibration's samples are worth: estimates with intervals, hard states, errors that go together, flags.

Used by `maker calibrate`. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from typing import Any

from maker_dsl.engine.calibration import Metered, StateResult
from maker_dsl.engine.calibration_file import (
    FORMAT,
    AmountEstimate,
    Calibration,
    FlagTally,
    ShareEstimate,
    StateTally,
    VoteTally,
)
from maker_dsl.engine.clusters import ClusteredShare, mean_by_states, share_by_states
from maker_dsl.version import __version__

SIGNIFICANCE = 0.05
"""How likely it may be, over all states together, that chance alone makes one look systematic."""

FEWEST_STATES = 20
"""States before a calibration may stop early: with fewer the interval itself is uncertain."""


@dataclass(frozen=True, slots=True)
class About:
    """What a calibration is of."""

    task: str
    provider: str
    source: str
    model: str | None = None
    seed: int | None = None
    expected_steps: int | None = None
    all_states: int | None = None
    """How many states there are to choose from, where that is known."""
    is_timed: bool = True
    """Whether replies take their time: those of the simulated model may come at once."""
    price_in: float | None = None
    price_out: float | None = None


def is_narrow(results: Sequence[StateResult], precision: float) -> bool:
    """Whether p is known to within `precision` on either side, after enough states."""
    asked = [result for result in results if result.votes]
    if len(asked) < FEWEST_STATES:
        return False
    share = share_by_states([right_votes(one) for one in asked], [one.votes for one in asked])
    return max(share.high - share.value, share.value - share.low) <= precision


def summarize(results: Sequence[StateResult], metered: Sequence[Metered], about: About) -> Calibration | None:
    """The calibration that the samples make; None where not one of them passed."""
    asked = [(result, meter) for result, meter in zip(results, metered, strict=True) if result.samples]
    states = [result for result, _ in asked]
    meters = [meter for _, meter in asked]
    if not any(state.votes for state in states):
        return None
    rights = [right_votes(state) for state in states]
    votes = [state.votes for state in states]
    part = len(states) / about.all_states if about.all_states else 0.0
    p = share_by_states(rights, votes, asked=part)
    passing = share_by_states(votes, [state.samples for state in states], asked=part)
    is_known = all(state.right_key is not None for state in states)
    systematic = systematic_states(rights, votes)
    is_metered = all(meter.is_metered for meter in meters)
    is_costed = all(meter.is_costed for meter in meters)
    return Calibration(
        format=FORMAT,
        maker=__version__,
        task=about.task,
        provider=about.provider,
        model=about.model,
        seed=about.seed,
        truth="reference" if is_known else "agreement",
        source=about.source,
        expected_steps=about.expected_steps,
        p=_share(p),
        passing=_share(passing),
        tokens_in=_amount([float(meter.input_tokens) for meter in meters], states) if is_metered else None,
        tokens_out=_amount([float(meter.output_tokens) for meter in meters], states) if is_metered else None,
        latency_s=_amount([meter.latency_s for meter in meters], states) if about.is_timed else None,
        cost_usd=_amount([meter.cost_usd for meter in meters], states) if is_costed else None,
        price_in=about.price_in,
        price_out=about.price_out,
        design_effect=max(1.0, p.design_effect),
        errors_agree=agreement_of_errors(states),
        flags=_flags(states),
        states=tuple(_tally(state, is_bad) for state, is_bad in zip(states, systematic, strict=True)),
    )


def right_votes(state: StateResult) -> int:
    """The votes for the right answer; without a reference, for the one that has most."""
    if state.right_key is None:
        return max((answer.votes for answer in state.answers.values()), default=0)
    answer = state.answers.get(state.right_key)
    return 0 if answer is None else answer.votes


def systematic_states(rights: Sequence[int], votes: Sequence[int]) -> list[bool]:
    """Which states have fewer right votes than wrong ones, and more clearly than chance explains.

    Chance: every vote right with the probability that all other states together show, one half at least. Over all
    states together such a state comes up by chance with a probability of at most SIGNIFICANCE (Bonferroni).
    """
    all_right, all_votes = sum(rights), sum(votes)
    found = []
    for right, drawn in zip(rights, votes, strict=True):
        others = all_votes - drawn
        usual = max(0.5, (all_right - right) / others) if others else 0.5
        # A model that was never wrong elsewhere is not thereby infallible: one more wrong vote is assumed.
        usual = min(usual, max(0.5, 1.0 - 1.0 / (others + 1)))
        found.append(2 * right < drawn and len(votes) * _at_most(right, drawn, usual) < SIGNIFICANCE)
    return found


def agreement_of_errors(states: Sequence[StateResult]) -> float | None:
    """Of two wrong votes of a state, how often they agree; None where no state has two."""
    pairs = agreeing = 0
    for state in states:
        right = _right_key(state)
        wrong = [answer.votes for key, answer in state.answers.items() if key != right]
        pairs += comb(sum(wrong), 2)
        agreeing += sum(comb(votes, 2) for votes in wrong)
    return agreeing / pairs if pairs else None


def _right_key(state: StateResult) -> str | None:
    if state.right_key is not None:
        return state.right_key
    return max(state.answers, key=lambda key: state.answers[key].votes, default=None)


def _at_most(hits: int, drawn: int, chance: float) -> float:
    """The probability of at most so many hits."""
    return sum(comb(drawn, number) * chance**number * (1 - chance) ** (drawn - number) for number in range(hits + 1))


def _share(share: ClusteredShare) -> ShareEstimate:
    return ShareEstimate(value=share.value, low=share.low, high=share.high)


def _amount(totals: Sequence[float], states: Sequence[StateResult]) -> AmountEstimate | None:
    mean = mean_by_states(totals, [state.samples for state in states])
    return None if mean is None else AmountEstimate(value=mean.value, low=mean.low, high=mean.high)


def _flags(states: Sequence[StateResult]) -> dict[str, FlagTally]:
    is_known = all(state.right_key is not None for state in states)
    raised: dict[str, list[int]] = {}
    for state in states:
        for name, number in state.flags.items():
            sums = raised.setdefault(name, [0, 0])
            sums[0] += number
            sums[1] += state.flagged_right[name]
    ordered = sorted(raised.items(), key=lambda item: (-item[1][0], item[0]))
    return {name: FlagTally(raised=one, hit_right=hit if is_known else None) for name, (one, hit) in ordered}


def _tally(state: StateResult, systematic: bool) -> StateTally:
    right, chosen = _right_key(state), state.chosen
    answers = sorted(state.answers.items(), key=lambda item: -item[1].votes)
    return StateTally(
        origin=chosen.origin,
        task=chosen.task.name,
        step=chosen.step.name,
        state=_json(chosen.task.state_codec.dump(chosen.state)),
        samples=state.samples,
        votes=state.votes,
        right=right_votes(state),
        answers=tuple(
            VoteTally(value=_json(chosen.step.reply.render(answer.value)), votes=answer.votes, right=key == right)
            for key, answer in answers
        ),
        flags=dict(state.flags.most_common()),
        systematic=systematic,
    )


def _json(text: bytes | str) -> Any:
    return json.loads(text) if isinstance(text, bytes) else text
