"""Making segments. Used by the log and by recovery."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from maker_dsl.journal.disk import Disk, File, write_all, write_file
from maker_dsl.journal.errors import DiskFull, JournalFailed
from maker_dsl.journal.format import (
    HEADER_BYTES,
    SegmentHeader,
    encode_header,
    segment_name,
)

FULL = (errno.ENOSPC, errno.EDQUOT)
"""The errors that room would cure."""
_UNFINISHED = "unfinished"


def make_first_segment(disk: Disk, directory: Path, header: SegmentHeader) -> File:
    """Create the first segment of a journal, whole or not at all.

    Raises FileExistsError, DiskFull and JournalFailed.
    """
    path = directory / segment_name(header.number)
    unfinished = directory / _UNFINISHED
    if disk.exists(path):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    try:
        if disk.exists(unfinished):
            disk.remove(unfinished)
        write_file(disk, unfinished, encode_header(header))
        disk.rename(unfinished, path)
        disk.sync_directory(directory)
        return disk.open(path, writing=True)
    except OSError as error:
        if error.errno in FULL:
            raise disk_full(disk, path, HEADER_BYTES) from error
        raise JournalFailed(path, "creating", error) from error


def make_segment(disk: Disk, directory: Path, header: SegmentHeader) -> File:
    """Create a segment that holds its header alone; it and its name are on disk on return.

    Raises FileExistsError; DiskFull, with the file removed again; JournalFailed.
    """
    path = directory / segment_name(header.number)
    try:
        file = disk.create(path)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno in FULL:
            raise disk_full(disk, path, HEADER_BYTES) from error
        raise JournalFailed(path, "creating", error) from error
    try:
        finish_header(disk, directory, file, header)
    except OSError as error:
        file.close()
        if error.errno not in FULL:
            raise JournalFailed(path, "beginning", error) from error
        try:
            disk.remove(path)
        except OSError as trouble:
            raise JournalFailed(path, "removing", trouble) from trouble
        raise disk_full(disk, path, HEADER_BYTES) from error
    return file


def disk_full(disk: Disk, path: Path, needed: int) -> DiskFull:
    """The exception, with how much room is left where that can be told."""
    try:
        free = disk.free_bytes(path.parent)
    except OSError:
        free = None
    return DiskFull(path, needed, free)


def finish_header(disk: Disk, directory: Path, file: File, header: SegmentHeader) -> None:
    """Write and sync the header of a segment just created, then its name. Raises OSError."""
    write_all(file, encode_header(header), 0)
    file.sync()
    disk.sync_directory(directory)
