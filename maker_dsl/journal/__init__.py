"""Runs on disk: one append-only log per run, its snapshots, its directory. Knows nothing of steps and samples.

run = RunDirectory.create(Path("runs"), make_run_id("hanoi", now, random), task_text, configuration, RealDisk())
lock = run.lock()                      # RunBusy(pid) where another process writes
journal = run.create_journal()
journal.append(1, b"{}")               # memory only
journal.flush()                        # survives a kill
journal.sync()                         # survives a power cut
run.snapshots.write(b"state", journal.position, journal.durable_below)
journal.close()

opened = run.open_journal()            # snapshot, then what came after it
for record in opened.records(): ...
with run.reader() as reader:           # no lock, also while a writer is at work
    for record in reader.tail(): ...
"""

from maker_dsl.journal.disk import Disk, RealDisk
from maker_dsl.journal.errors import (
    DiskFull,
    JournalDamaged,
    JournalError,
    JournalFailed,
    JournalFenced,
    JournalMissing,
    JournalTooNew,
    NotAJournal,
    RunAmbiguous,
    RunBusy,
    RunError,
    RunNotFound,
    RunUnreadable,
)
from maker_dsl.journal.format import RECORD_OVERHEAD, Position, Record
from maker_dsl.journal.log import Journal
from maker_dsl.journal.memory_disk import MemoryDisk
from maker_dsl.journal.reader import Reader, segment_starts
from maker_dsl.journal.recovery import Opened, Recovery, TornTail, open_journal
from maker_dsl.journal.run_directory import (
    RunDirectory,
    RunFacts,
    RunLock,
    find_run,
    hash_task,
    list_runs,
    make_run_id,
)
from maker_dsl.journal.snapshot import LoadedSnapshots, Snapshot, SnapshotStore
from maker_dsl.journal.sync_ticket import SyncTicket

__all__ = [
    "RECORD_OVERHEAD",
    "Disk",
    "DiskFull",
    "Journal",
    "JournalDamaged",
    "JournalError",
    "JournalFailed",
    "JournalFenced",
    "JournalMissing",
    "JournalTooNew",
    "LoadedSnapshots",
    "MemoryDisk",
    "NotAJournal",
    "Opened",
    "Position",
    "Reader",
    "RealDisk",
    "Record",
    "Recovery",
    "RunAmbiguous",
    "RunBusy",
    "RunDirectory",
    "RunError",
    "RunFacts",
    "RunLock",
    "RunNotFound",
    "RunUnreadable",
    "Snapshot",
    "SnapshotStore",
    "SyncTicket",
    "TornTail",
    "find_run",
    "hash_task",
    "list_runs",
    "make_run_id",
    "open_journal",
    "segment_starts",
]
