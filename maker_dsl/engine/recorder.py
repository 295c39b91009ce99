"""Journal first: takes an event into the journal, then folds it; keeps syncs and snapshots up with the run.

Used by the run loop, which lives in one thread; only the waiting for the disk happens in another. Invariants: nothing
is folded that the journal has not taken; while a sync is under way no more than `WINDOW` decisions are taken; a
snapshot never stands for records that are not on disk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from maker_dsl.engine.checkpoint import checkpoint
from maker_dsl.engine.encoding import encode
from maker_dsl.engine.fold import Fold
from maker_dsl.engine.frame import Frame
from maker_dsl.engine.records import (
    CallRecord,
    ComposedRecord,
    ConstraintRecord,
    DecisionRecord,
    EndRecord,
    GrantRecord,
    ResumedRecord,
    ReturnRecord,
    RunRecord,
    SubRunRecord,
)
from maker_dsl.journal.errors import DiskFull, JournalError
from maker_dsl.journal.format import Position
from maker_dsl.journal.log import Journal
from maker_dsl.journal.snapshot import SnapshotStore
from maker_dsl.journal.sync_ticket import SyncTicket
from maker_dsl.judging import Vote
from maker_dsl.task import State, Task

WINDOW = 4096
"""Decisions that may be taken while a sync is under way."""


@dataclass(frozen=True, slots=True)
class Pace:
    """When to sync and to take snapshots. Without `in_thread` the run waits for the disk (tests in virtual time)."""

    sync_decisions: int = 512
    sync_s: float = 0.05
    snapshot_decisions: int = 1_000
    snapshot_s: float = 10.0
    snapshot_least: int = 250
    """A snapshot for reasons of time stands for at least this many decisions."""
    in_thread: bool = True


class Recorder:
    """Writes a run's events and folds them. Raises DiskFull, JournalFailed and JournalFenced as the journal does."""

    def __init__(
        self,
        journal: Journal,
        snapshots: SnapshotStore,
        fold: Fold,
        now_s: Callable[[], float],
        pace: Pace,
    ) -> None:
        self.fold = fold
        self._journal = journal
        self._snapshots = snapshots
        self._now_s = now_s
        self._pace = pace
        self._pool: ThreadPoolExecutor | None = None
        self._syncing: tuple[SyncTicket, Future[None]] | None = None
        self._saving: Future[None] | None = None
        self._to_save: tuple[bytes, Position] | None = None
        self._unsynced = 0
        self._synced_s = self._saved_s = now_s()
        self._unsaved = 0
        self._worked_before_s = fold.run.totals.seconds
        self._began_s = now_s()

    @property
    def worked_s(self) -> float:
        """How long the run has been worked on, all processes together."""
        return self._worked_before_s + self._now_s() - self._began_s

    def reserve_space(self, size: int) -> None:
        """Make sure that the next records fit, or raise DiskFull before anything is paid."""
        self._journal.reserve_space(size)

    def call(self, call: CallRecord, judged: tuple[Vote | None, ...] = ()) -> None:
        """Take and fold a call."""
        self._journal.append(*encode(call))
        self.fold.call(call, judged)

    def decision(self, decision: DecisionRecord, following: State) -> None:
        """Take and fold a decision."""
        self._journal.append(*encode(decision))
        self.fold.decision(decision, following)
        self._count()

    def sub_run(self, sub_run: SubRunRecord, task: Task) -> Frame:
        """Take and fold the beginning of a sub-run."""
        self._journal.append(*encode(sub_run))
        self._count()
        return self.fold.sub_run(sub_run, task)

    def returned(self, returned: ReturnRecord) -> None:
        """Take and fold the end of a sub-run."""
        self._journal.append(*encode(returned))
        self.fold.returned(returned)
        self._count()

    def composed(self, composed: ComposedRecord, following: State) -> None:
        """Take and fold the results of a step's sub-runs."""
        self._journal.append(*encode(composed))
        self.fold.composed(composed, following)
        self._count()

    def _count(self) -> None:
        self._unsynced += 1
        self._unsaved += 1

    def constraint(self, constraint: ConstraintRecord) -> None:
        """Take and fold what came of constrained decoding."""
        self._journal.append(*encode(constraint))
        self.fold.constraint(constraint)

    def grant(self, grant: GrantRecord) -> None:
        """Take and fold a grant; on disk when this returns."""
        self._journal.append(*encode(grant))
        self._journal.sync()
        self.fold.grant(grant)

    def begin(self, record: RunRecord | ResumedRecord) -> None:
        """Take the record with which a process begins its work; on disk when this returns."""
        self._journal.append(*encode(record))
        self._journal.sync()
        if isinstance(record, ResumedRecord):
            self.fold.resumed(record)

    def flush(self) -> None:
        """Hand all that was taken to the system, so that it survives a kill."""
        self._journal.flush()

    async def keep_pace(self) -> None:
        """Sync and snapshot if it is time; to be called between two steps. Waits only if the window is full.

        Sub-runs side by side may all wait here for one sync: whoever is first takes note of its end.
        """
        pace = self._pace
        syncing = self._syncing
        if syncing is not None:
            if not syncing[1].done():
                if self._unsynced < WINDOW:
                    return
                await _wait_for(syncing[1])
            if self._syncing is syncing:
                self._finish_sync()
            if self._syncing is not None:
                return
        now_s = self._now_s()
        if self._unsynced < pace.sync_decisions and now_s - self._synced_s < pace.sync_s:
            return
        if self._saving is not None and self._saving.done():
            self._finish_saving()
        due = self._unsaved >= pace.snapshot_decisions or (
            self._unsaved >= pace.snapshot_least and now_s - self._saved_s >= pace.snapshot_s
        )
        if due and self._saving is None and self._to_save is None:
            self._take_snapshot(now_s)
        self._begin_sync(now_s)

    async def stop(self, end: EndRecord) -> None:
        """Take the end of this process's work, write a last snapshot, sync and close."""
        await self.settle()
        self._journal.append(*encode(end))
        self.fold.end(end)
        self._journal.sync()
        if self.fold.run.root.open is None:
            # A snapshot only spares time: without room for one the run is as safe as before.
            with suppress(DiskFull):
                self._snapshots.write(self._payload(), self._journal.position, self._journal.durable_below)
        self._journal.close()

    async def abandon(self) -> None:
        """Give everything back, whatever state it is in; after `stop` there is nothing left to do."""
        with suppress(JournalError):
            await self.settle()
        with suppress(JournalError):
            self._journal.close()

    async def settle(self) -> None:
        """Wait for work in the other thread and end the thread."""
        if self._syncing is not None:
            await _wait_for(self._syncing[1])
            self._finish_sync()
        if self._saving is not None:
            await _wait_for(self._saving)
            self._finish_saving()
        if self._pool is not None:
            self._pool.shutdown(wait=True)
            self._pool = None

    def _payload(self) -> bytes:
        self.fold.run.totals.seconds = self.worked_s
        return checkpoint(self.fold.run)

    def _take_snapshot(self, now_s: float) -> None:
        self._to_save = (self._payload(), self._journal.position)
        self._unsaved = 0
        self._saved_s = now_s

    def _begin_sync(self, now_s: float) -> None:
        ticket = self._journal.begin_sync()
        self._unsynced = 0
        self._synced_s = now_s
        if not self._pace.in_thread:
            ticket.run()
            self._journal.finish_sync(ticket)
            self._save_in_turn()
            return
        if self._pool is None:
            self._pool = ThreadPoolExecutor(1, "maker-journal")
        self._syncing = (ticket, self._pool.submit(ticket.run))

    def _finish_sync(self) -> None:
        assert self._syncing is not None
        ticket, _ = self._syncing
        self._syncing = None
        self._journal.finish_sync(ticket)
        self._save_in_turn()

    def _save_in_turn(self) -> None:
        """Write the snapshot that waits for its records to be on disk."""
        if self._to_save is None or self._to_save[1].sequence > self._journal.durable_below:
            return
        payload, position = self._to_save
        self._to_save = None
        durable_below = self._journal.durable_below
        if self._pool is None:
            with suppress(DiskFull):
                self._snapshots.write(payload, position, durable_below)
        else:
            self._saving = self._pool.submit(self._snapshots.write, payload, position, durable_below)

    def _finish_saving(self) -> None:
        assert self._saving is not None
        saving, self._saving = self._saving, None
        error = saving.exception()
        if error is not None and not isinstance(error, DiskFull):
            raise error


async def _wait_for(future: Future[None]) -> None:
    """Wait until work in the other thread is over, whatever came of it. A cancellation leaves the work alone."""
    if not future.done():
        waiter = asyncio.wrap_future(future)
        await asyncio.wait([waiter])
        waiter.exception()
