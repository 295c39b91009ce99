"""Runs that vote by a stopping table, or with several models: killed anywhere, resumed, verified, always the same."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from engine_lab import BUSY, RUNS, DyingDisk, countdown, fate, forged, load_countdown, memory_world, only_run, right

from maker_dsl.diagnostics import Source, Span
from maker_dsl.engine.inspection import read_events
from maker_dsl.engine.records import CallRecord, DecisionRecord, Event, PlanRecord, TableRecord, VoterRecord
from maker_dsl.engine.report import RunReport
from maker_dsl.engine.settings import NOTHING_PLANNED, Planned, RunOptions
from maker_dsl.engine.start import LoadTask, ProviderSetup, begin_run, resume_run
from maker_dsl.engine.step_model import Alike, StepModel
from maker_dsl.engine.stopping import stopping_table
from maker_dsl.engine.verification import verify_run
from maker_dsl.journal import MemoryDisk, list_runs
from maker_dsl.journal.memory_disk import Stopped
from maker_dsl.providers.clock import run_virtually
from maker_dsl.providers.port import Request
from maker_dsl.providers.scripted import Answer, Script, ScriptedProvider
from maker_dsl.task import ProfileName, Rung, VoteSettings

STEPS = 6
_TABLE = stopping_table(StepModel((Alike(0.8, 0.95), Alike(0.2, 0.7))), 0.01, 40)
ADAPTIVE = Planned(
    PlanRecord({}, STEPS, 0.9, table=TableRecord(_TABLE.bound, _TABLE.maximum, tuple(sorted(_TABLE.decided)))),
    ahead_by=4,
    max_samples=50,
)
_TWO = (VoterRecord(None), VoterRecord("strong", 1800))
_STRONG = ProfileName("strong", Span(Source("countdown.maker", "strong"), 0, 6))
_LADDER = VoteSettings(ahead_by=3, max_samples=3, ladder=(Rung(2), Rung(40, _STRONG)))
"""Two samples more of the same model, then 40 of the strong one."""
WAYS = {
    "up a ladder": NOTHING_PLANNED,
    "by a stopping table": ADAPTIVE,
    "two models in turn": Planned(voters=_TWO),
    "cheapest first": Planned(voters=_TWO, order="cheapest"),
}


def model(name: str, wrong: float) -> Script:
    """What a sample says depends on the model, its step and its draw alone."""

    def answer(request: Request) -> Answer:
        index, texts = request.question.index, []
        for draw in request.draws:
            luck = fate(name, index, draw)
            texts.append("no idea" if luck < 0.1 else "next = 3" if luck < 0.1 + wrong else right(request))
        return Answer(tuple(texts))

    return answer


def setup(at_once: bool) -> ProviderSetup:
    cheap = ScriptedProvider(model("cheap", 0.22), answers_at_once=at_once)
    strong = ScriptedProvider(model("strong", 0.1), answers_at_once=at_once)
    return ProviderSetup(cheap, named={"strong": ProviderSetup(strong)})


def start(disk: MemoryDisk, planned: Planned, at_once: bool) -> RunReport:
    async def main() -> RunReport:
        world = memory_world(disk, pace=BUSY)
        vote = _LADDER if planned is NOTHING_PLANNED else None
        return await begin_run(
            countdown(STEPS, vote=vote), setup(at_once), RunOptions(), RUNS, world=world, planned=planned
        ).go()

    return run_virtually(main())


def loader(way: str) -> LoadTask:
    return load_countdown(vote=_LADDER if way == "up a ladder" else None)


def resume(disk: MemoryDisk, way: str, at_once: bool) -> RunReport:
    async def main() -> RunReport:
        world = memory_world(disk, pace=BUSY)
        return await resume_run(only_run(disk), loader(way), lambda _t, _r: setup(at_once), world=world)

    return run_virtually(main())


def decisions(disk: MemoryDisk) -> list[tuple[object, ...]]:
    return [
        (event.step, event.value, sorted(votes for _, votes in event.votes), event.samples)
        for event in read_events(only_run(disk))
        if isinstance(event, DecisionRecord)
    ]


def calls(disk: MemoryDisk) -> list[CallRecord]:
    return [event for event in read_events(only_run(disk)) if isinstance(event, CallRecord) and event.replies]


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("way", WAYS)
def test_killed_anywhere_and_resumed_it_decides_the_same(way: str, at_once: bool) -> None:
    disk = DyingDisk()
    start(disk, WAYS[way], at_once)
    undisturbed = decisions(disk)
    assert len(undisturbed) == STEPS
    assert len({samples for *_, samples in undisturbed}) > 1
    for stop_at in range(1, disk.operations + 1, 3):
        dying = DyingDisk()
        dying.stop_at = stop_at
        with pytest.raises(BaseException) as stopped:
            start(dying, WAYS[way], at_once)
        assert isinstance(stopped.value, Stopped | BaseExceptionGroup)
        left = dying.power_cut(Random(stop_at))
        if list_runs(RUNS, left):
            assert resume(left, way, at_once).status == "done"
            assert decisions(left) == undisturbed, stop_at
            found = verify_run(only_run(left), loader(way))
            assert found.is_good, found.mismatch


def test_each_decision_by_a_table_stands_in_it_and_some_take_fewer_votes_than_the_margin() -> None:
    disk = MemoryDisk()
    start(disk, ADAPTIVE, True)
    for _, _, votes, _ in decisions(disk):
        assert isinstance(votes, list)
        runner_up, leader = ([0, *votes])[-2:]
        assert (leader, runner_up, sum(votes) - leader - runner_up) in _TABLE.decided
    assert any(votes == [3] for _, _, votes, _ in decisions(disk))


def test_models_take_turns_and_the_cheapest_is_alone_where_nothing_is_contested() -> None:
    disk = MemoryDisk()
    start(disk, WAYS["two models in turn"], True)
    assert all(call.voter == sum(call.draws[0]) % 2 for call in calls(disk))
    disk = MemoryDisk()
    start(disk, WAYS["cheapest first"], True)
    asked = {(call.draws[0][0] >= 3, call.voter) for call in calls(disk)}
    assert asked == {(False, 0), (True, 1)}


def test_a_vote_of_the_strong_model_weighs_more() -> None:
    """Three votes for one key weigh 3,800 or 4,600, two 2,800: a margin of three votes takes three slots."""
    disk = MemoryDisk()
    start(disk, WAYS["two models in turn"], True)
    unanimous = [votes for _, _, votes, _ in decisions(disk) if isinstance(votes, list) and len(votes) == 1]
    assert unanimous
    assert all(votes == [3] for votes in unanimous)


def test_a_rung_is_climbed_only_when_a_cap_is_used_up() -> None:
    disk = MemoryDisk()
    start(disk, NOTHING_PLANNED, True)
    drawn: dict[int, int] = {}
    for call in calls(disk):
        assert call.voter == (1 if drawn.get(call.step, 0) >= 5 else 0)
        drawn[call.step] = drawn.get(call.step, 0) + len(call.replies)
    assert max(drawn.values()) > 5
    assert min(drawn.values()) <= 5


def test_a_ladder_may_reach_what_the_first_cap_does_not() -> None:
    vote = VoteSettings(ahead_by=3, max_samples=1, ladder=(Rung(1), Rung(1)))
    provider = ScriptedProvider(right, answers_at_once=True)

    async def main() -> RunReport:
        world = memory_world(MemoryDisk())
        task = countdown(STEPS, vote=vote)
        return await begin_run(task, ProviderSetup(provider), RunOptions(), RUNS, world=world).go()

    assert run_virtually(main()).status == "done"


def test_at_the_end_of_the_ladder_the_step_is_undecided() -> None:
    disk = MemoryDisk()

    async def main() -> RunReport:
        vote = VoteSettings(ahead_by=3, max_samples=4, ladder=(Rung(2), Rung(2)))
        undecided = ScriptedProvider(lambda request: f"next = {request.draws[0].slot % 2}", answers_at_once=True)
        world = memory_world(disk)
        return await begin_run(
            countdown(STEPS, vote=vote), ProviderSetup(undecided), RunOptions(), RUNS, world=world
        ).go()

    report = run_virtually(main())
    assert (report.status, report.samples) == ("undecided", 8)
    assert "undecided after 8 samples" in (report.reason or "")


def test_verify_finds_a_call_that_was_asked_of_another_model_than_its_turn() -> None:
    disk = MemoryDisk()
    start(disk, WAYS["two models in turn"], True)

    def change(event: Event) -> Event:
        return replace(event, voter=0) if isinstance(event, CallRecord) and event.voter == 1 else event

    found = verify_run(forged(only_run(disk), change), load_countdown())
    assert found.mismatch is not None
    assert "the model that a call was asked of" in str(found.mismatch)
