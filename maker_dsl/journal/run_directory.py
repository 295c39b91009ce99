"""Runs on disk: `runs/ID/` with the task's text, the resolved configuration, the journal and the snapshots.

Used by the engine and the command line. One process writes at a time: it holds the lock file, which the system gives
back when the process ends, however it ends. Readers need no lock.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

from maker_dsl.journal.disk import Disk, File, read_file, write_all, write_file
from maker_dsl.journal.errors import (
    DiskFull,
    JournalFailed,
    RunAmbiguous,
    RunBusy,
    RunNotFound,
    RunUnreadable,
)
from maker_dsl.journal.format import Position, is_run_id
from maker_dsl.journal.log import SEGMENT_BYTES, Journal
from maker_dsl.journal.reader import Reader
from maker_dsl.journal.recovery import Opened, open_journal
from maker_dsl.journal.segment import FULL
from maker_dsl.journal.snapshot import SnapshotStore

RUN_FORMAT = 1
_TASK = "task.maker"
_FACTS = "run.json"
_LOCK = "lock"
_ID_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"  # none that are taken for another
_STAMP = re.compile(r"-([0-9]{8}-[0-9]{6}-[0-9a-z]+)\Z")


def make_run_id(task_name: str, now: datetime, random: Random) -> str:
    """A readable id such as `hanoi-20261123-053501-k3f9`.

    The first two letters of its end tell about a thousandth of the second, so that ids sort by age; two are random.
    """
    name = re.sub(r"[^A-Za-z0-9_]+", "-", task_name).strip("-_")[:32] or "run"
    letters = len(_ID_LETTERS)
    moment = now.microsecond * letters**2 // 1_000_000
    tail = _ID_LETTERS[moment // letters] + _ID_LETTERS[moment % letters]
    tail += random.choice(_ID_LETTERS) + random.choice(_ID_LETTERS)
    return f"{name}-{now:%Y%m%d-%H%M%S}-{tail}"


def hash_task(text: str) -> str:
    """The hash by which a run knows the task it was started with."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


class RunLock:
    """The right to write to a run; given back by `release` or by the end of the process."""

    def __init__(self, file: File) -> None:
        self._file = file

    def release(self) -> None:
        """Let others write."""
        self._file.close()


@dataclass(frozen=True, slots=True)
class RunDirectory:
    """One run on disk. Cheap: nothing is read before it is asked for."""

    path: Path
    disk: Disk

    @classmethod
    def create(
        cls, runs_directory: Path, run_id: str, task_text: str, configuration: Mapping[str, Any], disk: Disk
    ) -> RunDirectory:
        """Make the directory of a new run; all of it is on disk on return, or there is no run of that name.

        `configuration` is JSON without secrets. Raises FileExistsError, DiskFull, JournalFailed.
        """
        if not is_run_id(run_id):
            raise ValueError(f"not an id of a run: {run_id!r}")
        path = runs_directory / run_id
        if disk.exists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
        facts = {
            "format": RUN_FORMAT,
            "run": run_id,
            "task_sha256": hash_task(task_text),
            "configuration": dict(configuration),
        }
        text = json.dumps(facts, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
        unfinished = runs_directory / f".{run_id}.{os.getpid()}"
        try:
            _make_directories(disk, runs_directory)
            disk.make_directory(unfinished)
            write_file(disk, unfinished / _TASK, task_text.encode("utf-8"))
            write_file(disk, unfinished / _FACTS, text.encode("utf-8"))
            for name in ("journal", "snapshots"):
                disk.make_directory(unfinished / name)
            disk.sync_directory(unfinished)
            disk.rename(unfinished, path)
            disk.sync_directory(runs_directory)
        except OSError as error:
            if error.errno in FULL:
                raise DiskFull(path, len(text) + len(task_text), None) from error
            raise JournalFailed(path, "creating", error) from error
        return cls(path, disk)

    @property
    def run_id(self) -> str:
        """The run's id: the directory's name."""
        return self.path.name

    @property
    def journal_directory(self) -> Path:
        """Where the log's segments are."""
        return self.path / "journal"

    @property
    def snapshots(self) -> SnapshotStore:
        """The run's snapshots."""
        return SnapshotStore(self.path / "snapshots", self.facts().run_id, self.disk)

    def task_text(self) -> str:
        """The text of the task that the run was started with. Raises RunUnreadable, also if it was edited since."""
        try:
            text = read_file(self.disk, self.path / _TASK).decode("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise RunUnreadable(self.path, f"{_TASK}: {error}") from error
        if hash_task(text) != self.facts().task_sha256:
            raise RunUnreadable(self.path, f"{_TASK} is not the text that the run was started with")
        return text

    def facts(self) -> RunFacts:
        """What `run.json` says. Raises RunUnreadable."""
        try:
            facts = json.loads(read_file(self.disk, self.path / _FACTS))
        except (OSError, ValueError) as error:
            raise RunUnreadable(self.path, f"{_FACTS}: {error}") from error
        if not isinstance(facts, dict) or not isinstance(facts.get("format"), int):
            raise RunUnreadable(self.path, f"{_FACTS} is not what maker writes")
        if facts["format"] > RUN_FORMAT:
            raise RunUnreadable(self.path, f"it was made by a newer version of maker (format {facts['format']})")
        match facts:
            case {"run": str(run_id), "task_sha256": str(digest), "configuration": dict(configuration)}:
                return RunFacts(run_id, digest, configuration)
            case _:
                raise RunUnreadable(self.path, f"{_FACTS} is not what maker writes")

    def lock(self) -> RunLock:
        """Take the right to write, or raise RunBusy with the process that has it."""
        path = self.path / _LOCK
        try:
            file = self.disk.lock(path)
        except BlockingIOError:
            raise RunBusy(self.path, self._holder()) from None
        except OSError as error:
            raise JournalFailed(path, "locking", error) from error
        try:
            pid = f"{os.getpid()}\n".encode()
            write_all(file, pid, 0)
            file.truncate(len(pid))
        except OSError as error:
            file.close()
            if error.errno in FULL:
                raise DiskFull(path, 8, None) from error
            raise JournalFailed(path, "locking", error) from error
        return RunLock(file)

    def create_journal(self, *, segment_bytes: int = SEGMENT_BYTES) -> Journal:
        """Begin the run's journal; the caller holds the lock."""
        return Journal.create(self.journal_directory, self.run_id, self.disk, segment_bytes=segment_bytes)

    def open_journal(self, *, segment_bytes: int = SEGMENT_BYTES) -> Opened:
        """Open the run's journal for going on, from its newest good snapshot; the caller holds the lock."""
        snapshots = self.snapshots.load().good
        return open_journal(self.journal_directory, self.disk, snapshots, segment_bytes=segment_bytes)

    def reader(self, start: Position | None = None) -> Reader:
        """Read the journal, from the first record or from a position; a writer may be at work.

        A log that ends before the newest snapshot is damaged, which the snapshots tell the reader.
        """
        snapshots = self.snapshots.load().good
        known_durable = max((snapshot.position.sequence for snapshot in snapshots), default=0)
        return Reader(self.journal_directory, self.disk, start, known_durable=known_durable)

    def writer(self) -> int | None:
        """The process that last took the lock, if it is still there: for people only, since numbers come again."""
        pid = self._holder()
        if pid is None or pid <= 0:
            return None
        return pid if _is_alive(pid) else None

    def _holder(self) -> int | None:
        try:
            return int(read_file(self.disk, self.path / _LOCK))
        except (OSError, ValueError):
            return None


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What a run's `run.json` says of it."""

    run_id: str
    task_sha256: str
    configuration: dict[str, Any]


def list_runs(runs_directory: Path, disk: Disk) -> list[RunDirectory]:
    """The runs that are there, oldest first; none where there is no such directory."""
    try:
        names = disk.names(runs_directory)
    except (FileNotFoundError, NotADirectoryError):
        return []
    found = [name for name in names if is_run_id(name) and disk.exists(runs_directory / name / _FACTS)]
    return [RunDirectory(runs_directory / name, disk) for name in sorted(found, key=_age)]


def find_run(runs_directory: Path, name: str, disk: Disk) -> RunDirectory:
    """The run that `name` means: an id, the beginning of one, a path, or `last` for the newest.

    Raises RunNotFound, RunAmbiguous.
    """
    path = Path(name)
    if disk.exists(path / _FACTS):
        return RunDirectory(path, disk)
    runs = list_runs(runs_directory, disk)
    if name == "last" and runs:
        return runs[-1]
    exact = [run for run in runs if run.run_id == name]
    found = exact or [run for run in runs if name and run.run_id.startswith(name)]
    if not found:
        raise RunNotFound(runs_directory, name)
    if len(found) > 1:
        raise RunAmbiguous(name, [run.run_id for run in found])
    return found[0]


def _is_alive(pid: int) -> bool:
    """Whether there is such a process, and not only what a parent has yet to take note of."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return True
    return state not in ("Z", "X")


def _age(run_id: str) -> tuple[str, str]:
    found = _STAMP.search(run_id)
    return (found[1] if found else "", run_id)


def _make_directories(disk: Disk, path: Path) -> None:
    missing = [each for each in (path, *path.parents) if not disk.exists(each)]
    for each in reversed(missing):
        disk.make_directory(each)
        disk.sync_directory(each.parent)
