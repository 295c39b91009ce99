"""A disk in memory that can lose power, for tests of everything that must survive that.

Used by tests of the journal and of the engine. It keeps what processes see (the cache) and what is on the platter
apart, per file and per directory. `kill` keeps the cache; `power_cut` keeps of every unsynced sector the old or the new
bytes, zeros or garbage, of the length the old, the new or something between, and of unsynced names some.

What a power cut leaves of a file is in `power_cut`.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from pathlib import Path
from random import Random

from maker_dsl.journal.disk import File
from maker_dsl.journal.power_cut import NameChange, Names, Node, apply, content_after_power_cut


class Stopped(BaseException):
    """The process ends here: raised by the operation that the test chose. Not an Exception: nothing may catch it."""


class MemoryFile:
    """An open file of a `MemoryDisk`."""

    def __init__(self, disk: MemoryDisk, node: Node, path: Path, *, is_lock: bool = False) -> None:
        self._disk = disk
        self._node = node
        self._path = path
        self._is_lock = is_lock
        self._is_open = True

    def write_at(self, data: bytes | bytearray | memoryview, offset: int) -> int:
        self._check()
        taken = self._disk.room_for(self._node, offset, len(data))
        try:
            taken = self._disk.begin("write", taken)
        except Stopped as stop:
            self._put(bytes(data[: stop.args[0]]), offset)
            raise
        self._put(bytes(data[:taken]), offset)
        return taken

    def read_at(self, offset: int, size: int) -> bytes:
        self._check()
        return bytes(self._node.cache[offset : offset + size])

    def size(self) -> int:
        self._check()
        return len(self._node.cache)

    def truncate(self, size: int) -> None:
        self._check()
        self._disk.begin("truncate")
        cache = self._node.cache
        if size <= len(cache):
            del cache[size:]
        else:
            cache.extend(bytes(size - len(cache)))
        self._node.dirty.append((size, size))

    def allocate(self, size: int) -> None:
        self._check()
        self._disk.begin("allocate")
        cache = self._node.cache
        if size > len(cache):
            if self._disk.room_for(self._node, len(cache), size - len(cache)) < size - len(cache):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            self._node.dirty.append((len(cache), size))
            cache.extend(bytes(size - len(cache)))

    def sync(self) -> None:
        self._check()
        node = self._node
        try:
            self._disk.begin("sync")
        except OSError:
            # As Linux does it: the pages count as clean from now on, and never got there.
            node.dirty.clear()
            raise
        durable, cache = node.durable, node.cache
        if len(durable) > len(cache):
            del durable[len(cache) :]
        else:
            durable.extend(bytes(len(cache) - len(durable)))
        for start, end in node.dirty:
            durable[start:end] = cache[start : min(end, len(cache))]
        node.dirty.clear()

    def close(self) -> None:
        if self._is_open and self._is_lock:
            self._disk.locks.discard(self._path)
        self._is_open = False

    def _put(self, data: bytes, offset: int) -> None:
        cache = self._node.cache
        if offset > len(cache):
            cache.extend(bytes(offset - len(cache)))
        cache[offset : offset + len(data)] = data
        self._node.dirty.append((offset, offset + len(data)))

    def _check(self) -> None:
        if not self._is_open:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))


class MemoryDisk:
    """A file system in memory. `operations` counts what changes it; `counts` the same by kind.

    `stop_at` raises Stopped at that operation (1 is the first), half done; `fail_at` maps (kind, number) to an errno,
    kinds being write, sync, truncate, allocate, create, rename, remove, mkdir and sync_directory; `capacity` is how
    many bytes all files may hold together.
    """

    def __init__(self, directories: Iterable[Path] = (), *, sector_bytes: int = 512) -> None:
        self.sector_bytes = sector_bytes
        self._names: Names = {Path("/"): None}
        self._durable_names: Names = {Path("/"): None}
        self._changes: list[NameChange] = []
        self.locks: set[Path] = set()
        self.capacity: int | None = None
        self.stop_at: int | None = None
        self.fail_at: dict[tuple[str, int], int] = {}
        self.operations = 0
        self.counts: dict[str, int] = {}
        for directory in directories:
            for path in [*reversed(directory.parents), directory]:
                self._names[path] = self._durable_names[path] = None

    # The port.

    def create(self, path: Path) -> File:
        self._expect_directory(path.parent)
        if path in self._names:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
        self.begin("create")
        node = Node()
        self._change(None, path, node)
        return MemoryFile(self, node, path)

    def open(self, path: Path, *, writing: bool = False) -> File:
        return MemoryFile(self, self._node(path), path)

    def names(self, directory: Path) -> list[str]:
        self._expect_directory(directory)
        return sorted(path.name for path in self._names if path.parent == directory and path != directory)

    def exists(self, path: Path) -> bool:
        return path in self._names

    def make_directory(self, path: Path) -> None:
        self._expect_directory(path.parent)
        if path in self._names:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
        self.begin("mkdir")
        self._change(None, path, None)

    def rename(self, old: Path, new: Path) -> None:
        if old not in self._names:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(old))
        self.begin("rename")
        self._change(old, new, self._names[old])

    def remove(self, path: Path) -> None:
        node = self._node(path)
        self.begin("remove")
        self._change(path, None, node)

    def sync_directory(self, path: Path) -> None:
        self._expect_directory(path)
        self.begin("sync_directory")
        kept = []
        for change in self._changes:
            if path in change.directories:
                apply(self._durable_names, change)
            else:
                kept.append(change)
        self._changes = kept

    def free_bytes(self, path: Path) -> int:
        return (1 << 40) if self.capacity is None else max(0, self.capacity - self._used())

    def lock(self, path: Path) -> File:
        self._expect_directory(path.parent)
        if path in self.locks:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN), str(path))
        if path not in self._names:
            self._change(None, path, Node())
        self.locks.add(path)
        return MemoryFile(self, self._node(path), path, is_lock=True)

    # Faults.

    def kill(self) -> MemoryDisk:
        """The disk as the next process finds it: nothing written is lost, locks are free."""
        return self._copy(self._names, {id(node): node for node in self._nodes()})

    def power_cut(self, random: Random) -> MemoryDisk:
        """The disk as it may be found after the power failed now."""
        names = dict(self._durable_names)
        for change in self._changes:
            if random.random() < 0.5:
                apply(names, change)
        left = {id(node): content_after_power_cut(node, self.sector_bytes, random) for node in self._nodes()}
        return self._copy(names, left)

    def begin(self, kind: str, size: int = 0) -> int:
        """Count an operation of `size` bytes and let it happen, or fail or stop as was asked for."""
        self.operations += 1
        number = self.counts[kind] = self.counts.get(kind, 0) + 1
        if self.stop_at is not None and self.operations >= self.stop_at:
            # What a dead process would do to clean up does not happen either.
            raise Stopped(size // 2 if self.operations == self.stop_at else 0)
        error = self.fail_at.get((kind, number))
        if error is not None:
            raise OSError(error, os.strerror(error))
        return size

    def room_for(self, node: Node, offset: int, size: int) -> int:
        """How many of `size` bytes at `offset` there is room for; OSError where there is none."""
        if self.capacity is None:
            return size
        taken = min(size, max(0, len(node.cache) - offset) + max(0, self.capacity - self._used()))
        if taken == 0 and size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return taken

    def content(self, path: Path) -> bytearray:
        """The bytes of a file as processes see them; changing them is what a stranger with an editor does."""
        return self._node(path).cache

    def _used(self) -> int:
        return sum(len(node.cache) for node in self._names.values() if node is not None)

    def _nodes(self) -> list[Node]:
        changed = [change.node for change in self._changes]
        every = [*self._names.values(), *self._durable_names.values(), *changed]
        return list({id(node): node for node in every if node is not None}.values())

    def _copy(self, names: Names, left: dict[int, Node]) -> MemoryDisk:
        disk = MemoryDisk(sector_bytes=self.sector_bytes)
        disk.capacity = self.capacity
        copies = {
            key: Node(bytearray(node.cache), bytearray(node.durable), list(node.dirty)) for key, node in left.items()
        }
        present = {path for path in names if all(parent in names for parent in path.parents)}
        disk._names = {path: None if (node := names[path]) is None else copies[id(node)] for path in present}
        if names is self._names:
            disk._durable_names = {
                path: None if node is None else copies[id(node)] for path, node in self._durable_names.items()
            }
            disk._changes = [
                NameChange(c.directories, c.old, c.new, None if c.node is None else copies[id(c.node)])
                for c in self._changes
            ]
        else:
            disk._durable_names = dict(disk._names)
        return disk

    def _change(self, old: Path | None, new: Path | None, node: Node | None) -> None:
        change = NameChange(frozenset(path.parent for path in (old, new) if path is not None), old, new, node)
        apply(self._names, change)
        self._changes.append(change)

    def _node(self, path: Path) -> Node:
        node = self._names.get(path)
        if node is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        return node

    def _expect_directory(self, path: Path) -> None:
        if path not in self._names or self._names[path] is not None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
