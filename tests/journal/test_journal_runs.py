"""Run directories, the lock, and readers beside a writer: on the real file system and real processes."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from random import Random
from threading import Thread

import pytest
from journal_lab import LOG, RUN, new_disk

from maker_dsl.journal import (
    DiskFull,
    Journal,
    JournalDamaged,
    JournalMissing,
    MemoryDisk,
    Reader,
    RealDisk,
    RunAmbiguous,
    RunBusy,
    RunDirectory,
    RunNotFound,
    RunUnreadable,
    find_run,
    list_runs,
    make_run_id,
)
from maker_dsl.journal.disk import File
from maker_dsl.journal.memory_disk import Stopped

NOW = datetime(2026, 11, 23, 5, 35, 1)
TASK = "task hanoi { … }\n"


def create(runs: Path, run_id: str = "hanoi-20261123-053501-k3f9") -> RunDirectory:
    return RunDirectory.create(runs, run_id, TASK, {"margin": 3, "provider": {"name": "simulated"}}, RealDisk())


def test_an_id_is_readable_sortable_and_fits_the_format() -> None:
    assert make_run_id("hanoi", NOW, Random(1)) == "hanoi-20261123-053501-226m"
    moments = [NOW.replace(microsecond=1_100 * at) for at in range(900)]
    ids = [make_run_id("hanoi", moment, Random(at)) for at, moment in enumerate(moments)]
    assert ids == sorted(ids)
    assert make_run_id("größe /../x", NOW, Random(2)).startswith("gr-e-x-20261123-053501-")
    assert make_run_id("…", NOW, Random(2)).startswith("run-2026")


def test_a_run_keeps_its_task_and_configuration(tmp_path: Path) -> None:
    run = create(tmp_path / "deep" / "runs")
    assert run.task_text() == TASK
    assert run.facts().configuration == {"margin": 3, "provider": {"name": "simulated"}}
    assert sorted(path.name for path in run.path.iterdir()) == ["journal", "run.json", "snapshots", "task.maker"]
    assert [path.name for path in run.path.parent.iterdir()] == [run.run_id]
    with pytest.raises(FileExistsError):
        create(tmp_path / "deep" / "runs")
    with pytest.raises(JournalMissing), run.reader():
        pass


def test_a_run_that_was_edited_is_called_unreadable(tmp_path: Path) -> None:
    run = create(tmp_path)
    (run.path / "task.maker").write_text("task other { … }\n")
    with pytest.raises(RunUnreadable, match="not the text that the run was started with"):
        run.task_text()
    facts = json.loads((run.path / "run.json").read_text())
    for text, message in (
        (json.dumps(facts | {"format": 2}), "newer version of maker"),
        (json.dumps(facts | {"run": 1}), "not what maker writes"),
        ("[]", "not what maker writes"),
        ("{", "run.json"),
    ):
        (run.path / "run.json").write_text(text)
        with pytest.raises(RunUnreadable, match=message):
            run.facts()


def test_runs_are_found_by_id_beginning_path_and_last(tmp_path: Path) -> None:
    disk = RealDisk()
    assert list_runs(tmp_path / "none", disk) == []
    newer = create(tmp_path, "countdown-20261124-000000-aaaa")
    older = create(tmp_path, "hanoi-20261123-000000-aaaa")
    create(tmp_path, "hanoi-20261123-000000-aaab")
    (tmp_path / "not-a-run").mkdir()
    assert [run.run_id for run in list_runs(tmp_path, disk)] == [
        "hanoi-20261123-000000-aaaa",
        "hanoi-20261123-000000-aaab",
        "countdown-20261124-000000-aaaa",
    ]
    assert find_run(tmp_path, "c", disk) == newer
    assert find_run(tmp_path, "last", disk) == newer
    assert find_run(tmp_path, "hanoi-20261123-000000-aaaa", disk) == older
    assert find_run(tmp_path / "elsewhere", str(older.path), disk) == older
    with pytest.raises(RunAmbiguous, match="`hanoi` could be 2 runs"):
        find_run(tmp_path, "hanoi", disk)
    for name in ("x", "", "not-a-run"):
        with pytest.raises(RunNotFound):
            find_run(tmp_path, name, disk)


def test_a_power_cut_while_a_run_is_created_leaves_all_of_it_or_nothing_listed() -> None:
    runs = Path("/run/runs")
    for operations in range(1, 40):
        disk = new_disk()
        disk.stop_at = operations
        try:
            RunDirectory.create(runs, "hanoi-1", TASK, {}, disk)
            is_made = True
        except Stopped:
            is_made = False
        for seed in range(8):
            after: MemoryDisk = disk.power_cut(Random(seed))
            found = list_runs(runs, after)
            assert [run.task_text() for run in found] in ([[TASK]] if is_made else [[], [TASK]])


HOLDER = """
import sys
from pathlib import Path
from maker_dsl.journal import RealDisk, RunDirectory
lock = RunDirectory(Path(sys.argv[1]), RealDisk()).lock()
print("locked", flush=True)
sys.stdin.read()
"""


def test_a_second_process_is_refused_with_the_pid_and_a_dead_one_holds_nothing(tmp_path: Path) -> None:
    run = create(tmp_path)
    command = [sys.executable, "-c", HOLDER, str(run.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"locked\n"
        with pytest.raises(RunBusy, match=f"in use by process {holder.pid}") as caught:
            run.lock()
        assert caught.value.pid == holder.pid
        holder.kill()
    lock = run.lock()
    with pytest.raises(RunBusy):
        run.lock()
    lock.release()
    run.lock().release()


WRITER = """
import sys
from pathlib import Path
from maker_dsl.journal import JournalMissing, RealDisk, RunDirectory
run = RunDirectory(Path(sys.argv[1]), RealDisk())
lock = run.lock()
try:
    journal = run.open_journal(segment_bytes=3_000).journal
except JournalMissing:
    journal = run.create_journal(segment_bytes=3_000)
while True:
    for _ in range(3):
        journal.append(1, b"%d" % journal.next_sequence * 5)
    journal.reserve_space(500)
    journal.flush()
    print(journal.next_sequence, flush=True)
"""


def test_a_killed_process_loses_nothing_that_it_had_flushed(tmp_path: Path) -> None:
    run = create(tmp_path)
    random = Random(7)
    flushed = 0
    for _ in range(8):
        with subprocess.Popen([sys.executable, "-c", WRITER, str(run.path)], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            for _ in range(random.randint(0, 200)):
                flushed = int(writer.stdout.readline())
            writer.kill()
            flushed = max([flushed, *(int(line) for line in writer.stdout if line.endswith(b"\n"))])
        if flushed:
            with run.reader() as reader:
                payloads = [record.payload for record in reader.tail()]
            assert payloads == [b"%d" % sequence * 5 for sequence in range(len(payloads))]
            assert len(payloads) >= flushed
    assert flushed > 500


def test_a_run_goes_on_where_it_was_on_a_real_disk(tmp_path: Path) -> None:
    run = create(tmp_path)
    lock = run.lock()
    journal = run.create_journal(segment_bytes=4_000)
    payloads = [b'{"step": %d}' % step for step in range(300)]
    for step, payload in enumerate(payloads[:200]):
        journal.append(1, payload)
        if step % 50 == 49:
            journal.sync()
            run.snapshots.write(b"state after %d" % (step + 1), journal.position, journal.durable_below)
    journal.append(2, b"last")
    journal.flush()
    lock.release()
    opened = run.open_journal(segment_bytes=4_000)
    assert opened.snapshot is not None
    assert opened.snapshot.payload == b"state after 200"
    assert [record.payload for record in opened.records()] == [b"last"]
    assert opened.report.epoch == 2
    for payload in payloads[200:]:
        opened.journal.append(1, payload)
    opened.journal.reserve_space(100_000)
    opened.journal.close()
    with run.reader() as reader:
        assert [record.payload for record in reader.tail()] == [*payloads[:200], b"last", *payloads[200:]]
        assert reader.head == opened.journal.head
        assert reader.run_id == run.run_id
        assert reader.is_sealed


def test_a_reader_of_a_run_notices_that_the_log_ends_before_the_snapshot(tmp_path: Path) -> None:
    run = create(tmp_path)
    journal = run.create_journal()
    for _ in range(3):
        journal.append(1, b"x" * 50)
    journal.sync()
    run.snapshots.write(b"state", journal.position, journal.durable_below)
    journal.close()
    log = run.journal_directory / "00000001.log"
    log.write_bytes(log.read_bytes()[:250])
    with run.reader() as reader, pytest.raises(JournalDamaged, match="a snapshot was taken at record 3"):
        list(reader.tail())


def test_a_reader_follows_a_writer_record_by_record_across_segments(tmp_path: Path) -> None:
    run = create(tmp_path)
    with pytest.raises(JournalMissing):
        run.reader()
    journal = run.create_journal(segment_bytes=1_000)
    with run.reader() as reader:
        for step in range(200):
            journal.append(1, b"%d" % step)
            assert list(reader.tail()) == []
            if step % 3 == 0:
                journal.reserve_space(50)
            journal.flush()
            assert [record.payload for record in reader.tail()] == [b"%d" % step]
        journal.close()
        assert list(reader.tail()) == []
        assert reader.is_sealed
        assert reader.head == journal.head


def test_a_reader_beside_a_writing_thread_sees_a_growing_prefix(tmp_path: Path) -> None:
    run = create(tmp_path)
    journal = run.create_journal(segment_bytes=100_000)
    count = 8_000

    def write() -> None:
        for step in range(count):
            journal.append(1, b"%d" % step * (1 + step % 40))
            if step % 7 == 0:
                journal.flush()
            if step % 500 == 0:
                journal.reserve_space(20_000)
                journal.sync()
        journal.close()

    writer = Thread(target=write)
    writer.start()
    seen = 0
    with run.reader() as reader:
        while writer.is_alive():
            for record in reader.tail():
                assert record.payload == b"%d" % seen * (1 + seen % 40)
                seen += 1
        writer.join()
        seen += sum(1 for _ in reader.tail())
        assert reader.is_sealed
    assert seen == count


class _Racing(MemoryDisk):
    """Its files read once as they were a moment ago in one place: what a reader may see of a write under way."""

    def open(self, path: Path, *, writing: bool = False) -> File:
        file = super().open(path, writing=writing)
        read, races = file.read_at, [1]

        def read_at(offset: int, size: int) -> bytes:
            data = read(offset, size)
            if len(data) > 300 and races:
                races.pop()
                return data[:60] + bytes(10) + data[70:]
            return data

        file.read_at = read_at  # type: ignore[method-assign]
        return file


def test_a_reader_looks_twice_before_it_calls_a_write_under_way_damage() -> None:
    disk = _Racing([LOG])
    journal = Journal.create(LOG, RUN, disk)
    for _ in range(5):
        journal.append(1, b"x" * 100)
        journal.sync()
    with Reader(LOG, disk) as reader:
        assert len(list(reader.tail())) == 5


def test_a_reader_that_meets_a_half_written_record_waits_for_the_rest() -> None:
    disk = new_disk()
    journal = Journal.create(LOG, RUN, disk)
    with Reader(LOG, disk) as reader:
        journal.append(1, b"x" * 200)
        disk.capacity = sum(len(disk.content(LOG / name)) for name in disk.names(LOG)) + 100
        with pytest.raises(DiskFull):
            journal.flush()
        assert list(reader.tail()) == []
        assert reader.torn == "the record is cut off"
        disk.capacity = None
        journal.flush()
        assert [record.payload for record in reader.tail()] == [b"x" * 200]
        assert reader.torn is None
