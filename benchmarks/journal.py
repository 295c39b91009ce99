"""What the journal costs: appending, syncing in groups, opening with a snapshot, reading everything.

    python benchmarks/journal.py [RECORDS] [DIRECTORY]

RECORDS is 1,000,000 unless given; the log is written below DIRECTORY (here, unless given) and removed again.
"""

from __future__ import annotations

import resource
import shutil
import sys
import tempfile
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from random import Random
from time import perf_counter, process_time
from typing import TypeVar

from maker_dsl.journal import Journal, RealDisk, RunDirectory, make_run_id

T = TypeVar("T")

PAYLOAD = b'{"step":123456,"slot":1,"reply":"' + b"x" * 380 + b'","tokens":120,"cost_usd":0.0001}'


def main() -> None:
    """Run each part once and print it."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    directory = Path(tempfile.mkdtemp(dir=sys.argv[2] if len(sys.argv) > 2 else "."))
    try:
        print(f"records of {len(PAYLOAD)} bytes")
        for name, group, total in (
            ("append, flush every 6", None, count),
            ("the same, sync every 100", 100, count // 5),
            ("the same, sync every 6", 6, count // 50),
            ("the same, sync every record", 1, count // 200),
        ):
            journal = new_run(directory).create_journal()
            measure(name, total, partial(append, journal, group, total))
            journal.close()
        resume(new_run(directory), count)
        print(f"largest memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")
    finally:
        shutil.rmtree(directory)


def new_run(directory: Path) -> RunDirectory:
    """An empty run."""
    run_id = make_run_id("bench", datetime.now(), Random())
    return RunDirectory.create(directory, run_id, "task bench { }", {}, RealDisk())


def append(journal: Journal, group: int | None, count: int) -> None:
    """Append `count` records with a flush after six and a sync after `group`."""
    for i in range(count):
        journal.append(1, PAYLOAD)
        if group is not None and i % group == group - 1:
            journal.sync()
        elif i % 6 == 5:
            journal.flush()


def resume(run: RunDirectory, count: int) -> None:
    """Open after `count` records with a snapshot near the end, as after a kill, then read all."""
    journal = run.create_journal()
    for i in range(count):
        journal.append(1, PAYLOAD)
        if i % 100_000 == 0 or i == count - 500:
            journal.sync()
            run.snapshots.write(b"state" * 1000, journal.position, journal.durable_below)
    journal.flush()
    opened = measure(f"open after {count:,} records", None, run.open_journal)
    tail = measure("records after the snapshot", None, lambda: sum(1 for _ in opened.records()))
    print(f"{'':34}{tail:,} records")
    opened.journal.close()
    with run.reader() as reader:
        measure("read and verify all", count, lambda: sum(1 for _ in reader.tail()))


def measure(name: str, count: int | None, work: Callable[[], T]) -> T:
    """Do it and print how long it took, per record where there is a count."""
    wall, cpu = perf_counter(), process_time()
    result = work()
    wall, cpu = perf_counter() - wall, process_time() - cpu
    if count is None:
        print(f"{name:34}{wall * 1e3:10.2f} ms")
    else:
        print(f"{name:34}{count / wall:12,.0f} records/s{cpu / count * 1e6:8.2f} µs CPU each")
    return result


if __name__ == "__main__":
    main()
