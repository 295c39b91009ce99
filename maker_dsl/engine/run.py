"""A run: every way in which it can stop; the loop over its steps is `loop`.

Used by `start`, which makes runs and opens them again. Whatever happens, the journal is closed with what is known, so
that the run can be resumed; only a failing disk leaves it as a kill would.
"""

from __future__ import annotations

import asyncio

from maker_dsl.engine.constraints import tokens_by_profile
from maker_dsl.engine.frame import Frame
from maker_dsl.engine.loop import Loop
from maker_dsl.engine.recorder import Recorder
from maker_dsl.engine.records import EndRecord, RunStatus
from maker_dsl.engine.report import Observer, Progress, RunReport, progress_of, report_of
from maker_dsl.engine.run_state import Totals
from maker_dsl.engine.settings import Caps
from maker_dsl.engine.step import Decider
from maker_dsl.journal.errors import DiskFull, JournalError
from maker_dsl.journal.run_directory import RunLock
from maker_dsl.providers.ledger import BudgetExhausted
from maker_dsl.providers.port import PermanentError, ProviderError
from maker_dsl.task import TaskError, Value

LONGEST_STATE_SHOWN = 500


class Run:
    """A run at work in this process. `go` is called once; then everything is closed."""

    def __init__(
        self,
        decider: Decider,
        recorder: Recorder,
        caps: Caps,
        lock: RunLock,
        observer: Observer | None = None,
    ) -> None:
        self._decider = decider
        self._recorder = recorder
        self._lock = lock
        self._observer = observer
        self._loop = Loop(decider, recorder, caps, observer)
        self._main: asyncio.Task[object] | None = None
        self._task_error: TaskError | None = None

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self._recorder.fold.run.record.run

    @property
    def progress(self) -> Progress:
        """Where the run stands now."""
        return progress_of(self._recorder.fold.run, self._recorder.worked_s)

    @property
    def totals(self) -> Totals:
        """The counts so far; to be looked at, not to be kept."""
        return self._recorder.fold.run.totals

    @property
    def task_error(self) -> TaskError | None:
        """What is wrong in the task's text, where that stopped the run."""
        return self._task_error

    def stop(self, reason: str = "stopped on request") -> None:
        """Ask the run to stop cleanly, from the thread of its event loop; calls under way are abandoned."""
        if self._loop.stop_reason is None:
            self._loop.stop_reason = reason
            if self._main is not None:
                self._main.cancel()

    async def go(self) -> RunReport:
        """Work on the run until it is done or something stops it, then close it.

        Where the task's own text fails, the run ends as `failed`, and `task_error` says where in the text. A
        cancellation that `stop` didn't ask for ends the run as interrupted, closed and resumable, and goes on.
        """
        self._main = asyncio.current_task()
        if self._observer is not None:
            self._observer.started(self)
        try:
            if self._has_work():
                root = self._recorder.fold.run.root
                await self._decider.constraints.prove(tokens_by_profile(root.policies))
            stop = await self._loop.work(self._recorder.fold.run.root)
            return await (self._report("done", None) if stop is None else self._report(stop.status, stop.reason))
        except asyncio.CancelledError:
            if self._loop.stop_reason is None:
                await self._report("interrupted", "cancelled")
                raise
            if self._main is not None:
                self._main.uncancel()
            return await self._report("interrupted", self._loop.stop_reason)
        except BudgetExhausted as error:
            return await self._report("limit", str(error))
        except ProviderError as error:
            help = error.help if isinstance(error, PermanentError) else None
            return await self._report("failed", self._place() + (f"{error}; {help}" if help else str(error)))
        except DiskFull as error:
            return await self._report("failed", str(error))
        except JournalError as error:
            # What the disk has is unknown: as after a kill, the next resume finds out.
            return self._final("failed", str(error), None)
        except TaskError as error:
            self._task_error = error
            told = f"{self._place()}{error.diagnostic.title}; the state is {self._state_shown()}"
            return await self._report("failed", told)
        finally:
            await self._release()

    def _has_work(self) -> bool:
        """Whether the first step may be begun: else nothing needs to be known of any provider."""
        root = self._recorder.fold.run.root
        assert root.task is not None
        assert root.state is not None
        return not root.task.is_done(root.state) and self._loop.obstacle(root) is None

    @property
    def _stopped_at(self) -> Frame:
        return self._loop.stopped_at or self._recorder.fold.run.root

    def _place(self) -> str:
        """Which step of which sub-run it was; nothing where it was the run itself."""
        frame = self._stopped_at
        return "" if frame.parent is None else f"{frame.place()}step {frame.index + 1:,}: "

    def _state_shown(self) -> str:
        frame = self._stopped_at
        assert frame.task is not None
        assert frame.state is not None
        text = frame.task.state_codec.dump(frame.state).decode()
        return text if len(text) <= LONGEST_STATE_SHOWN else text[:LONGEST_STATE_SHOWN] + "…"

    async def _report(self, status: RunStatus, reason: str | None) -> RunReport:
        """Close the journal with how the run stands. Nothing is reported that is not on disk."""
        run = self._recorder.fold.run
        result: Value = None
        result_json: str | None = None
        if status == "done":
            task, state = run.root.task, run.root.state
            assert task is not None
            assert state is not None
            result = task.result(state)
            result_json = task.result_codec.dump(result).decode()
        try:
            await self._recorder.stop(EndRecord(status, reason, round(self._recorder.worked_s, 3), result_json))
        except JournalError as error:
            if status == "done" or not isinstance(error, DiskFull):
                return self._final("failed", str(error), None)
        return self._final(status, reason, result)

    def _final(self, status: RunStatus, reason: str | None, result: Value) -> RunReport:
        return report_of(self._recorder.fold.run, status, reason, self._recorder.worked_s, result, self._stopped_at)

    async def _release(self) -> None:
        await self._recorder.abandon()
        await self._decider.gateways.close()
        self._lock.release()
