"""The writer of a journal. One per run; its owner holds the run's lock.

Used by the engine. Appending is memory only; `flush` hands everything to the system (it survives a kill), `sync`
puts it on disk (it survives a power cut). Invariants: what `flush` could not write stays in the buffer and is written
at its place by the next one; nothing is called durable before its sync has returned and no other writer has taken
over; after a failed write or sync the journal takes nothing more.
"""

from __future__ import annotations

import errno
from hashlib import sha256
from pathlib import Path
from zlib import crc32

from maker_dsl.journal.disk import Disk, File
from maker_dsl.journal.errors import DiskFull, JournalError, JournalFailed, JournalFenced
from maker_dsl.journal.format import (
    HEADER_BYTES,
    MARK,
    MAX_PAYLOAD,
    MAX_TYPE,
    RECORD_HEAD,
    RECORD_OVERHEAD,
    SEAL,
    STORED_CHAIN,
    Position,
    SegmentHeader,
    crc_seed,
    encode_record,
    first_chain,
    is_run_id,
    segment_name,
)
from maker_dsl.journal.segment import FULL, disk_full, make_first_segment, make_segment
from maker_dsl.journal.sync_ticket import Syncing, SyncTicket

SEGMENT_BYTES = 64 << 20
_BUFFER_BYTES = 1 << 20
_RESERVE_STEP = 1 << 20
_NO_ALLOCATION = (errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)
_pack_head = RECORD_HEAD.pack


class Journal:
    """An append-only log of typed payloads, in segments. Made by `Journal.create` and by `recovery.open_journal`."""

    _file: File
    _header: SegmentHeader
    _seed: int
    _path: Path
    _next_path: Path
    _offset: int
    """Where the next record goes."""
    _written: int
    """Up to where the file has been written; the buffer goes from here to `_offset`."""
    _reserved: int
    """Up to where the file has room for certain."""
    _last: int
    """Where the last record begins; 0 before the first of a segment."""
    _limit: int
    """From this offset on a record goes to the next segment."""

    def __init__(
        self, directory: Path, disk: Disk, file: File, header: SegmentHeader, segment_bytes: int = SEGMENT_BYTES
    ) -> None:
        """Go on writing after `header`, which is on disk in the otherwise empty `file`, as is all before it."""
        self._directory = directory
        self._disk = disk
        self._segment_bytes = segment_bytes
        self._buffer = bytearray()
        self._failure: JournalError | None = None
        self._syncing = Syncing()
        self._is_closed = False
        self._tickets: list[SyncTicket] = []
        self._retired: list[File] = []
        self._sequence = self._durable = header.first_sequence
        self._chain = header.chain
        self._begin(file, header)

    @classmethod
    def create(cls, directory: Path, run_id: str, disk: Disk, *, segment_bytes: int = SEGMENT_BYTES) -> Journal:
        """Begin the journal of a run in an empty directory, which must exist; it is on disk on return.

        A kill or a power cut meanwhile leaves no journal rather than half of one. Raises FileExistsError, DiskFull and
        JournalFailed.
        """
        if not is_run_id(run_id):
            raise ValueError(f"not an id of a run: {run_id!r}")
        header = SegmentHeader(run_id, 1, 1, 0, first_chain(run_id))
        file = make_first_segment(disk, directory, header)
        return cls(directory, disk, file, header, segment_bytes)

    # What is known.

    @property
    def run_id(self) -> str:
        """The run that the journal belongs to."""
        return self._header.run_id

    @property
    def epoch(self) -> int:
        """How often the run has been opened for writing, from 1."""
        return self._header.epoch

    @property
    def directory(self) -> Path:
        """Where the segments are."""
        return self._directory

    @property
    def disk(self) -> Disk:
        """What it is written to."""
        return self._disk

    @property
    def next_sequence(self) -> int:
        """The number that the next record gets."""
        return self._sequence

    @property
    def durable_below(self) -> int:
        """All records below this number are on disk."""
        return self._durable

    @property
    def head(self) -> str:
        """The chain hash over all records appended: the run's receipt, in hex."""
        return self._chain.hex()

    @property
    def position(self) -> Position:
        """The place after the last record appended."""
        return Position(self._header.number, self._offset, self._sequence, self._chain, self._last)

    @property
    def failure(self) -> JournalError | None:
        """Why the journal takes nothing more, if so."""
        return self._failure

    # Writing.

    def append(self, type: int, payload: bytes) -> int:
        """Take a record (`type` is 0 to 65534) and return its sequence number. Not yet written: see `flush`.

        Raises DiskFull where it must write first and cannot: the record is then not taken, append it again later.
        """
        if self._failure is not None or self._is_closed:
            self._refuse()
        size = len(payload)
        if size > MAX_PAYLOAD or not 0 <= type <= MAX_TYPE:
            raise ValueError(f"a record of type {type} and {size} bytes does not fit the format")
        if self._offset >= self._limit:
            self._rotate()
        elif len(self._buffer) >= _BUFFER_BYTES:
            self.flush()
        # `format.encode_record`, written out: this runs several times per step.
        sequence, offset = self._sequence, self._offset
        head = _pack_head(size, type, sequence, self._durable)
        self._chain = chain = sha256(self._chain + head + payload).digest()
        covered = head + chain[:STORED_CHAIN] + payload
        crc = crc32(covered, (self._seed + offset) & 0xFFFFFFFF)
        self._buffer += MARK + crc.to_bytes(4, "little") + covered
        self._last = offset
        self._offset = offset + RECORD_OVERHEAD + size
        self._sequence = sequence + 1
        return sequence

    def flush(self) -> None:
        """Hand everything to the system: from then on it survives a kill, not a power cut.

        DiskFull: nothing is lost; what is left is written by the next flush. JournalFailed: any other error.
        """
        if self._failure is not None or self._is_closed:
            self._refuse()
        buffer = self._buffer
        while buffer:
            try:
                count = self._file.write_at(buffer, self._written)
            except OSError as error:
                raise self._trouble("writing", error, len(buffer)) from error
            if count <= 0:
                raise self._fail(JournalFailed(self._path, "writing", OSError(errno.EIO, "nothing was written")))
            self._written += count
            if count == len(buffer):
                buffer.clear()
            else:
                del buffer[:count]

    def sync(self) -> None:
        """Flush, and return when everything is on disk. Raises as `flush`; and JournalFenced."""
        ticket = self.begin_sync()
        ticket.run()
        self.finish_sync(ticket)

    def begin_sync(self) -> SyncTicket:
        """Flush, and a ticket for the sync of all records so far. Raises as `flush`."""
        self.flush()
        ticket = SyncTicket(self._file, self._sequence, self._syncing)
        self._tickets.append(ticket)
        return ticket

    def finish_sync(self, ticket: SyncTicket) -> int:
        """Take note of a ticket that has run, and return `durable_below`.

        Raises JournalFailed if the sync failed: it is never repeated. Raises JournalFenced if another process has
        taken over, since the records may then have come too late for it to see.
        """
        if self._failure is not None or self._is_closed:
            self._refuse()
        if not ticket.is_done:
            raise ValueError("the ticket has not run")
        self._tickets.remove(ticket)
        if ticket.error is not None:
            raise self._fail(JournalFailed(self._path, "syncing", ticket.error)) from ticket.error
        if ticket.below > self._durable:
            if self._disk.exists(self._next_path):
                raise self._fail(JournalFenced(self._directory, self.epoch))
            self._durable = ticket.below
        if not self._tickets:
            self._close_retired()
        return self._durable

    def reserve_space(self, size: int) -> None:
        """Make sure that `size` more bytes (payloads, and RECORD_OVERHEAD for each) can be written, or DiskFull.

        Room is taken in large steps, so that this costs next to nothing when asked before every call of a model. What
        is in the buffer counts too.
        """
        if self._failure is not None or self._is_closed:
            self._refuse()
        needed = self._offset + size
        if needed <= self._reserved:
            return
        if needed > self._segment_bytes and self._offset > HEADER_BYTES:
            self._rotate()
            needed = self._offset + size
        for room in (needed + min(_RESERVE_STEP, self._segment_bytes), needed):
            try:
                self._file.allocate(room)
            except OSError as error:
                if error.errno in _NO_ALLOCATION:
                    self._expect_free(room - self._written)
                elif error.errno in FULL and room > needed:
                    continue
                else:
                    raise self._trouble("reserving room in", error, size) from error
            self._reserved = room
            return

    def close(self) -> None:
        """Sync, seal the segment and give everything back. Leaving this out (a kill) does no harm.

        Raises as `sync`; everything is given back all the same, and what could not be written is lost.
        """
        if self._is_closed:
            return
        try:
            if self._failure is None:
                self.sync()
                self._seal()
        finally:
            self._is_closed = True
            for ticket in self._tickets:
                ticket.release()
            self._tickets.clear()
            self._close_retired()
            self._file.close()

    def _begin(self, file: File, header: SegmentHeader) -> None:
        self._file = file
        self._header = header
        self._seed = crc_seed(header.run_id, header.number)
        self._path = self._directory / segment_name(header.number)
        self._next_path = self._directory / segment_name(header.number + 1)
        self._offset = self._written = self._reserved = HEADER_BYTES
        self._last = 0
        self._limit = self._segment_bytes

    def _rotate(self) -> None:
        self.sync()
        # From here on this segment takes nothing more, even if the disk is full and the next one has to wait: its
        # header may have reached the disk, and says where this one ends.
        self._limit = 0
        if self._reserved > self._written:
            try:
                self._file.truncate(self._written)
            except OSError as error:
                raise self._trouble("shortening", error, 0) from error
            self._reserved = self._written
        old = self._header
        header = SegmentHeader(old.run_id, old.number + 1, old.epoch, self._sequence, self._chain)
        try:
            file = make_segment(self._disk, self._directory, header)
        except FileExistsError as error:
            raise self._fail(JournalFenced(self._directory, self.epoch)) from error
        except JournalFailed as error:
            raise self._fail(error) from error.error
        self._retired.append(self._file)
        if not self._tickets:
            self._close_retired()
        self._begin(file, header)

    def _seal(self) -> None:
        head = _pack_head(0, SEAL, self._sequence, self._sequence)
        seal = encode_record(self._seed, self._offset, self._chain, head, b"")
        try:
            self._file.truncate(self._offset)
            count = self._file.write_at(seal, self._offset)
            if count < len(seal):
                self._file.truncate(self._offset)
            self._file.sync()
        except OSError as error:
            if error.errno not in FULL:  # a seal is worth having, not worth failing for
                raise self._trouble("sealing", error, len(seal)) from error

    def _expect_free(self, size: int) -> None:
        free = self._disk.free_bytes(self._directory)
        if free < size:
            raise DiskFull(self._path, size, free)

    def _trouble(self, doing: str, error: OSError, needed: int) -> JournalError:
        if error.errno in FULL:
            return disk_full(self._disk, self._path, needed)
        return self._fail(JournalFailed(self._path, doing, error))

    def _fail(self, failure: JournalError) -> JournalError:
        self._failure = failure
        return failure

    def _refuse(self) -> None:
        if self._failure is not None:
            raise self._failure
        raise ValueError("the journal is closed")

    def _close_retired(self) -> None:
        for file in self._retired:
            file.close()
        self._retired.clear()
