"""The loop over the steps of a frame, and of the sub-runs that its steps begin.

Used by `run`. The sub-runs of a step go side by side, each in a task of its own whose owner is the step; where the
provider answers without waiting that would gain nothing, and they go one after the other. Whatever ends one of them
early ends the run: the first such thing counts, all others are cancelled, and the journal has what is needed to go on.

Invariant: a sub-run is in the journal before its first sample is drawn; a step is begun only if it may be finished
within the limits, those under way counted.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TypeVar

from maker_dsl.engine.composition import bound_task, composed_state, open_runs
from maker_dsl.engine.frame import Frame, Unit
from maker_dsl.engine.kind import max_tokens_of
from maker_dsl.engine.origin import sub_run_record
from maker_dsl.engine.recorder import Recorder
from maker_dsl.engine.records import ComposedRecord, ReturnRecord, RunStatus
from maker_dsl.engine.report import Observer
from maker_dsl.engine.run_state import hash_state
from maker_dsl.engine.settings import Caps
from maker_dsl.engine.step import Decider, Undecided
from maker_dsl.engine.turns import turns_of
from maker_dsl.engine.under_way import StepsUnderWay
from maker_dsl.providers.ledger import BudgetExhausted
from maker_dsl.task import RunStep, State, Task

STEPS_PER_BREATH = 32
"""How many quick steps are taken before others in the event loop (signals, displays) get their turn."""

MOST_LIVE_FRAMES = 512
"""How many sub-runs may be live before a step has but one at a time, so that memory stays bounded."""

SPACE_PER_STEP_BYTES = 1 << 16
"""Room that must be on the disk before a step begins, beside that for the texts of its replies."""

MOST_SPACE_BYTES = 1 << 24
"""The most room that steps side by side ask for beforehand."""

BYTES_PER_TOKEN = 16
UNCAPPED_TOKENS = 8_192


@dataclass(frozen=True, slots=True)
class Stop:
    """Why a run stops before it is done, where that is no exception."""

    status: RunStatus
    reason: str | None


Ending = TypeVar("Ending", Stop, Exception)


class Loop:
    """Works on the frames of a run. `stop_reason` is set by whoever wants it to stop."""

    def __init__(self, decider: Decider, recorder: Recorder, caps: Caps, observer: Observer | None) -> None:
        self.stop_reason: str | None = None
        self.ended: Stop | Exception | None = None
        """What ended the run first."""
        self.stopped_at: Frame | None = None
        """Where that was."""
        self._decider = decider
        self._recorder = recorder
        self._run = recorder.fold.run
        self._caps = caps
        self._observer = observer
        self._until_breath = STEPS_PER_BREATH
        self._under_way = StepsUnderWay()

    async def work(self, frame: Frame) -> Stop | None:
        """Take one step of a frame after the other; returns None when its task is done.

        Raises what `Decider.decide` raises. A cancellation leaves everything in the journal that is needed to go on.
        """
        task, decider, recorder, observer = frame.task, self._decider, self._recorder, self._observer
        under_way = self._under_way
        assert task is not None
        slots = max((int(policy.ahead_by.value or 1) for policy in frame.policies.values()), default=1)
        tokens = max(
            (max_tokens_of(one) or decider.max_tokens or UNCAPPED_TOKENS for one in frame.policies.values()), default=0
        )
        space = SPACE_PER_STEP_BYTES + BYTES_PER_TOKEN * 2 * slots * tokens
        try:
            while True:
                state = frame.state
                assert state is not None
                if task.is_done(state):
                    return None
                if under_way.count:
                    await self._wait_for_room()
                stop = self.obstacle(frame)
                if stop is not None:
                    return stop
                step = task.next_step(state)
                if isinstance(step, RunStep):
                    stop = await self._compose(frame, task, step)
                    if stop is not None:
                        return stop
                else:
                    under_way.count += 1
                    outcome = None
                    try:
                        recorder.reserve_space(max(space, min(space * under_way.count, MOST_SPACE_BYTES)))
                        outcome = await decider.decide(frame, step, state)
                    except BudgetExhausted:
                        if under_way.count == 1:
                            raise
                    finally:
                        under_way.over(has_freed=outcome is not None)
                    if outcome is None:
                        # What other steps hold at their worst may be left over when they are done.
                        await under_way.wait()
                        continue
                    if isinstance(outcome, Undecided):
                        return self.end(Stop("undecided", outcome.reason), frame)
                    if observer is not None:
                        observer.decided(outcome)
                recorder.flush()
                await recorder.keep_pace()
                self._until_breath -= 1
                if not self._until_breath:
                    self._until_breath = STEPS_PER_BREATH
                    await asyncio.sleep(0)
        except Exception as error:
            self.end(error, frame)
            raise

    def end(self, what: Ending, frame: Frame) -> Ending:
        """Take note of what ends the run, unless something else has done so already."""
        if self.ended is None:
            self.ended = what
            self.stopped_at = frame
        return what

    def obstacle(self, frame: Frame) -> Stop | None:
        """What bars a frame's next step; raises what has ended the run elsewhere."""
        if self.ended is not None:
            if isinstance(self.ended, Exception):
                raise self.ended
            return self.ended
        if self.stop_reason is not None:
            return self.end(Stop("interrupted", self.stop_reason), frame)
        caps = self._caps
        if caps.max_steps is not None and self._run.totals.steps >= caps.max_steps:
            return self.end(Stop("limit", f"the limit --max-steps {caps.max_steps} is reached"), frame)
        if caps.max_seconds is not None and self._recorder.worked_s >= caps.max_seconds:
            return self.end(Stop("limit", f"the limit max_seconds {caps.max_seconds:g} is reached"), frame)
        return None

    async def _wait_for_room(self) -> None:
        """Wait while the steps under way use up what is left of `--max-steps`."""
        most, under_way = self._caps.max_steps, self._under_way
        while most is not None and under_way.count and self._run.totals.steps + under_way.count >= most:
            await under_way.wait()

    # Steps that run tasks ---------------------------------------------------------------------------------------------

    async def _compose(self, frame: Frame, task: Task, step: RunStep) -> Stop | None:
        """Carry out the sub-runs of a frame's step that are not done, then take their results over."""
        runs = open_runs(frame)
        missing = deque(unit for unit in runs.units() if unit not in runs.results)
        if self._decider.answers_at_once:
            for unit in missing:
                child = self.begin(frame, unit)
                stop = await self.finish(child) if isinstance(child, Frame) else child
                if stop is not None:
                    return stop
        elif missing:
            await _SideBySide(self, frame, missing).go()
        if self._under_way.count:
            await self._wait_for_room()
        stop = self.obstacle(frame)
        if stop is not None:
            return stop
        following: State = composed_state(frame)
        state_hash = hash_state(task.state_codec.dump(following))
        self._recorder.composed(ComposedRecord(frame.index, step.name, state_hash, frame.number), following)
        return None

    @property
    def may_begin_more(self) -> bool:
        """Whether a step that has a live sub-run may begin another: few are live, and steps are left for it."""
        most = MOST_LIVE_FRAMES
        if self._caps.max_steps is not None:
            most = min(most, self._caps.max_steps - self._run.totals.steps)
        return self.ended is None and len(self._run.frames) <= most

    def begin(self, frame: Frame, unit: Unit) -> Frame | Stop:
        """The frame of a sub-run of a frame's step, begun if it is not live already. Raises TaskError."""
        runs = open_runs(frame)
        live = runs.live.get(unit)
        if live is not None:
            return live
        most = self._caps.max_depth
        if frame.depth >= most:
            name = runs.sub_task(unit)[0].task
            chain = _shown_chain((*(each.task_name for each in frame.line()), name))
            return self.end(Stop("limit", f"the limit --max-depth {most} is reached: {chain}"), frame)
        task = bound_task(frame, unit)
        record = sub_run_record(self._run, frame, unit, task)
        for name, policy in record.policies.items():
            ahead_by, samples = policy.ahead_by, policy.max_samples
            if turns_of(policy).most_samples < (ahead_by.value or 1):
                told = (
                    f"{frame.place()}step {frame.index + 1:,} runs `{task.name}`, whose step `{name}` can never be "
                    f"decided: {ahead_by.value} votes ahead ({ahead_by.origin}) with at most {samples.value} samples "
                    f"({samples.origin})"
                )
                return self.end(Stop("undecided", told), frame)
        return self._recorder.sub_run(record, task)

    async def finish(self, frame: Frame) -> Stop | None:
        """Work on a sub-run until it has returned. Raises as `work`."""
        stop = await self.work(frame)
        if stop is None:
            task, state = frame.task, frame.state
            assert task is not None
            assert state is not None
            try:
                result = task.result_codec.dump(task.result(state)).decode()
            except Exception as error:
                self.end(error, frame)
                raise
            self._decider.forget(frame)
            self._recorder.returned(ReturnRecord(frame.number, result, frame.steps))
        return stop


class _SideBySide:
    """The sub-runs of one step, side by side: one at least, more while the run has few live ones."""

    def __init__(self, loop: Loop, frame: Frame, missing: deque[Unit]) -> None:
        self._loop = loop
        self._frame = frame
        self._missing = missing
        self._is_starting = False
        self._live = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def go(self) -> None:
        """Carry them out. What ends the run is left in `Loop.ended`; a cancellation cancels them all."""
        async with asyncio.TaskGroup() as group:
            self._start(group)

    def _start(self, group: asyncio.TaskGroup) -> None:
        """Start the next one, which starts the one after it: so the event loop is never held up by many."""
        if self._missing and not self._is_starting and (self._loop.may_begin_more if self._live else True):
            self._is_starting = True
            task = group.create_task(self._carry_out(group))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _carry_out(self, group: asyncio.TaskGroup) -> None:
        loop = self._loop
        self._is_starting = False
        try:
            child = loop.begin(self._frame, self._missing.popleft())
            if isinstance(child, Frame):
                self._live += 1
                self._start(group)
                await loop.finish(child)
                self._live -= 1
        except Exception as error:
            # Raised again by the step that waits for the whole, without a group around it.
            loop.end(error, self._frame)
        if loop.ended is None:
            self._start(group)
        else:
            self._cancel_others()

    def _cancel_others(self) -> None:
        current = asyncio.current_task()
        for task in self._tasks:
            if task is not current:
                task.cancel()


def _shown_chain(names: tuple[str, ...], most: int = 8) -> str:
    """`sum → split → … → split`: the tasks from the run's own down, runs of the same one counted."""
    links: list[tuple[str, int]] = []
    for name in names:
        if links and links[-1][0] == name:
            links[-1] = (name, links[-1][1] + 1)
        else:
            links.append((name, 1))
    shown = [f"`{name}`" + ("" if times == 1 else f" ({times:,} times)") for name, times in links]
    if len(shown) > most:
        shown = [*shown[: most // 2], f"… {len(shown) - most:,} more …", *shown[-(most // 2) :]]
    return " → ".join(shown)
