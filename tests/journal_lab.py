"""Lives of a journal on the simulated disk, with a witness that knows what was really appended and acknowledged."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from maker_dsl.journal import Journal, JournalMissing, MemoryDisk, Opened, Reader, SnapshotStore, open_journal
from maker_dsl.journal.memory_disk import Stopped

LOG = Path("/run/journal")
SNAPSHOTS = Path("/run/snapshots")
RUN = "hanoi-1"


def new_disk(sector_bytes: int = 512) -> MemoryDisk:
    return MemoryDisk([LOG, SNAPSHOTS], sector_bytes=sector_bytes)


def store(disk: MemoryDisk, run_id: str = RUN) -> SnapshotStore:
    return SnapshotStore(SNAPSHOTS, run_id, disk)


def read_all(disk: MemoryDisk) -> list[tuple[int, bytes]]:
    with Reader(LOG, disk) as reader:
        return [(record.type, record.payload) for record in reader.tail()]


def reopen(disk: MemoryDisk, segment_bytes: int = 700) -> Opened:
    return open_journal(LOG, disk, store(disk).load().good, segment_bytes=segment_bytes)


@dataclass
class Witness:
    """What was really done: every record appended, how many were flushed, how many acknowledged as durable."""

    appended: list[tuple[int, bytes]] = field(default_factory=list)
    flushed: int = 0
    durable: int = 0
    exists: bool = False

    def append(self, journal: Journal, type: int, payload: bytes) -> None:
        sequence = journal.append(type, payload)
        assert sequence == len(self.appended)
        self.appended.append((type, payload))

    def flush(self, journal: Journal) -> None:
        journal.flush()
        self.flushed = len(self.appended)

    def sync(self, journal: Journal) -> None:
        journal.sync()
        self.durable = self.flushed = len(self.appended)

    def check(self, disk: MemoryDisk, *, at_least: int) -> None:
        """What the disk holds is a prefix of what was appended and has at least so many records."""
        try:
            found = read_all(disk)
        except JournalMissing:
            assert not self.exists
            return
        assert found == self.appended[: len(found)]
        assert len(found) >= at_least

    def settle(self, opened: Opened) -> None:
        """Take note of what a reopened journal starts with, after comparing it with what was appended."""
        count = opened.report.next_sequence
        assert self.durable <= count <= len(self.appended)
        start = 0
        if opened.snapshot is not None:
            start = opened.snapshot.position.sequence
            assert opened.snapshot.payload == f"state after {start}".encode()
        records = list(opened.records())
        assert [record.sequence for record in records] == list(range(start, count))
        assert [(record.type, record.payload) for record in records] == self.appended[start:count]
        assert opened.journal.durable_below == opened.journal.next_sequence == count
        del self.appended[count:]
        self.flushed = self.durable = count


def live(disk: MemoryDisk, random: Random, witness: Witness, *, steps: int = 14) -> None:
    """One process: open or create the journal, work on it; ends by itself or by Stopped."""
    try:
        opened = reopen(disk)
        witness.exists = True
        witness.settle(opened)
        journal = opened.journal
    except JournalMissing:
        assert not witness.exists
        journal = Journal.create(LOG, RUN, disk, segment_bytes=700)
        witness.exists = True
    tickets = []
    for _ in range(steps):
        witness.durable = max(witness.durable, journal.durable_below)
        match random.choice("aaaaaffstrcw"):
            case "a":
                payload = random.randbytes(random.choice((0, 3, 40, 40, 300)))
                witness.append(journal, random.randrange(5), payload)
            case "f":
                witness.flush(journal)
            case "s":
                witness.sync(journal)
            case "t":
                ticket = journal.begin_sync()
                witness.flushed = len(witness.appended)
                tickets.append(ticket)
            case "r":
                for ticket in tickets:
                    ticket.run()
                    witness.durable = max(witness.durable, journal.finish_sync(ticket))
                tickets.clear()
            case "c":
                journal.reserve_space(random.choice((10, 200)))
            case "w":
                witness.sync(journal)
                at = journal.position
                store(disk).write(f"state after {at.sequence}".encode(), at, journal.durable_below)
    for ticket in tickets:
        ticket.run()
    if random.random() < 0.3:
        journal.close()
        witness.durable = witness.flushed = len(witness.appended)


def live_until_stopped(disk: MemoryDisk, random: Random, witness: Witness, operations: int) -> bool:
    """A life that ends at that operation of the disk, if it comes to that."""
    disk.stop_at = disk.operations + operations
    try:
        live(disk, random, witness)
    except Stopped:
        return True
    finally:
        disk.stop_at = None
    return False
