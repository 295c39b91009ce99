"""Reading one segment from a place on, and looking for proof that damaged bytes had been on disk.

Used by `reader`. Memory stays flat: a window of the file is held, never the whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from maker_dsl.journal.disk import Disk, File
from maker_dsl.journal.format import (
    HEADER_BYTES,
    MARK,
    MAX_PAYLOAD,
    RECORD_OVERHEAD,
    SEAL,
    STORED_CHAIN,
    HeaderRefused,
    Position,
    Record,
    SegmentHeader,
    crc_seed,
    decode_frame,
    decode_header,
    next_chain,
    segment_name,
)

_WINDOW = 1 << 20


@dataclass(frozen=True, slots=True)
class Proof:
    """A record that shows that all records below `durable_below` had been on disk."""

    offset: int
    sequence: int
    durable_below: int


def read_header(disk: Disk, path: Path) -> SegmentHeader | HeaderRefused | None:
    """The header of a segment; None where the file is missing."""
    try:
        file = disk.open(path)
    except FileNotFoundError:
        return None
    try:
        return decode_header(file.read_at(0, HEADER_BYTES))
    finally:
        file.close()


def holds_records(disk: Disk, directory: Path, run_id: str, number: int) -> bool:
    """Whether any good record of the run stands in that segment, whatever its header looks like."""
    try:
        file = disk.open(directory / segment_name(number))
    except FileNotFoundError:  # a recovery has just put it aside
        return False
    scan = SegmentScan(file, run_id, Position(number, 0, 0, b"", 0))
    try:
        return scan.has_records()
    finally:
        scan.close()


class SegmentScan:
    """The records of one segment from `position` on. Can be iterated again when the file has grown.

    After an iteration `problem` says what is wrong with the bytes that follow the last good record; None where
    nothing follows, or only zeros (room that was reserved), or a seal.
    """

    def __init__(self, file: File, run_id: str, position: Position) -> None:
        self._file = file
        self._seed = crc_seed(run_id, position.segment)
        self.segment = position.segment
        self.offset = position.offset
        self.sequence = position.sequence
        self.chain = position.chain
        self.last = position.last
        self.problem: str | None = None
        self.seal_offset: int | None = None
        self.proven_below = position.sequence
        """Records below this are proven to have been on disk by a record that was read, or lie before the start."""
        self._proven_offset = position.offset
        self._candidate = (position.sequence, position.offset)

    @property
    def position(self) -> Position:
        """The place after the last record read."""
        return Position(self.segment, self.offset, self.sequence, self.chain, self.last)

    @property
    def proven_offset(self) -> int:
        """An offset (of a record, or the start) below which everything is proven to have been on disk."""
        return self._proven_offset

    def records(self, limit: int | None = None) -> Iterator[Record]:
        """Records as far as they are good, and below sequence `limit`."""
        self.problem = self.seal_offset = None
        window, base = b"", self.offset
        read, size = self._file.read_at, _WINDOW
        while limit is None or self.sequence < limit:
            start = self.offset - base
            frame = decode_frame(window, start, self._seed, self.offset)
            if isinstance(frame, str):
                if len(window) - start < size:
                    # Perhaps the record goes on beyond the window.
                    fresh = read(self.offset, size)
                    if len(fresh) > len(window) - start:
                        window, base = fresh, self.offset
                        continue
                elif size < MAX_PAYLOAD + RECORD_OVERHEAD and frame == "the record is cut off":
                    size = MAX_PAYLOAD + RECORD_OVERHEAD
                    continue
                self.problem = None if self._is_blank(self.offset) else frame
                return
            size = _WINDOW
            if frame.sequence != self.sequence:
                self.problem = f"record {frame.sequence} stands where record {self.sequence} belongs"
                return
            if frame.type == SEAL and frame.stored_chain != self.chain[:STORED_CHAIN]:
                self.problem = "it seals another past"
                return
            if frame.type == SEAL:
                self.seal_offset = self.offset
                self.proven_below, self._proven_offset = self.sequence, self.offset
                if not self._is_blank(self.offset + frame.size):
                    self.problem = "bytes follow the end of the segment"
                return
            chain = next_chain(self.chain, frame.head, frame.payload)
            if chain[:STORED_CHAIN] != frame.stored_chain:
                self.problem = "it does not continue the record before it"
                return
            if frame.durable_below > self.proven_below:
                self._prove(frame.durable_below)
            record = Record(frame.sequence, frame.type, frame.payload, frame.durable_below, self.segment, self.offset)
            self.last = self.offset
            self.offset += frame.size
            self.sequence += 1
            self.chain = chain
            yield record

    def find_proof(self, below: int, start: int) -> Proof | None:
        """A good record or seal from offset `start` on that proves records from `below` on to have been on disk."""
        return next((proof for proof in self._plausible(start) if proof.durable_below > below), None)

    def has_records(self) -> bool:
        """Whether any good record of this run and segment stands anywhere in the file."""
        return next(self._plausible(0), None) is not None

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    def _plausible(self, start: int) -> Iterator[Proof]:
        base = start
        while len(window := self._file.read_at(base, _WINDOW)) >= RECORD_OVERHEAD:
            at = window.find(MARK)
            while at >= 0:
                frame = decode_frame(window, at, self._seed, base + at)
                if frame == "the record is cut off":
                    whole = self._file.read_at(base + at, RECORD_OVERHEAD + MAX_PAYLOAD)
                    frame = decode_frame(whole, 0, self._seed, base + at)
                if not isinstance(frame, str):
                    yield Proof(base + at, frame.sequence, frame.durable_below)
                at = window.find(MARK, at + 1)
            base += len(window) - len(MARK) + 1

    def _prove(self, durable_below: int) -> None:
        self.proven_below = durable_below
        if durable_below >= self._candidate[0]:
            self._proven_offset = self._candidate[1]
            self._candidate = (self.sequence, self.offset)

    def _is_blank(self, start: int) -> bool:
        while window := self._file.read_at(start, _WINDOW):
            if window.count(0) != len(window):
                return False
            start += len(window)
        return True
