"""Opening a journal for writing again: what is good is kept, what was torn is cut off and put beside.

Used by the engine on resume. The steps, each safe to be cut short and done again:

1. take the next segment's name, which fences a writer that should be dead (it looks for that name after every sync);
2. read from the newest snapshot that fits the log, or from the start; damage that is proven is refused here;
3. copy a torn tail to `torn-…`, cut it off, write once more what is not proven to be on disk (after a failed sync the
   system may hold it as clean though it never got there) and sync;
4. write the new segment's header, which says that all before it is on disk.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from maker_dsl.journal.disk import Disk, File, write_all, write_file
from maker_dsl.journal.errors import DiskFull, JournalDamaged, JournalFailed, JournalTooNew
from maker_dsl.journal.format import (
    FORMAT_VERSION,
    HEADER_BYTES,
    Position,
    Record,
    SegmentHeader,
    segment_name,
)
from maker_dsl.journal.log import SEGMENT_BYTES, Journal
from maker_dsl.journal.place import is_place
from maker_dsl.journal.reader import Reader, segment_numbers
from maker_dsl.journal.scan import holds_records, read_header
from maker_dsl.journal.segment import FULL, disk_full, finish_header
from maker_dsl.journal.snapshot import Snapshot

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class TornTail:
    """Bytes after the last good record, never acknowledged as durable: what was wrong, and where they are kept now."""

    segment: int
    offset: int
    size: int
    reason: str
    kept: Path


@dataclass(frozen=True, slots=True)
class Recovery:
    """What opening found. `epoch` is the new writer's."""

    epoch: int
    next_sequence: int
    torn: TornTail | None
    snapshots_passed_over: int


@dataclass(frozen=True, slots=True)
class Opened:
    """An opened journal: the writer, the snapshot to start from (None: from nothing), and what came after it."""

    journal: Journal
    snapshot: Snapshot | None
    report: Recovery

    def records(self) -> Iterator[Record]:
        """The records after the snapshot up to where the writer goes on, one at a time; may be called again."""
        return _records_between(self)


def open_journal(
    directory: Path,
    disk: Disk,
    snapshots: Sequence[Snapshot] = (),
    *,
    segment_bytes: int = SEGMENT_BYTES,
) -> Opened:
    """Open the journal in `directory` for writing; the caller holds the run's lock. `snapshots` are newest first.

    Raises JournalMissing, NotAJournal, JournalTooNew, JournalDamaged (then nothing was changed), DiskFull and
    JournalFailed.
    """
    numbers = segment_numbers(disk, directory)
    _expect_no_gap(directory, numbers)
    snapshot, reader = _start(directory, disk, snapshots)
    try:
        claimed = _number_to_claim(disk, directory, numbers, reader)
        path = directory / segment_name(claimed)
        try:
            _settle(disk, directory, claimed - 1)
            if claimed in numbers:
                _keep_aside(disk, directory, claimed, 0)
                disk.remove(path)
            file = disk.create(path)
        except OSError as error:
            raise _trouble(disk, directory, "taking over", error) from error
        try:
            for _ in reader.tail():
                pass
            torn = _mend(disk, directory, reader)
            end = reader.position
            header = SegmentHeader(reader.run_id, claimed, reader.epoch + 1, end.sequence, end.chain)
            finish_header(disk, directory, file, header)
        except OSError as error:
            file.close()
            raise _trouble(disk, directory, "recovering", error) from error
        except BaseException:
            file.close()
            disk.remove(path)
            raise
        report = Recovery(
            epoch=header.epoch,
            next_sequence=end.sequence,
            torn=torn,
            snapshots_passed_over=len(snapshots) if snapshot is None else snapshots.index(snapshot),
        )
        return Opened(Journal(directory, disk, file, header, segment_bytes), snapshot, report)
    finally:
        reader.close()


def _start(directory: Path, disk: Disk, snapshots: Sequence[Snapshot]) -> tuple[Snapshot | None, Reader]:
    known_durable = max((each.position.sequence for each in snapshots), default=0)
    for snapshot in snapshots:
        at = snapshot.position
        path = directory / segment_name(at.segment)
        header = read_header(disk, path)
        if isinstance(header, SegmentHeader) and is_place(disk, directory, header.run_id, at):
            return snapshot, Reader(directory, disk, at, known_durable=known_durable)
    return None, Reader(directory, disk, known_durable=known_durable)


def _expect_no_gap(directory: Path, numbers: Sequence[int]) -> None:
    for expected, number in enumerate(numbers, start=1):
        if number != expected:
            path = directory / segment_name(expected)
            raise JournalDamaged(path, expected, 0, 0, "the file is missing", f"there is segment {number}")


def _number_to_claim(disk: Disk, directory: Path, numbers: Sequence[int], reader: Reader) -> int:
    """The segment to write: after the last one, or the last itself where its writer died before it had a header."""
    last = numbers[-1]
    path = directory / segment_name(last)
    header = read_header(disk, path)
    if isinstance(header, SegmentHeader):
        return last + 1
    if header is not None and header.version is not None:
        raise JournalTooNew(path, header.version, FORMAT_VERSION)
    if holds_records(disk, directory, reader.run_id, last):
        raise JournalDamaged(path, last, 0, 0, "its header is damaged", "good records follow it")
    return last


def _settle(disk: Disk, directory: Path, last: int) -> None:
    """Put the last segment's header and name on disk: a killed writer may not have come to it, and the segment that is
    begun now must not be found without the one before it."""
    file = disk.open(directory / segment_name(last), writing=True)
    try:
        _write_again(file, 0, HEADER_BYTES)
        file.sync()
    finally:
        file.close()
    disk.sync_directory(directory)


def _mend(disk: Disk, directory: Path, reader: Reader) -> TornTail | None:
    end = reader.position
    torn = None
    file = disk.open(directory / segment_name(end.segment), writing=True)
    try:
        if reader.torn is not None:
            size = file.size() - end.offset
            kept = _keep_aside(disk, directory, end.segment, end.offset)
            assert kept is not None
            torn = TornTail(end.segment, end.offset, size, reader.torn, kept)
        if not reader.is_sealed:
            file.truncate(end.offset)
        _write_again(file, reader.proven_offset, end.offset)
        file.sync()
    finally:
        file.close()
    return torn


def _write_again(file: File, start: int, end: int) -> None:
    while start < end:
        data = file.read_at(start, min(_CHUNK, end - start))
        write_all(file, data, start)
        start += len(data)


def _keep_aside(disk: Disk, directory: Path, segment: int, offset: int) -> Path | None:
    """Copy a segment from `offset` on to a file of its own; None where there is nothing but zeros."""
    file = disk.open(directory / segment_name(segment))
    try:
        data = file.read_at(offset, file.size() - offset)
    finally:
        file.close()
    if data.count(0) == len(data):
        return None
    name = f"torn-{segment:08d}-{offset}"
    taken = set(disk.names(directory))
    path = directory / next(free for i in range(len(taken) + 1) if (free := name + (f"-{i}" if i else "")) not in taken)
    write_file(disk, path, data)
    disk.sync_directory(directory)
    return path


def _records_between(opened: Opened) -> Iterator[Record]:
    journal = opened.journal
    start: Position | None = opened.snapshot.position if opened.snapshot else None
    with Reader(journal.directory, journal.disk, start) as reader:
        yield from reader.tail(opened.report.next_sequence)


def _trouble(disk: Disk, directory: Path, doing: str, error: OSError) -> DiskFull | JournalFailed:
    if error.errno in FULL:
        return disk_full(disk, directory / "recovery", 0)
    return JournalFailed(directory, doing, error)
