"""Reading a journal without locks, also while it is being written.

Used by `maker status`, `explain`, `verify`, by resume for the records after a snapshot, and by recovery itself, so that
there is one judgement of what is valid. Every record is checked by CRC, sequence and chain. What ends the log is the
end for now (a torn tail, a record half written) unless something later proves that the bytes had been on disk: then
it is damage and refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from maker_dsl.journal.disk import Disk
from maker_dsl.journal.errors import JournalDamaged, JournalMissing, JournalTooNew, NotAJournal
from maker_dsl.journal.format import (
    FORMAT_VERSION,
    HeaderRefused,
    Position,
    Record,
    SegmentHeader,
    first_chain,
    segment_name,
    segment_number,
)
from maker_dsl.journal.place import is_place
from maker_dsl.journal.scan import SegmentScan, holds_records, read_header


def segment_numbers(disk: Disk, directory: Path) -> list[int]:
    """The numbers of the segments that are there, ascending; empty where there is no journal."""
    try:
        names = disk.names(directory)
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [number for name in names if (number := segment_number(name)) is not None]


def segment_starts(disk: Disk, directory: Path) -> list[Position]:
    """Where each segment begins: places to start reading from without reading what is before."""
    starts = []
    for number in segment_numbers(disk, directory):
        header = read_header(disk, directory / segment_name(number))
        if isinstance(header, SegmentHeader):
            starts.append(header.start)
    return starts


class Reader:
    """Records of a journal from `start` on (None: from the first). A context manager; `tail` may be called again.

    `known_durable` is a sequence number below which the caller knows everything to have been on disk (a snapshot says
    so): a log that ends before it is damaged. Raises JournalMissing, NotAJournal, JournalTooNew, JournalDamaged.
    """

    def __init__(self, directory: Path, disk: Disk, start: Position | None = None, *, known_durable: int = 0) -> None:
        self._directory = directory
        self._disk = disk
        self._known_durable = known_durable
        self._scan: SegmentScan | None = None
        self._header = self._first_header(start)
        if start is not None:
            if not is_place(disk, directory, self.run_id, start):
                raise self._damage(start, "the record before it is another", "a position in the log was kept")
        else:
            if self._header.chain != first_chain(self._header.run_id) or self._header.first_sequence != 0:
                raise self._damage(self._header.start, "it is not how a run begins", "the first segment is another")
            start = self._header.start
        self._scan = self._open(start)

    def __enter__(self) -> Reader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def run_id(self) -> str:
        """The run that the journal belongs to."""
        return self._header.run_id

    @property
    def epoch(self) -> int:
        """How often the run had been opened for writing when the present segment was begun."""
        return self._header.epoch

    @property
    def position(self) -> Position:
        """The place after the last record read."""
        return self._present.position

    @property
    def head(self) -> str:
        """The chain hash over all records up to here: the run's receipt."""
        return self._present.chain.hex()

    @property
    def is_sealed(self) -> bool:
        """Whether the last reading came to the end of a journal that was closed in order."""
        return self._present.seal_offset is not None and self._present.problem is None

    @property
    def torn(self) -> str | None:
        """What is wrong with the bytes after the last record; None where there are none."""
        return self._present.problem

    @property
    def proven_offset(self) -> int:
        """An offset in the last segment below which all is proven to be on disk."""
        return self._present.proven_offset

    def tail(self, below: int | None = None) -> Iterator[Record]:
        """What is there after the present position, below sequence `below`. Call it again for what came since."""
        looked_twice = False
        while True:
            scan = self._present
            following = self._following(scan)
            yield from scan.records(_smaller(below, None if following is None else following.first_sequence))
            if below is not None and scan.sequence >= below:
                return
            if following is not None and scan.sequence == following.first_sequence:
                self._enter(following)
                looked_twice = False
                continue
            damage = self._judge(scan, following)
            if damage is None:
                if following is None and self._following(scan) is not None:
                    continue  # begun while we read
                return
            if looked_twice:
                raise damage
            # We may have met the writer in the middle of a write: look twice before calling it damage.
            looked_twice = True

    def close(self) -> None:
        """Give the file back."""
        if self._scan is not None:
            self._scan.close()
            self._scan = None

    @property
    def _present(self) -> SegmentScan:
        if self._scan is None:
            raise ValueError("the reader is closed")
        return self._scan

    def _open(self, position: Position) -> SegmentScan:
        path = self._directory / segment_name(position.segment)
        return SegmentScan(self._disk.open(path), self._header.run_id, position)

    def _first_header(self, start: Position | None) -> SegmentHeader:
        number = 1 if start is None else start.segment
        sequence = 0 if start is None else start.sequence
        numbers = segment_numbers(self._disk, self._directory)
        if not numbers and start is None and self._known_durable == 0:
            raise JournalMissing(self._directory)
        path = self._directory / segment_name(number)
        header = read_header(self._disk, path)
        if isinstance(header, SegmentHeader):
            if header.number == number:
                return header
            raise JournalDamaged(path, number, 0, sequence, f"it is segment {header.number}", "its header says so")
        if header is None:
            proof = f"there is segment {numbers[-1]}" if numbers else "a snapshot was taken of it"
            raise JournalDamaged(path, number, 0, sequence, "the file is missing", proof)
        if header.version is not None:
            raise JournalTooNew(path, header.version, FORMAT_VERSION)
        if not header.is_ours and number == 1:
            raise NotAJournal(path)
        raise JournalDamaged(
            path, number, 0, sequence, "its header is damaged", "a header is on disk before any record"
        )

    def _following(self, scan: SegmentScan) -> SegmentHeader | None:
        """The header of the next segment; None where it is not there, or was never finished."""
        number = scan.segment + 1
        path = self._directory / segment_name(number)
        place = Position(number, 0, scan.sequence, scan.chain, 0)
        header = read_header(self._disk, path)
        if isinstance(header, SegmentHeader):
            if header.run_id == self.run_id and header.number == number:
                return header
            whose = f"it is segment {header.number} of the run {header.run_id}"
            raise self._damage(place, whose, "its header says so")
        if header is not None and header.version is not None:
            raise JournalTooNew(path, header.version, FORMAT_VERSION)
        last = max(segment_numbers(self._disk, self._directory), default=0)
        if last > number:
            if header is None and self._disk.exists(path):
                return self._following(scan)  # made since
            reason = "the file is missing" if header is None else "its header is damaged"
            raise self._damage(place, reason, f"there is segment {last}")
        if (
            header is not None
            and holds_records(self._disk, self._directory, self.run_id, number)
            and self._is_refused(path)
        ):
            raise self._damage(place, "its header is damaged", "good records follow it")
        return None

    def _is_refused(self, path: Path) -> bool:
        return isinstance(read_header(self._disk, path), HeaderRefused)

    def _enter(self, following: SegmentHeader) -> None:
        scan = self._present
        if scan.chain != following.chain:
            place = Position(following.number, 0, following.first_sequence, following.chain, 0)
            raise self._damage(place, "it does not continue the segment before it", "the chain hashes differ")
        scan.close()
        self._header = following
        self._scan = self._open(following.start)

    def _judge(self, scan: SegmentScan, following: SegmentHeader | None) -> JournalDamaged | None:
        """Whether what ended the reading is damage; None where it is just the end."""
        reason = scan.problem or "the file ends here"
        if following is not None:
            proof = f"segment {following.number} begins with record {following.first_sequence}"
            return self._damage(scan.position, reason, proof)
        if scan.sequence < self._known_durable:
            return self._damage(scan.position, reason, f"a snapshot was taken at record {self._known_durable}")
        found = scan.find_proof(scan.sequence, scan.offset) if scan.problem is not None else None
        if found is None:
            return None
        says = f"byte {found.offset} holds what was written when all below {found.durable_below} were on disk"
        return self._damage(scan.position, reason, says)

    def _damage(self, place: Position, reason: str, proof: str) -> JournalDamaged:
        path = self._directory / segment_name(place.segment)
        return JournalDamaged(path, place.segment, place.offset, place.sequence, reason, proof)


def _smaller(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else min(one, other)
