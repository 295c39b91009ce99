"""A run as tables: what the columns say is what the journal and the other commands say, in every form."""

from __future__ import annotations

import builtins
import csv
import json
import tracemalloc
from collections import Counter
from collections.abc import Callable
from io import BytesIO, StringIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet
import pytest
from engine_lab import BUSY, countdown, fate, halves, load_halves, memory_world, new_run, only_run, right, right_leaf
from thinking_lab import Thinkers, thinking_countdown
from transcript import run_maker

from maker_dsl.engine.inspection import read_status
from maker_dsl.engine.run import Run
from maker_dsl.engine.start import LoadTask, ProviderSetup
from maker_dsl.exporting.columns import Of, columns_of
from maker_dsl.exporting.tables import Exported, export_run
from maker_dsl.exporting.writers import Format
from maker_dsl.journal import RunDirectory
from maker_dsl.journal.disk import RealDisk
from maker_dsl.journal.run_directory import find_run
from maker_dsl.providers.clock import run_virtually
from maker_dsl.providers.port import Request
from maker_dsl.providers.scripted import ScriptedProvider

NOISY = ["--override", "simulate.wrong=0.15", "--override", "simulate.malformed=0.1"]


@pytest.fixture(scope="module")
def noisy(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    """A finished run on the simulated model, with wrong and flagged replies."""
    runs = tmp_path_factory.mktemp("noisy") / "runs"
    output, code = run_maker(
        ["run", "hanoi", "--set", "disks=5", "--seed", "3", "--quiet", "--runs", str(runs), *NOISY]
    )
    assert code == 0, output
    return find_run(runs, "last", RealDisk())


def go(make: Callable[[], Run]) -> None:
    async def work() -> None:
        await make().go()

    run_virtually(work())


def exported(directory: RunDirectory, of: Of = "steps", load_task: LoadTask | None = None) -> list[dict[str, Any]]:
    return written(directory, of, load_task)[0]


def written(
    directory: RunDirectory, of: Of = "steps", load_task: LoadTask | None = None
) -> tuple[list[dict[str, Any]], Exported]:
    out = BytesIO()
    found = export_run(directory, of, "jsonl", out, load_task)
    rows = [json.loads(line) for line in out.getvalue().splitlines()]
    assert len(rows) == found.rows
    return rows, found


def test_the_steps_add_up_to_what_status_says(noisy: RunDirectory) -> None:
    rows, found = written(noisy)
    progress = read_status(noisy).progress
    assert (found.is_whole, found.notes) == (True, ())
    assert [row["address"] for row in rows] == [str(number) for number in range(1, 32)]
    assert sum(row["samples"] for row in rows) == progress.samples
    assert sum(row["flags"] for row in rows) == sum(progress.flags.values()) > 0
    assert sum(row["candidates"] > 1 for row in rows) == progress.contested > 0
    assert sum(row["input_tokens"] for row in rows) == progress.tokens.input
    for before, after in pairwise(rows):
        assert before["state_after"] == after["state_before"]
    for row in rows:
        assert row["votes_for_value"] == json.loads(row["votes_by_key"])[row["value"]]
        assert 2 * row["votes_for_value"] - row["votes"] >= row["ahead_by"] or row["candidates"] > 2


def test_the_replies_are_those_of_the_steps(noisy: RunDirectory) -> None:
    steps, replies = exported(noisy), exported(noisy, "replies")
    assert Counter(reply["address"] for reply in replies) == {row["address"]: row["samples"] for row in steps}
    for row in steps:
        mine = [reply for reply in replies if reply["address"] == row["address"]]
        assert sum(reply["counted"] for reply in mine) == row["votes"]
        assert sum(reply["counted"] and reply["won"] for reply in mine) == row["votes_for_value"]
        assert sum(reply["verdict"] == "flag" for reply in mine) == row["flags"]
        assert all((reply["flag"] is None) == (reply["key"] is not None) for reply in mine)
        assert all(reply["text"] for reply in mine)


@pytest.mark.parametrize("of", ["steps", "replies"])
def test_all_forms_hold_the_same_cells(noisy: RunDirectory, of: Of, tmp_path: Path) -> None:
    rows = exported(noisy, of)
    names = [column.name for column in columns_of(of)]
    assert all(list(row) == names for row in rows)

    parquet = tmp_path / "run.parquet"
    with parquet.open("wb") as out:
        export_run(noisy, of, "parquet", out, None)
    assert pyarrow.parquet.read_table(parquet).to_pylist() == rows

    out = BytesIO()
    export_run(noisy, of, "csv", out, None)
    read = list(csv.DictReader(StringIO(out.getvalue().decode(), newline="")))
    assert [{name: _as_csv(cell) for name, cell in row.items()} for row in rows] == read


def _as_csv(cell: object) -> str:
    return "" if cell is None else json.dumps(cell) if isinstance(cell, bool | int | float) else str(cell)


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_duckdb_reads_every_form(noisy: RunDirectory, form: Format, tmp_path: Path) -> None:
    path = tmp_path / f"run.{form}"
    with path.open("wb") as out:
        export_run(noisy, "steps", form, out, None)
    found = duckdb.sql(f"select count(*), sum(samples), max(step) from '{path}'").fetchall()
    assert found == [(31, read_status(noisy).progress.samples, 31)]


def test_states_are_told_with_the_task(noisy: RunDirectory) -> None:
    from maker_dsl.api import load_kept_task

    without, rows = exported(noisy), exported(noisy, load_task=load_kept_task)
    assert json.loads(rows[0]["state_before_json"]) == {"last": None, "pegs": [[5, 4, 3, 2, 1], [], []]}
    assert json.loads(rows[-1]["state_after_json"])["pegs"] == [[], [], [5, 4, 3, 2, 1]]
    for row in rows:
        row["state_before_json"] = row["state_after_json"] = None
    assert rows == without


def test_sub_runs_are_included_by_address() -> None:
    world = memory_world()
    provider = ScriptedProvider(right_leaf, answers_at_once=True)
    go(lambda: new_run(halves((3, 1, 4)), ProviderSetup(provider), world))
    directory = only_run(world.disk)
    rows = exported(directory)
    assert [(row["address"], row["kind"], row["stage"], row["sub_runs"]) for row in rows] == [
        ("1/left/1", "leaf", "decided", 0),
        ("1/right/1/left/1", "leaf", "decided", 0),
        ("1/right/1/right/1", "leaf", "decided", 0),
        ("1/right/1", "split", "composed", 2),
        ("1", "split", "composed", 2),
    ]
    assert [row["path"] for row in rows][:2] == ["1/left/", "1/right/1/left/"]
    told = exported(directory, load_task=load_halves)
    assert told[-1]["state_after_json"] == '{"total":8}'


def test_each_kind_of_step_is_counted_with_its_own_margin_also_without_the_task() -> None:
    world = memory_world()

    def script(request: Request) -> str:
        return right(request) if fate(request.question.index, request.draws) > 0.3 else "next = 77"

    task = countdown(6, kinds=2)
    provider = ScriptedProvider(script, answers_at_once=True)
    go(lambda: new_run(task, ProviderSetup(provider), world, ahead_by=None))
    directory = only_run(world.disk)
    without = exported(directory, "replies")
    assert {row["ahead_by"] for row in exported(directory)} == {2, 3}
    assert without == exported(directory, "replies", lambda _text, _record: countdown(6, kinds=2))


def test_a_thought_stands_beside_its_form_and_its_calls_are_shared_out() -> None:
    world = memory_world()
    go(lambda: new_run(thinking_countdown(8), Thinkers(flaky=False).setup, world))
    steps, replies = exported(only_run(world.disk)), exported(only_run(world.disk), "replies")
    formed = [reply for reply in replies if reply["thought"] is not None and reply["text"] is not None]
    flagged = [reply for reply in replies if reply["thought"] is not None and reply["text"] is None]
    assert formed
    assert flagged
    assert all(reply["calls"] == 2 for reply in formed)
    assert all(reply["flag"] is not None and reply["tokens"] is None for reply in flagged)
    for row in steps:
        shares = sum(reply["cost_share_usd"] for reply in replies if reply["address"] == row["address"])
        assert shares == pytest.approx(row["cost_usd"])


def test_what_a_killed_run_has_is_exported_with_a_note() -> None:
    world = memory_world(pace=BUSY)
    provider = ScriptedProvider(right, answers_at_once=True)
    go(lambda: new_run(countdown(5), ProviderSetup(provider), world, max_steps=2))
    rows, found = written(only_run(world.disk))
    assert len(rows) == 2
    assert found.is_whole
    assert found.notes == ("the run is not done (limit): what its journal has so far is here",)


def test_damage_ends_the_table_where_it_begins(noisy: RunDirectory, tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / noisy.run_id
    shutil.copytree(noisy.path, copy)
    (segment,) = (copy / "journal").iterdir()
    content = bytearray(segment.read_bytes())
    content[len(content) // 2] ^= 4
    segment.write_bytes(content)
    output, code = run_maker(["export", str(copy), "-o", str(tmp_path / "steps.csv")])
    assert code == 1
    assert "note: the journal can't be read further, what follows is missing" in output
    assert 2 < len((tmp_path / "steps.csv").read_text(encoding="utf-8").splitlines()) < 32


def test_without_pyarrow_it_is_said_how_to_get_it(
    noisy: RunDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def refusing(name: str, *rest: Any) -> Any:
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refusing)
    target = tmp_path / "steps.parquet"
    target.write_text("what was there", encoding="utf-8")
    output, code = run_maker(["export", str(noisy.path), "-o", str(target)])
    assert code == 3
    assert output == "Parquet files need pyarrow, which is not installed: `pip install 'maker-dsl[parquet]'`\n"
    assert [path.read_text(encoding="utf-8") for path in tmp_path.iterdir()] == ["what was there"]


def test_a_file_that_cant_be_written_is_wrong_usage(noisy: RunDirectory, tmp_path: Path) -> None:
    output, code = run_maker(["export", str(noisy.path), "-o", str(tmp_path / "no" / "steps.csv")])
    assert code == 3
    assert "steps.csv can't be written: No such file or directory" in output


@pytest.mark.long
def test_memory_does_not_grow_with_the_run() -> None:
    peaks = [_peak(steps, "csv") for steps in (4_000, 8_000)]
    assert peaks[1] < 1.2 * peaks[0]


def _peak(steps: int, form: Format) -> int:
    """The most memory while the replies of a run are exported."""
    world = memory_world()
    provider = ScriptedProvider(right, answers_at_once=True)
    go(lambda: new_run(countdown(steps, largest=9_999), ProviderSetup(provider), world))
    directory, out = only_run(world.disk), _Nowhere()
    tracemalloc.start()
    export_run(directory, "replies", form, out, None)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert out.size > 100 * steps
    return peak


class _Nowhere(BytesIO):
    """Counts what is written and keeps nothing."""

    size = 0

    def write(self, data: Any) -> int:
        self.size += len(data)
        return len(data)
