"""Looking at a run from its directory, without a lock and without a model: what its records say, and where it stands.

Used by `maker status`, `maker runs` and `story`. A process may be at work on the run all the while.
"""

from __future__ import annotations

from collections.abc import Iterator

from maker_dsl.engine.checkpoint import restore
from maker_dsl.engine.encoding import decode
from maker_dsl.engine.fold import Fold
from maker_dsl.engine.frame import Frame
from maker_dsl.engine.records import Event, RunRecord
from maker_dsl.engine.report import LiveFrame, Status, odds_of_run, progress_of, voters_of, wordings_of
from maker_dsl.engine.run_state import FoldError, RunState, begin
from maker_dsl.engine.start import read_run_record
from maker_dsl.journal.errors import JournalMissing
from maker_dsl.journal.format import Position
from maker_dsl.journal.run_directory import RunDirectory
from maker_dsl.task import Task


def read_status(directory: RunDirectory) -> Status:
    """Where a run stands, from its newest snapshot and what came after. Raises JournalError, RecordUnreadable."""
    run = _read_run(directory)
    end = run.end
    live = tuple(map(_live, run.root.live()))
    return Status(
        progress_of(run, run.totals.seconds),
        None if end is None else end.status,
        None if end is None else end.reason,
        run.record.started,
        run.epochs,
        None if end is None else end.result,
        live[0].open_votes,
        live,
        wordings_of(run),
        tuple(run.constraints.values()),
        voters_of(run),
        run.record.plan,
        odds_of_run(run, run.totals.seconds),
    )


def read_events(directory: RunDirectory, start: Position | None = None) -> Iterator[Event]:
    """The events of a run from a place on, oldest first. Raises JournalError, RecordUnreadable."""
    with directory.reader(start) as reader:
        for record in reader.tail():
            yield decode(record.type, record.payload)


def _read_run(directory: RunDirectory) -> RunState:
    snapshots = directory.snapshots.load().good
    newest = snapshots[0] if snapshots else None
    try:
        with directory.reader(None if newest is None else newest.position) as reader:
            fold = None if newest is None else Fold(restore(newest.payload, None))
            for record in reader.tail():
                event = decode(record.type, record.payload)
                if fold is None:
                    fold = Fold(begin_with(event, None))
                else:
                    fold.apply(event)
    except JournalMissing:
        fold = None
    # A run whose process died before it had written a record has its directory alone.
    return begin(read_run_record(directory), None) if fold is None else fold.run


def begin_with(event: Event, task: Task | None) -> RunState:
    """The state of a run after its first event. Raises FoldError."""
    if not isinstance(event, RunRecord):
        raise FoldError("the first record", "a run", type(event).__name__)
    return begin(event, task)


def _live(frame: Frame) -> LiveFrame:
    votes = {} if frame.open is None else dict(frame.open.ballot.votes)
    done = None if frame.runs is None else len(frame.runs.results)
    live = 0 if frame.runs is None else len(frame.runs.live)
    return LiveFrame(frame.address(), frame.task_name, frame.steps, frame.expected_steps, votes, done, live)
