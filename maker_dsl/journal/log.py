"""The journal: one append-only log of records, in segments.

API (being filled in):

    journal = Journal.create(directory, run_id, disk)
    opened = Journal.open(directory, disk, snapshots)   # snapshots: SnapshotStore(...).load()
    opened.snapshot        the Snapshot it starts from, or None
    opened.records()       the records after the snapshot, one at a time
    opened.report          what recovery found: torn tail cut off, ignored snapshots, epoch
    opened.journal
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from maker_dsl.journal.disk import Disk


@dataclass(frozen=True, slots=True)
class Position:
    """A place between two records: what comes next is record `sequence`, at `offset` in `segment`."""

    segment: int
    offset: int
    sequence: int
    chain: bytes
    last: int
    """Where the record before this place begins; 0 if it is not in this segment."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record as read."""

    sequence: int
    type: int
    payload: bytes
    durable_below: int
    position: Position
    """Where the record begins."""


class SyncTicket:
    """A sync under way: `run()` in any thread, then `journal.finish_sync(ticket)` where the journal lives."""

    def run(self) -> None:
        """Block until what the ticket covers is on disk; a failure is kept and raised by `finish_sync`."""
        raise NotImplementedError


class Journal:
    """The writer."""

    @classmethod
    def create(cls, directory: Path, run_id: str, disk: Disk, *, segment_bytes: int = 64 << 20) -> Journal:
        raise NotImplementedError

    @classmethod
    def open(
        cls, directory: Path, disk: Disk, snapshots: Sequence[Snapshot] = (), *, segment_bytes: int = 64 << 20
    ) -> Opened:
        raise NotImplementedError

    def append(self, type: int, payload: bytes) -> int:
        """Take a record (type 0 to 65534) into the buffer; returns its sequence number. DiskFull: not taken, try again."""
        raise NotImplementedError

    def flush(self) -> None:
        """Hand the buffer to the system: survives a kill. DiskFull: nothing lost, try again."""

    def sync(self) -> None:
        """flush, and return when all is on disk."""

    def begin_sync(self) -> SyncTicket:
        """flush, and a ticket for a sync of all that was appended so far."""
        raise NotImplementedError

    def finish_sync(self, ticket: SyncTicket) -> int:
        """Take note of a ticket that has run; returns `durable_below`. Raises JournalFailed if the sync failed."""
        raise NotImplementedError

    def reserve_space(self, size: int) -> None:
        """Make sure that `size` more payload bytes can be written, or raise DiskFull; cheap when called again and again."""

    next_sequence: int
    durable_below: int
    head: str
    position: Position
    epoch: int
    run_id: str

    def close(self) -> None:
        """sync, seal, release. Not sealing (a kill) is never harmful."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """See snapshot.py: SnapshotStore(directory, disk, run_id).write(payload, position) / .load()."""

    position: Position
    payload: bytes


@dataclass(frozen=True, slots=True)
class Opened:
    """See the module docstring."""

    journal: Journal
    snapshot: Snapshot | None

    def records(self) -> Iterator[Record]:
        raise NotImplementedError
