"""A run: the loop over steps, and every way in which it can stop.

Used by `start`, which makes runs and opens them again. Whatever happens, the journal is closed with what is known, so
that the run can be resumed; only a failing disk leaves it as a kill would.
"""

from __future__ import annotations

import asyncio

from maker_dsl.engine.fold import Totals
from maker_dsl.engine.recorder import Recorder
from maker_dsl.engine.records import EndRecord, RunStatus
from maker_dsl.engine.report import Observer, Progress, RunReport, progress_of, report_of
from maker_dsl.engine.settings import Caps
from maker_dsl.engine.step import Decider, Undecided
from maker_dsl.journal.errors import DiskFull, JournalError
from maker_dsl.journal.run_directory import RunLock
from maker_dsl.providers.ledger import BudgetExhausted
from maker_dsl.providers.port import PermanentError, ProviderError
from maker_dsl.task import Task, TaskError, Value

STEPS_PER_BREATH = 32
"""How many quick steps are taken before others in the event loop (signals, displays) get their turn."""

SPACE_PER_STEP_BYTES = 1 << 16
"""Room that must be on the disk before a step begins, beside that for the texts of its replies."""

LONGEST_STATE_SHOWN = 500
BYTES_PER_TOKEN = 16
UNCAPPED_TOKENS = 8_192


class Run:
    """A run at work in this process. `go` is called once; then everything is closed."""

    def __init__(
        self,
        task: Task,
        decider: Decider,
        recorder: Recorder,
        caps: Caps,
        lock: RunLock,
        observer: Observer | None = None,
    ) -> None:
        self._task = task
        self._decider = decider
        self._recorder = recorder
        self._caps = caps
        self._lock = lock
        self._observer = observer
        self._stop_reason: str | None = None
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
        if self._stop_reason is None:
            self._stop_reason = reason
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
            return await self._report(*await self._work())
        except asyncio.CancelledError:
            if self._stop_reason is None:
                await self._report("interrupted", "cancelled")
                raise
            if self._main is not None:
                self._main.uncancel()
            return await self._report("interrupted", self._stop_reason)
        except BudgetExhausted as error:
            return await self._report("limit", str(error))
        except ProviderError as error:
            help = error.help if isinstance(error, PermanentError) else None
            return await self._report("failed", f"{error}; {help}" if help else str(error))
        except DiskFull as error:
            return await self._report("failed", str(error))
        except JournalError as error:
            # What the disk has is unknown: as after a kill, the next resume finds out.
            return self._final("failed", str(error), None)
        except TaskError as error:
            self._task_error = error
            return await self._report("failed", f"{error.diagnostic.title}; the state is {self._state_shown()}")
        finally:
            await self._release()

    async def _work(self) -> tuple[RunStatus, str | None]:
        task, recorder, decider, observer = self._task, self._recorder, self._decider, self._observer
        run, caps = recorder.fold.run, self._caps
        max_steps = caps.max_steps
        space = SPACE_PER_STEP_BYTES + BYTES_PER_TOKEN * 2 * self._slots * (decider.max_tokens or UNCAPPED_TOKENS)
        until_breath = STEPS_PER_BREATH
        while True:
            state = run.state
            assert state is not None
            if task.is_done(state):
                return "done", None
            if self._stop_reason is not None:
                return "interrupted", self._stop_reason
            if max_steps is not None and run.index >= max_steps:
                return "limit", f"the limit --max-steps {max_steps} is reached"
            if caps.max_seconds is not None and recorder.worked_s >= caps.max_seconds:
                return "limit", f"the limit max_seconds {caps.max_seconds:g} is reached"
            recorder.reserve_space(space)
            outcome = await decider.decide(run.index, task.next_step(state), state)
            if isinstance(outcome, Undecided):
                return "undecided", outcome.reason
            if observer is not None:
                observer.decided(outcome)
            recorder.flush()
            await recorder.keep_pace()
            until_breath -= 1
            if not until_breath:
                until_breath = STEPS_PER_BREATH
                await asyncio.sleep(0)

    @property
    def _slots(self) -> int:
        return max(int(policy.ahead_by.value or 1) for policy in self._recorder.fold.run.policies.values())

    def _state_shown(self) -> str:
        state = self._recorder.fold.run.state
        assert state is not None
        text = self._task.state_codec.dump(state).decode()
        return text if len(text) <= LONGEST_STATE_SHOWN else text[:LONGEST_STATE_SHOWN] + "…"

    async def _report(self, status: RunStatus, reason: str | None) -> RunReport:
        """Close the journal with how the run stands. Nothing is reported that is not on disk."""
        run = self._recorder.fold.run
        result: Value = None
        result_json: str | None = None
        if status == "done":
            assert run.state is not None
            result = self._task.result(run.state)
            result_json = self._task.result_codec.dump(result).decode()
        try:
            await self._recorder.stop(EndRecord(status, reason, round(self._recorder.worked_s, 3), result_json))
        except JournalError as error:
            if status == "done" or not isinstance(error, DiskFull):
                return self._final("failed", str(error), None)
        return self._final(status, reason, result)

    def _final(self, status: RunStatus, reason: str | None, result: Value) -> RunReport:
        return report_of(self._recorder.fold.run, status, reason, self._recorder.worked_s, result)

    async def _release(self) -> None:
        await self._recorder.abandon()
        await self._decider.gateway.close()
        self._lock.release()
