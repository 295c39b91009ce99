"""Syncing in a thread while the journal's owner goes on appending. Used by the log; `run` is called by the engine."""

from __future__ import annotations

from threading import Lock

from maker_dsl.journal.disk import File


class Syncing:
    """What the syncs of one journal share: they take turns, and after one has failed none is made.

    Linux reports a failed write-back to one caller only; a second sync of the same file would return success.
    """

    __slots__ = ("error", "lock")

    def __init__(self) -> None:
        self.lock = Lock()
        self.error: OSError | None = None


class SyncTicket:
    """A sync of all records below `below`: `run` in any thread, then `Journal.finish_sync` where the journal lives."""

    __slots__ = ("_file", "_syncing", "below", "error", "is_done")

    def __init__(self, file: File, below: int, syncing: Syncing) -> None:
        self._file: File | None = file
        self._syncing = syncing
        self.below = below
        self.error: OSError | None = None
        self.is_done = False

    def run(self) -> None:
        """Block until the records are on disk. A failure is kept for `finish_sync`, never raised here."""
        with self._syncing.lock:
            if self._file is None or self.is_done:
                return
            if self._syncing.error is None:
                try:
                    self._file.sync()
                except OSError as error:
                    self._syncing.error = error
            self.error = self._syncing.error
            self.is_done = True

    def release(self) -> None:
        """Wait for a `run` under way in another thread; a later one does nothing."""
        with self._syncing.lock:
            self._file = None
