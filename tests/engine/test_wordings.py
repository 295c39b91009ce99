"""Samples go over the wordings of a step in turn, and what each wording does is counted when the step is decided."""

from __future__ import annotations

from dataclasses import replace

import pytest
from engine_lab import countdown, forged, memory_world, new_run, only_run
from hypothesis import given
from hypothesis import strategies as st
from thinking_lab import load_thinking, thinking_countdown

from maker_dsl.engine.ballot import Ballot
from maker_dsl.engine.inspection import read_events, read_status
from maker_dsl.engine.open_step import Entry, OpenStep
from maker_dsl.engine.recorder import Pace
from maker_dsl.engine.records import CallRecord, Event, PolicyRecord, ReplyRecord, SettingRecord
from maker_dsl.engine.report import RunReport
from maker_dsl.engine.run_state import Totals
from maker_dsl.engine.start import ProviderSetup
from maker_dsl.engine.turns import Turns
from maker_dsl.engine.verification import verify_run
from maker_dsl.engine.wordings import tally
from maker_dsl.journal import MemoryDisk
from maker_dsl.providers.clock import run_virtually
from maker_dsl.providers.port import Request
from maker_dsl.providers.scripted import Answer, ScriptedProvider

NAMES = ("prompt", "way 1", "way 2")


def start(disk: MemoryDisk, provider: ScriptedProvider, steps: int = 2) -> RunReport:
    task = thinking_countdown(steps, thinks=False, profile=None)
    world = memory_world(disk, pace=Pace(sync_decisions=1, snapshot_decisions=1, in_thread=False))

    async def main() -> RunReport:
        return await new_run(task, ProviderSetup(provider), world).go()

    return run_virtually(main())


def right(request: Request) -> Answer:
    return Answer((f"next = {request.question.state['n'] - 1}",) * len(request.draws))


def test_slots_spread_over_the_wordings_and_a_fresh_sample_takes_the_next_one() -> None:
    asked: list[tuple[int, int, str]] = []

    def script(request: Request) -> Answer | str:
        (draw,) = request.draws
        asked.append((draw.slot, draw.resample, request.prompt.user[:3]))
        return "?" if (draw.slot, draw.resample) in ((1, 0), (1, 1)) else right(request)

    start(MemoryDisk(), ScriptedProvider(script), 1)
    assert sorted(asked) == [
        (0, 0, "The"),
        (1, 0, "(1)"),
        (1, 1, "(2)"),
        (1, 2, "The"),
        (2, 0, "(2)"),
    ]


def test_one_call_never_mixes_wordings() -> None:
    provider = ScriptedProvider(right, samples_per_call=64, answers_at_once=True)
    disk = MemoryDisk()
    start(disk, provider, 1)
    assert [(request.wording, request.temperature, len(request.draws)) for request in provider.calls] == [
        (0, 0.0, 1),
        (1, 0.1, 1),
        (2, 0.1, 1),
    ]
    assert [event.wording for event in read_events(only_run(disk)) if isinstance(event, CallRecord)] == [0, 1, 2]


def test_the_report_tells_flags_and_lost_votes_by_wording() -> None:
    """The second wording always leads astray; the third one is now and then not understood."""

    def script(request: Request) -> Answer | str:
        (draw,) = request.draws
        if request.wording == 1:
            return "next = 77"
        return "?" if request.wording == 2 and draw.resample == 0 else right(request)

    disk = MemoryDisk()
    report = start(disk, ScriptedProvider(script), 2)
    assert report.status == "done"
    told = {one.wording: one for one in report.wordings}
    assert tuple(told) == NAMES
    assert {(one.task, one.step) for one in report.wordings} == {("countdown", "step")}
    assert told["prompt"].flags == told["prompt"].lost == told["way 1"].flags == told["way 2"].lost == 0
    assert told["way 1"].votes == told["way 1"].lost > 0
    assert told["way 2"].flags == report.flags["parse" if "parse" in report.flags else "malformed"] > 0
    assert sum(one.samples for one in report.wordings) == report.samples
    assert sum(one.votes for one in report.wordings) == report.votes
    assert report.members()["wordings"][1]["lost"] == told["way 1"].lost
    # From the snapshot, without the task, and from the first record on: the same.
    assert read_status(only_run(disk)).wordings == report.wordings
    assert only_run(disk).snapshots.load().good
    assert verify_run(only_run(disk), load_thinking(thinks=False, profile=None)).is_good


def test_a_step_with_one_wording_is_not_in_the_report() -> None:
    async def main() -> RunReport:
        return await new_run(countdown(2), ProviderSetup(ScriptedProvider(right)), memory_world()).go()

    report = run_virtually(main())
    assert (report.wordings, report.members()["wordings"]) == ((), [])


def test_verify_finds_a_call_in_another_wording_than_its_place_gives_it() -> None:
    disk = MemoryDisk()
    start(disk, ScriptedProvider(right), 1)

    def change(event: Event) -> Event:
        return replace(event, wording=2) if isinstance(event, CallRecord) and event.wording == 1 else event

    found = verify_run(forged(only_run(disk), change), load_thinking(thinks=False, profile=None))
    assert found.mismatch is not None
    assert str(found.mismatch).endswith("the wording of a call: expected [1], found 2")


@given(
    st.lists(st.tuples(st.integers(0, 4), st.sampled_from("ab")), min_size=1, max_size=6),
    st.integers(2, 4),
    st.sampled_from("ab"),
)
def test_every_sample_is_counted_once_in_the_wording_that_it_was_asked_in(
    slots: list[tuple[int, str]], wordings: int, won: str
) -> None:
    """`slots` says how often each was flagged, and its vote."""
    opened = OpenStep(0, Ballot(100))
    expected = [[0, 0, 0, 0] for _ in range(wordings)]
    for slot, (flagged, key) in enumerate(slots):
        opened.entries.append(Entry(ReplyRecord("stop", 1, "", key), None))
        opened.votes_by_slot[slot] = slot
        if flagged:
            opened.flagged_by_slot[slot] = flagged
        for resample in range(flagged + 1):
            opened.asked[slot, resample] = (0, (slot + resample) % wordings)
            counts = expected[(slot + resample) % wordings]
            counts[0] += 1
            counts[1] += resample < flagged
            counts[2] += resample == flagged
            counts[3] += resample == flagged and key != won
    totals = Totals()
    names = tuple(f"w{number}" for number in range(wordings))
    tally(totals, "t", "step", names, opened, won)
    found = totals.wordings["t"]["step"]
    assert [[one.samples, one.flags, one.votes, one.lost] for one in found.values()] == expected


@pytest.mark.parametrize("wordings", [1, 2, 3])
def test_a_resample_is_never_asked_in_the_same_words_if_there_are_others(wordings: int) -> None:
    three = SettingRecord(3, "default")
    turns = Turns(PolicyRecord(three, three, three, three, wordings=NAMES[:wordings]))
    for slot in range(5):
        for resample in range(5):
            same = turns.wording_of(slot, resample) == turns.wording_of(slot, resample + 1)
            assert same == (wordings == 1)
