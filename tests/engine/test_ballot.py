"""The ballot against a brute-force oracle, and that the order of arrival never matters."""

from collections import Counter
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maker_dsl.engine.ballot import Ballot, Decision

VOTES = st.lists(st.sampled_from("aaabcd"), max_size=14)
MARGINS = st.integers(1, 5)


def oracle(votes: list[str], margin: int) -> Decision | None:
    """The decision by the definition: the shortest prefix in which some key leads every other by the margin."""
    for prefix in range(1, len(votes) + 1):
        counts = Counter(votes[:prefix])
        for key in counts:
            if all(counts[key] - counts[other] >= margin for other in counts if other != key) and counts[key] >= margin:
                return Decision(key, prefix)
    return None


def filled(votes: dict[int, str], margin: int) -> Ballot:
    ballot = Ballot(margin)
    for slot, key in votes.items():
        ballot.fill(slot, key)
    return ballot


@settings(deadline=None)
@given(VOTES, MARGINS)
def test_the_ballot_equals_the_definition(votes: list[str], margin: int) -> None:
    assert filled(dict(enumerate(votes)), margin).decision == oracle(votes, margin)


@settings(deadline=None)
@given(VOTES, MARGINS, st.randoms(use_true_random=False))
def test_the_order_of_arrival_never_matters(votes: list[str], margin: int, random: object) -> None:
    slots = list(range(len(votes)))
    random.shuffle(slots)  # type: ignore[attr-defined]
    ballot = filled({slot: votes[slot] for slot in slots}, margin)
    decision = oracle(votes, margin)
    assert ballot.decision == decision
    prefix = votes if decision is None else votes[: decision.prefix]
    assert ballot.counted == len(prefix)
    assert dict(ballot.votes) == dict(Counter(prefix))


@settings(deadline=None)
@given(VOTES, MARGINS, st.data())
def test_votes_beyond_a_gap_wait(votes: list[str], margin: int, data: st.DataObject) -> None:
    if not votes:
        return
    gap = data.draw(st.integers(0, len(votes) - 1))
    ballot = filled({slot: key for slot, key in enumerate(votes) if slot != gap}, margin)
    assert ballot.decision == oracle(votes[:gap], margin)


@settings(deadline=None)
@given(
    st.dictionaries(st.integers(0, 5), st.sampled_from("abc"), max_size=6),
    st.integers(1, 4),
)
def test_further_slots_are_as_many_as_could_decide_at_best(votes: dict[int, str], margin: int) -> None:
    ballot = filled(votes, margin)
    opened = max([margin - 1, *votes]) + 1
    missing = [slot for slot in range(opened) if slot not in votes]
    best = None
    for further in range(margin * 4):
        for guess in product("abc", repeat=len(missing) if len(missing) <= 4 else 0):
            known = votes | dict(zip(missing, guess, strict=False))
            for key in "abcd":
                complete = [known.get(slot, key) for slot in range(opened + further)]
                if oracle(complete, margin) is not None:
                    best = further
                    break
            if best is not None:
                break
        if best is not None:
            break
    assert ballot.further_slots_needed(opened) == best


def test_a_new_ballot_needs_as_many_slots_as_the_margin() -> None:
    assert Ballot(3).further_slots_needed(0) == 3
    assert Ballot(3).further_slots_needed(2) == 1
    assert Ballot(3).further_slots_needed(5) == 0


def test_a_dissenting_vote_asks_for_as_many_as_it_takes_to_make_up_for_it() -> None:
    ballot = filled({0: "a", 1: "b", 2: "a"}, 3)
    assert ballot.decision is None
    assert ballot.further_slots_needed(3) == 2


def test_votes_after_the_decision_are_not_counted() -> None:
    ballot = filled(dict(enumerate("aaabbbbbbb")), 3)
    assert ballot.decision == Decision("a", 3)
    assert dict(ballot.votes) == {"a": 3}
    assert ballot.further_slots_needed(10) == 0


def test_a_slot_votes_once_and_a_margin_is_at_least_one() -> None:
    ballot = filled({0: "a", 2: "a"}, 3)
    for slot in (0, 2):
        with pytest.raises(ValueError, match="already"):
            ballot.fill(slot, "b")
    with pytest.raises(ValueError, match="margin"):
        Ballot(0)
