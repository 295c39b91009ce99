"""The port to files: everything the journal asks of a disk, and the real one.

Used by the whole package; `memory_disk.MemoryDisk` is the fake that can lose power. Invariant: nothing else in
`maker_dsl.journal` touches the file system, so that every fault can be played through.
"""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path
from typing import Protocol


class File(Protocol):
    """An open file. Every method raises OSError as the system does."""

    def write_at(self, data: bytes | bytearray | memoryview, offset: int) -> int:
        """Write at `offset`; returns how many bytes were taken, which may be fewer than asked."""
        ...

    def read_at(self, offset: int, size: int) -> bytes:
        """Up to `size` bytes from `offset`; fewer at the end of the file."""
        ...

    def size(self) -> int:
        """The file's length in bytes."""
        ...

    def truncate(self, size: int) -> None:
        """Cut the file to `size` bytes."""
        ...

    def allocate(self, size: int) -> None:
        """Make sure that the file has room for, and is at least, `size` bytes long; new bytes read as zero."""
        ...

    def sync(self) -> None:
        """Return when the content and length are on disk. May be called from another thread."""
        ...

    def close(self) -> None:
        """Give the file back; locks die with it."""
        ...


class Disk(Protocol):
    """A file system. Names made, renamed or removed are durable after `sync_directory`."""

    def create(self, path: Path) -> File:
        """A new file for reading and writing; FileExistsError if there is one."""
        ...

    def open(self, path: Path, *, writing: bool = False) -> File:
        """An existing file; FileNotFoundError if there is none."""
        ...

    def names(self, directory: Path) -> list[str]:
        """What is in the directory, sorted; FileNotFoundError if there is none."""
        ...

    def exists(self, path: Path) -> bool:
        """Whether there is a file or directory of that name."""
        ...

    def make_directory(self, path: Path) -> None:
        """A new directory; its parent must exist; FileExistsError if there is one."""
        ...

    def rename(self, old: Path, new: Path) -> None:
        """Give a file or directory another name, replacing a file of that name."""
        ...

    def remove(self, path: Path) -> None:
        """Remove a file."""
        ...

    def sync_directory(self, path: Path) -> None:
        """Return when the names in the directory are on disk."""
        ...

    def free_bytes(self, path: Path) -> int:
        """How much room this process has on the file system that holds `path`."""
        ...

    def lock(self, path: Path) -> File:
        """Open (or create) and lock a file until it is closed; BlockingIOError if another holds it."""
        ...


class RealFile:
    """A file descriptor."""

    __slots__ = ("_descriptor",)

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def write_at(self, data: bytes | bytearray | memoryview, offset: int) -> int:
        return os.pwrite(self._descriptor, data, offset)

    def read_at(self, offset: int, size: int) -> bytes:
        return os.pread(self._descriptor, size, offset)

    def size(self) -> int:
        return os.fstat(self._descriptor).st_size

    def truncate(self, size: int) -> None:
        os.ftruncate(self._descriptor, size)

    def allocate(self, size: int) -> None:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(self._descriptor, 0, size)
        elif self.size() < size:
            os.ftruncate(self._descriptor, size)

    def sync(self) -> None:
        if hasattr(fcntl, "F_FULLFSYNC"):  # fsync of macOS stops at the drive's cache
            fcntl.fcntl(self._descriptor, fcntl.F_FULLFSYNC)
        else:
            os.fdatasync(self._descriptor)

    def close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


class RealDisk:
    """The operating system's files."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RealDisk)

    def __hash__(self) -> int:
        return hash(RealDisk)

    def create(self, path: Path) -> File:
        return RealFile(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644))

    def open(self, path: Path, *, writing: bool = False) -> File:
        return RealFile(os.open(path, (os.O_RDWR if writing else os.O_RDONLY) | os.O_CLOEXEC))

    def names(self, directory: Path) -> list[str]:
        return sorted(path.name for path in directory.iterdir())

    def exists(self, path: Path) -> bool:
        return path.exists()

    def make_directory(self, path: Path) -> None:
        path.mkdir()

    def rename(self, old: Path, new: Path) -> None:
        old.rename(new)

    def remove(self, path: Path) -> None:
        path.unlink()

    def sync_directory(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def free_bytes(self, path: Path) -> int:
        facts = os.statvfs(path)
        return facts.f_bavail * facts.f_frsize

    def lock(self, path: Path) -> File:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BaseException:
            os.close(descriptor)
            raise
        return RealFile(descriptor)


def read_file(disk: Disk, path: Path) -> bytes:
    """The whole content of a file."""
    file = disk.open(path)
    try:
        parts = []
        offset = 0
        while part := file.read_at(offset, 1 << 20):
            parts.append(part)
            offset += len(part)
        return b"".join(parts)
    finally:
        file.close()


def write_all(file: File, data: bytes, offset: int) -> None:
    """Write all of `data`; raises OSError as the system does."""
    view = memoryview(data)
    while view:
        count = file.write_at(view, offset)
        if count <= 0:
            raise OSError(errno.EIO, "nothing was written")
        view = view[count:]
        offset += count


def write_file(disk: Disk, path: Path, data: bytes) -> None:
    """Make a new file with that content and sync it (not its directory)."""
    file = disk.create(path)
    try:
        write_all(file, data, 0)
        file.sync()
    finally:
        file.close()
