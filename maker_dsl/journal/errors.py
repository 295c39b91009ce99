"""How the journal fails. Every exception carries its facts as attributes.

JournalError
├── JournalMissing    there is no journal in that directory
├── NotAJournal       the files there are something else
├── JournalTooNew     written by a later version of maker
├── JournalDamaged    bytes that were proven to be on disk are gone or changed; refused with the place
├── DiskFull          no room; nothing is lost, the same call may be made again once there is room
├── JournalFailed     a write or a sync failed; this journal object takes nothing more
├── JournalFenced     another process has taken over the run; this writer must end
└── RunError
    ├── RunBusy       another process is writing to the run
    ├── RunNotFound   no run of that name
    ├── RunAmbiguous  several runs begin like that
    └── RunUnreadable the directory is not a run of ours, or of a later version
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


class JournalError(Exception):
    """The root of all that can go wrong with runs on disk."""


class JournalMissing(JournalError):
    """There is no journal in `directory`."""

    def __init__(self, directory: Path) -> None:
        super().__init__(f"there is no journal in {directory}")
        self.directory = directory


class NotAJournal(JournalError):
    """`path` does not begin as a segment of a journal does."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is not a journal of maker")
        self.path = path


class JournalTooNew(JournalError):
    """`path` was written in format `version`; this program reads up to `supported`."""

    def __init__(self, path: Path, version: int, supported: int) -> None:
        super().__init__(
            f"{path} was written by a newer version of maker (format {version}; this one reads up to {supported}): "
            "upgrade maker-dsl to go on with this run"
        )
        self.path = path
        self.version = version
        self.supported = supported


class JournalDamaged(JournalError):
    """Bytes that had reached the disk are no longer what was written.

    `sequence` is the first record concerned, at `offset` bytes into `path`; `reason` says what is wrong with it and
    `proof` how it is known that the record had been there.
    """

    def __init__(self, path: Path, segment: int, offset: int, sequence: int, reason: str, proof: str) -> None:
        super().__init__(
            f"the journal is damaged: record {sequence}, {path} at byte {offset}: {reason} ({proof}). "
            "Nothing was changed; restore the file from a copy"
        )
        self.path = path
        self.segment = segment
        self.offset = offset
        self.sequence = sequence
        self.reason = reason
        self.proof = proof


class DiskFull(JournalError):
    """There was no room for `needed` bytes at `path`. The journal holds on to what it has taken; try again."""

    def __init__(self, path: Path, needed: int, free: int | None) -> None:
        left = "" if free is None else f", {free:,} are free"
        super().__init__(f"the disk is full: {needed:,} more bytes are needed for {path}{left}")
        self.path = path
        self.needed = needed
        self.free = free


class JournalFailed(JournalError):
    """Writing or syncing `path` failed. What was acknowledged as durable stays so; everything else is unknown.

    A failed sync is never repeated: the system may have dropped the data and report success the second time.
    """

    def __init__(self, path: Path, doing: str, error: OSError) -> None:
        super().__init__(f"{doing} {path} failed: {error.strerror or error}; end this process and resume the run")
        self.path = path
        self.doing = doing
        self.error = error


class JournalFenced(JournalError):
    """Another process has opened the run for writing since (`epoch` was ours)."""

    def __init__(self, directory: Path, epoch: int) -> None:
        super().__init__(f"another process has taken over the run in {directory}")
        self.directory = directory
        self.epoch = epoch


class RunError(JournalError):
    """The root of what can be wrong with a run directory."""


class RunBusy(RunError):
    """The process `pid` is writing to the run (None where the lock does not say)."""

    def __init__(self, directory: Path, pid: int | None) -> None:
        who = "another process" if pid is None else f"process {pid}"
        super().__init__(f"the run {directory.name} is in use by {who}")
        self.directory = directory
        self.pid = pid


class RunNotFound(RunError):
    """No run in `runs_directory` is called, or begins with, `name`."""

    def __init__(self, runs_directory: Path, name: str) -> None:
        what = "there are no runs yet" if name == "last" else f"there is no run `{name}`"
        super().__init__(f"{what} in {runs_directory}")
        self.runs_directory = runs_directory
        self.name = name


class RunAmbiguous(RunError):
    """Several runs begin with `name`: `candidates`."""

    def __init__(self, name: str, candidates: Sequence[str]) -> None:
        shown = ", ".join(candidates[:5]) + (", …" if len(candidates) > 5 else "")
        super().__init__(f"`{name}` could be {len(candidates)} runs: {shown}")
        self.name = name
        self.candidates = tuple(candidates)


class RunUnreadable(RunError):
    """The files of the run in `directory` cannot be used: `reason`."""

    def __init__(self, directory: Path, reason: str) -> None:
        super().__init__(f"the run in {directory} cannot be read: {reason}")
        self.directory = directory
        self.reason = reason
