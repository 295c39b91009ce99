"""The running estimates of a run: they follow from its decisions, survive a resume, and forecast what is known."""

from __future__ import annotations

import pytest
from engine_lab import BUSY, countdown, fate, load_countdown, memory_world, new_run, only_run, right

from maker_dsl.engine.inspection import read_events, read_status
from maker_dsl.engine.odds import MOST_OUTCOMES, Outcomes, count_outcome, live_odds
from maker_dsl.engine.records import DecisionRecord
from maker_dsl.engine.report import RunReport
from maker_dsl.engine.settings import RunOptions
from maker_dsl.engine.start import ProviderSetup, resume_run
from maker_dsl.journal import MemoryDisk
from maker_dsl.providers.clock import run_virtually
from maker_dsl.providers.port import Price, Request
from maker_dsl.providers.scripted import ScriptedProvider


def decision(won: int, lost: int) -> DecisionRecord:
    votes = ((0, won),) if not lost else ((1, lost), (0, won))
    return DecisionRecord(0, "step", "key", 0, votes, won + lost, "")


def outcomes(*steps: tuple[int, int]) -> Outcomes:
    counted: Outcomes = {}
    for won, lost in steps:
        count_outcome(counted, "task", decision(won, lost))
    return counted


def test_steps_are_counted_by_votes_won_and_lost() -> None:
    assert outcomes((3, 0), (3, 0), (4, 1)) == {"task": {"step": {"3/0": 2, "4/1": 1}}}


def test_what_is_kept_does_not_grow_without_bound() -> None:
    counted = outcomes(*((votes, 0) for votes in range(1, MOST_OUTCOMES + 100)))
    assert len(counted["task"]["step"]) == MOST_OUTCOMES


def test_nothing_is_said_before_the_first_decision() -> None:
    assert live_odds({}, 0, 0) is None


def test_more_contested_steps_leave_less_of_a_chance() -> None:
    easy = live_odds(outcomes(*[(3, 0)] * 95, *[(4, 1)] * 5), 310, 310)
    hard = live_odds(outcomes(*[(3, 0)] * 60, *[(4, 1)] * 40), 380, 400)
    assert easy is not None
    assert hard is not None
    assert (easy.p, hard.p, hard.v) == (pytest.approx(1 - 5 / 310), pytest.approx(1 - 40 / 380), 0.95)
    assert easy.p_low < easy.p < easy.p_high
    assert easy.chance is not None
    assert hard.chance is not None
    assert hard.chance < easy.chance < 1.0


def test_a_forecast_leaves_out_what_was_spent_before_the_first_step() -> None:
    found = live_odds(
        outcomes(*[(3, 0)] * 10), 30, 30, expected_steps=100, cost_usd=3.0, spent_before_usd=1.0, seconds=5
    )
    assert found is not None
    assert (found.cost_usd, found.seconds_left) == (pytest.approx(3.0 + 0.2 * 90), pytest.approx(45.0))
    unknown = live_odds(outcomes((3, 0)), 3, 3, cost_usd=1.0)
    assert unknown is not None
    assert unknown.cost_usd is unknown.seconds_left is None


def unreliable(request: Request) -> str:
    return "next = 7" if fate(request.question.index, request.draws) < 0.2 else right(request)


def test_the_odds_of_a_run_are_those_of_its_decisions_also_after_a_resume() -> None:
    disk = MemoryDisk()
    provider = ScriptedProvider(unreliable, answers_at_once=True, price=Price(1.0, 1.0))

    async def begin() -> RunReport:
        return await new_run(
            countdown(40), ProviderSetup(provider), memory_world(disk, pace=BUSY), max_steps=15, max_tokens=20
        ).go()

    async def go_on() -> RunReport:
        setup, asked = ProviderSetup(provider), RunOptions(max_steps=100)
        world = memory_world(disk, pace=BUSY)
        return await resume_run(only_run(disk), load_countdown(), lambda _t, _r: setup, asked, world=world)

    first = run_virtually(begin())
    report = run_virtually(go_on())
    counted: Outcomes = {}
    for event in read_events(only_run(disk)):
        if isinstance(event, DecisionRecord):
            count_outcome(counted, "countdown", event)
    assert sum(counted["countdown"]["step"].values()) == 40
    assert len(counted["countdown"]["step"]) > 1
    expected = live_odds(counted, report.votes, report.samples)
    assert first.odds is not None
    assert report.odds is not None
    assert expected is not None
    assert (report.odds.p, report.odds.chance) == (expected.p, expected.chance)
    assert read_status(only_run(disk)).odds == report.odds
    assert first.odds.cost_usd == pytest.approx((first.cost_usd or 0) / 15 * 40)
