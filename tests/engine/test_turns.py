"""Whose turn it is: over several models and wordings, and up the ladder."""

from __future__ import annotations

from typing import Any

from maker_dsl.engine.ballot import Ballot
from maker_dsl.engine.records import PolicyRecord, RungRecord, SettingRecord, VoterRecord
from maker_dsl.engine.stopping import StoppingTable
from maker_dsl.engine.stopping_ballot import StoppingBallot
from maker_dsl.engine.turns import Turns
from maker_dsl.engine.weighted_ballot import WeightedBallot


def turns(ahead_by: int = 3, max_samples: int = 10, **facts: Any) -> Turns:
    none = SettingRecord(None, "default")
    return Turns(
        PolicyRecord(SettingRecord(ahead_by, "default"), SettingRecord(max_samples, "default"), none, none, **facts)
    )


TWO = (VoterRecord(None), VoterRecord("strong", 1800))


def test_samples_go_over_all_models_and_a_fresh_one_to_the_next() -> None:
    both = turns(voters=TWO)
    assert [both.voter_of(slot, 0) for slot in range(5)] == [0, 1, 0, 1, 0]
    assert [both.voter_of(0, resample) for resample in range(3)] == [0, 1, 0]
    assert both.profiles == (None, "strong")


def test_every_model_is_asked_in_every_wording() -> None:
    both = turns(voters=TWO, wordings=("long", "short"))
    asked = {(both.voter_of(slot, 0), both.wording_of(slot, 0)) for slot in range(4)}
    assert asked == {(0, 0), (1, 0), (0, 1), (1, 1)}


def test_the_cheapest_model_is_asked_alone_until_a_step_is_contested() -> None:
    three = turns(voters=(*TWO, VoterRecord("stronger")), order="cheapest")
    assert [three.voter_of(slot, 0) for slot in range(7)] == [0, 0, 0, 1, 2, 1, 2]
    assert three.voter_of(0, 1) == 0, "a flagged reply is no disagreement"


def test_a_ladder_is_climbed_when_a_cap_is_reached() -> None:
    ladder = (RungRecord(5, "strong"), RungRecord(7, None, "short"), RungRecord(2, "strong", "short"))
    one = turns(ladder=ladder, wordings=("long", "short"))
    assert [one.rung_of(samples) for samples in (0, 9, 10, 14, 15, 21, 22, 24)] == [0, 0, 1, 1, 2, 2, 3, 3]
    assert [one.cap_of(rung) for rung in range(4)] == [10, 15, 22, 24]
    assert one.most_samples == 24
    assert one.profiles == (None, "strong", "strong")
    assert [one.voter_of(4, 0, rung) for rung in range(4)] == [0, 1, 0, 2]
    assert [one.wording_of(4, 0, rung) for rung in range(4)] == [0, 0, 1, 1]


def test_the_ballot_is_the_plain_one_unless_something_else_is_said() -> None:
    table = StoppingTable(0.1, 4, frozenset({(2, 0, 0)}))
    assert type(turns().new_ballot(table)) is Ballot
    assert type(turns(ladder=(RungRecord(5, "strong"),)).new_ballot(None)) is Ballot
    assert type(turns(voters=TWO).new_ballot(None)) is WeightedBallot
    assert type(turns(adaptive=True).new_ballot(table)) is StoppingBallot
    assert type(turns(adaptive=True).new_ballot(None)) is Ballot
