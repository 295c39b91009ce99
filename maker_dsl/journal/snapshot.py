"""Snapshots: what spares a resume from reading the whole log.

Used by the run directory and the engine. A snapshot is an opaque payload with the place in the log that it stands
for; it is written to a temporary file, synced, renamed, and the directory synced, and the last two are kept. It is
never the truth: a damaged one is passed over in favour of the one before, or of the whole log.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

from maker_dsl.journal.disk import Disk, read_file, write_file
from maker_dsl.journal.errors import DiskFull, JournalFailed
from maker_dsl.journal.format import Position
from maker_dsl.journal.segment import FULL

SNAPSHOT_VERSION = 1
_MAGIC = b"MAKERSNP"
_HEAD = struct.Struct("<8sHH64sIQQQ32sQ")
_CRC = struct.Struct("<I")
_SUFFIX = ".snapshot"
_TEMPORARY = "unfinished"
_KEEP = 2


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A payload and the place in the log that it stands for."""

    position: Position
    payload: bytes


@dataclass(frozen=True, slots=True)
class LoadedSnapshots:
    """The good snapshots of a run, newest first, and the names of files that were passed over."""

    good: tuple[Snapshot, ...]
    ignored: tuple[str, ...]


class SnapshotStore:
    """The snapshots of one run, in a directory of their own."""

    def __init__(self, directory: Path, run_id: str, disk: Disk) -> None:
        self._directory = directory
        self._run_id = run_id
        self._disk = disk

    def write(self, payload: bytes, position: Position, durable_below: int) -> None:
        """Save a snapshot of `position`; the journal must have synced up to it (`durable_below` is the journal's).

        Blocks for two syncs; may run in a thread. Raises ValueError before the sync, DiskFull (nothing is lost: do
        without, or try again) and JournalFailed.
        """
        if position.sequence > durable_below:
            raise ValueError("a snapshot must not be ahead of what the journal has on disk")
        path = self._directory / _name(position)
        temporary = self._directory / _TEMPORARY
        doing = "writing"
        try:
            if self._disk.exists(temporary):
                self._disk.remove(temporary)
            write_file(self._disk, temporary, encode_snapshot(self._run_id, Snapshot(position, payload)))
            doing = "renaming"
            self._disk.rename(temporary, path)
            self._disk.sync_directory(self._directory)
            for name in self._names()[:-_KEEP]:
                self._disk.remove(self._directory / name)
        except OSError as error:
            if error.errno in FULL:
                raise DiskFull(path, len(payload), None) from error
            raise JournalFailed(path, doing, error) from error

    def load(self) -> LoadedSnapshots:
        """All good snapshots, newest first. Never raises for what is in the files."""
        good: list[Snapshot] = []
        ignored: list[str] = []
        for name in reversed(self._names()):
            try:
                data = read_file(self._disk, self._directory / name)
            except FileNotFoundError:  # a writer has just pruned it
                continue
            snapshot = decode_snapshot(self._run_id, data)
            if snapshot is None:
                ignored.append(name)
            else:
                good.append(snapshot)
        return LoadedSnapshots(tuple(good), tuple(ignored))

    def _names(self) -> list[str]:
        try:
            return [name for name in self._disk.names(self._directory) if name.endswith(_SUFFIX)]
        except FileNotFoundError:
            return []


def encode_snapshot(run_id: str, snapshot: Snapshot) -> bytes:
    """The bytes of a snapshot file."""
    at, name = snapshot.position, run_id.encode("ascii")
    head = _HEAD.pack(
        _MAGIC,
        SNAPSHOT_VERSION,
        len(name),
        name,
        at.segment,
        at.offset,
        at.sequence,
        at.last,
        at.chain,
        len(snapshot.payload),
    )
    body = head + snapshot.payload
    return body + _CRC.pack(zlib.crc32(body))


def decode_snapshot(run_id: str, data: bytes) -> Snapshot | None:
    """The snapshot in the bytes of a file; None where they are damaged, of another run or of another version."""
    if len(data) < _HEAD.size + _CRC.size or _CRC.pack(zlib.crc32(data[: -_CRC.size])) != data[-_CRC.size :]:
        return None
    magic, version, name_length, name, segment, offset, sequence, last, chain, length = _HEAD.unpack_from(data)
    payload = data[_HEAD.size : -_CRC.size]
    if (magic, version, name[:name_length], length) != (
        _MAGIC,
        SNAPSHOT_VERSION,
        run_id.encode("ascii"),
        len(payload),
    ):
        return None
    return Snapshot(Position(segment, offset, sequence, chain, last), payload)


def _name(position: Position) -> str:
    return f"{position.sequence:020d}{_SUFFIX}"
