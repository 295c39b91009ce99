"""Runs that are at work, were killed, or are damaged: what is there is exported and reported, with a note."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from engine_lab import countdown, forged, right
from report_lab import parsed, run_of
from transcript import run_maker

from maker_dsl.engine.records import CallRecord, DecisionRecord, EndRecord, Event
from maker_dsl.exporting.tables import Exported, export_run
from maker_dsl.journal import RunDirectory
from maker_dsl.reporting.gathering import gather
from maker_dsl.reporting.page import page

FROM_HERE = "the journal can't be read further, what follows is missing"


def exported(directory: RunDirectory, of: Any = "steps") -> tuple[list[dict[str, Any]], Exported]:
    out = BytesIO()
    found = export_run(directory, of, "jsonl", out, None)
    return [json.loads(line) for line in out.getvalue().splitlines()], found


def without(*dropped: type) -> Callable[[Event], Event | None]:
    return lambda event: None if isinstance(event, dropped) else event


def test_a_killed_run_has_its_steps_and_a_note() -> None:
    killed = forged(run_of(countdown(4)), without(EndRecord))
    rows, found = exported(killed)
    assert len(rows) == 4
    assert found.notes == ("the run was killed: what its journal has so far is here",)
    facts = gather(killed, None)
    assert (facts.outcome.status, facts.is_whole) == ("killed", True)
    parsed(page([facts]))


def test_a_run_at_work_has_its_steps_and_a_note() -> None:
    working = forged(run_of(countdown(4)), without(EndRecord))
    lock = working.lock()
    try:
        _, found = exported(working)
        assert found.notes[0].startswith("the run is at work (process ")
        assert gather(working, None).outcome.status == "running"
    finally:
        lock.release()


def test_the_step_that_was_open_comes_last() -> None:
    run = run_of(countdown(4))
    last = forged(run, lambda event: None if _is_late(event) else event)
    rows, _ = exported(last)
    told = [(row["address"], row["stage"], row["votes"]) for row in rows]
    assert told[-2:] == [("3", "decided", 3), ("4", "open", 3)]
    assert (rows[-1]["value"], rows[-1]["state_after"]) == (None, None)
    replies, _ = exported(last, "replies")
    assert [reply["won"] for reply in replies[-3:]] == [None, None, None]


def _is_late(event: Event) -> bool:
    return isinstance(event, EndRecord) or (isinstance(event, DecisionRecord) and event.step == 3)


def test_a_record_that_does_not_follow_ends_the_table_where_it_stands() -> None:
    def skip(event: Event) -> Event | None:
        return None if isinstance(event, DecisionRecord) and event.step == 1 else event

    rows, found = exported(forged(run_of(countdown(4)), skip))
    assert not found.is_whole
    assert FROM_HERE in found.notes[0]
    assert [row["address"] for row in rows if row["stage"] == "decided"] == ["1"]


def test_calls_that_came_too_late_are_told_with_what_they_cost() -> None:
    def late(event: Event) -> Event | None:
        if isinstance(event, EndRecord):
            return CallRecord(2, ((3, 0),), outcome="cancelled", reserved=(0.5, 10, 1))
        return event

    run = forged(run_of(countdown(4)), late)
    rows, found = exported(run)
    told = "1 call ended after the step was decided; what they cost, $0.500000, is in no step's figures"
    assert told in found.notes
    assert all(row["cost_usd"] is None for row in rows)
    assert sum(row["calls"] for row in rows) == gather(run, None).outcome.calls - 1


def test_replies_that_were_not_kept_are_empty() -> None:
    rows, _ = exported(run_of(countdown(3), right, keep="none"), "replies")
    assert [row["text"] for row in rows] == [None] * 9
    assert all(row["key"] is not None for row in rows)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A finished run on disk, and the working directory beside it."""
    monkeypatch.chdir(tmp_path)
    assert run_maker(["run", "hanoi", "--set", "disks=3", "--quiet", "--override", "simulate.wrong=0.2"])[1] == 0
    (found,) = (tmp_path / "runs").iterdir()
    return found


def edit_task(run: Path) -> None:
    path = run / "task.maker"
    path.write_text(path.read_text(encoding="utf-8") + "# later\n", encoding="utf-8")


def remove_journal(run: Path) -> None:
    shutil.rmtree(run / "journal")


def flip(run: Path) -> None:
    (segment,) = (run / "journal").iterdir()
    content = bytearray(segment.read_bytes())
    content[len(content) // 2] ^= 4
    segment.write_bytes(content)


def break_facts(run: Path) -> None:
    (run / "run.json").write_text("{", encoding="utf-8")


@pytest.mark.parametrize(
    ("damage", "code", "told"),
    [
        (edit_task, 0, "prompts and states are left out"),
        (remove_journal, 1, "the file is missing"),
        (flip, 1, FROM_HERE),
        (break_facts, 1, "run.json"),
    ],
)
def test_a_report_says_what_is_wrong_with_the_run(
    run: Path, damage: Callable[[Path], None], code: int, told: str
) -> None:
    damage(run)
    output, found = run_maker(["report", "-o", "report.html"])
    assert (found, told in output) == (code, True), output
    if damage is not break_facts:
        assert told in "".join(parsed(Path("report.html").read_text(encoding="utf-8")).itertext())
    output, found = run_maker(["export", "-o", "steps.csv"])
    assert found == code
