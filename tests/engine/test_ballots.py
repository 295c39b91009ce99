"""Ballots that go by a stopping table or by weights, against brute-force oracles, in any order of arrival."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import product
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maker_dsl.engine.ballot import Ballot, Decision
from maker_dsl.engine.step_model import Alike, StepModel
from maker_dsl.engine.stopping import StoppingTable, stopping_table
from maker_dsl.engine.stopping_ballot import StoppingBallot
from maker_dsl.engine.weighted_ballot import WHOLE_VOTE, WeightedBallot

MIXED = StepModel((Alike(0.9, 0.99), Alike(0.1, 0.75)))
TABLES = [stopping_table(MIXED, bound, 12) for bound in (0.2, 0.01, 1e-4)]
WEIGHTS = (1000, 1700, 400)
VOTES = st.lists(st.sampled_from("aaabcd"), max_size=16)
Make = Callable[[], Ballot]
Oracle = Callable[[list[str]], Decision | None]


def weight_of(slot: int) -> int:
    return WEIGHTS[slot % len(WEIGHTS)]


def weighted_oracle(margin: int) -> Oracle:
    """The shortest prefix in which the votes for some key weigh that much more than those for every other."""

    def decide(votes: list[str]) -> Decision | None:
        for prefix in range(1, len(votes) + 1):
            sums: Counter[str] = Counter()
            for slot, key in enumerate(votes[:prefix]):
                sums[key] += weight_of(slot)
            for key, total in sums.items():
                if total - max([0, *(other for name, other in sums.items() if name != key)]) >= margin:
                    return Decision(key, prefix)
        return None

    return decide


def stopping_oracle(table: StoppingTable, margin: int) -> Oracle:
    """The shortest prefix whose votes stand in the table, or that lead by the margin beyond it."""

    def decide(votes: list[str]) -> Decision | None:
        for prefix in range(1, len(votes) + 1):
            (key, leader), (_, runner_up) = [*Counter(votes[:prefix]).most_common(2), ("", 0)][:2]
            by_table = (leader, runner_up, prefix - leader - runner_up) in table.decided
            if by_table or (prefix > table.maximum and leader - runner_up >= margin):
                return Decision(key, prefix)
        return None

    return decide


def fill(ballot: Ballot, slots: dict[int, str]) -> Ballot:
    for slot, key in slots.items():
        ballot.fill(slot, key, weight_of(slot))
    return ballot


def kinds() -> list[tuple[Make, Oracle]]:
    stopping: list[tuple[Make, Oracle]] = [
        (lambda table=table: StoppingBallot(table, 4), stopping_oracle(table, 4))  # type: ignore[misc]
        for table in TABLES
    ]
    weighted: list[tuple[Make, Oracle]] = [
        (lambda margin=margin: WeightedBallot(margin, weight_of), weighted_oracle(margin))  # type: ignore[misc]
        for margin in (1000, 2500, 4000)
    ]
    return stopping + weighted


@settings(deadline=None)
@given(VOTES, st.sampled_from(kinds()), st.randoms(use_true_random=False))
def test_they_decide_by_definition_whatever_arrives_first(
    votes: list[str], kind: tuple[Make, Oracle], random: Random
) -> None:
    make, oracle = kind
    slots = list(range(len(votes)))
    random.shuffle(slots)
    ballot = fill(make(), {slot: votes[slot] for slot in slots})
    decision = oracle(votes)
    assert ballot.decision == decision
    prefix = votes if decision is None else votes[: decision.prefix]
    assert ballot.counted == len(prefix)
    assert dict(ballot.votes) == dict(Counter(prefix))


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(st.integers(0, 4), st.sampled_from("abc"), max_size=5), st.sampled_from(kinds()))
def test_no_fewer_further_slots_could_decide(votes: dict[int, str], kind: tuple[Make, Oracle]) -> None:
    """As many as are asked for suffice, if all missing votes go to the right key; one less never does."""
    make, oracle = kind
    ballot = fill(make(), votes)
    opened = max([0, *(slot + 1 for slot in votes)])
    if ballot.decision is not None:
        assert ballot.further_slots_needed(opened) == 0
        return
    further = ballot.further_slots_needed(opened)

    def decided(more: int) -> bool:
        return any(
            oracle([votes.get(slot, hopeful) for slot in range(opened + more)]) is not None for hopeful in "abcd"
        )

    assert decided(further)
    assert further == 0 or not decided(further - 1)


def test_a_vote_in_full_and_equal_weights_are_the_fixed_margin() -> None:
    for votes in product("abc", repeat=6):
        plain, weighted = Ballot(2), WeightedBallot(2 * WHOLE_VOTE, lambda _slot: WHOLE_VOTE)
        for slot, key in enumerate(votes):
            plain.fill(slot, key)
            weighted.fill(slot, key, WHOLE_VOTE)
        assert plain.decision == weighted.decision


def test_a_vote_weighs_something() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        WeightedBallot(1000, weight_of).fill(0, "a", 0)


def test_a_unanimous_step_opens_as_many_slots_as_its_table_takes() -> None:
    for table in TABLES:
        least = min(leader for leader, runner_up, others in table.decided if not runner_up and not others)
        assert StoppingBallot(table, 9).further_slots_needed(0) == least
