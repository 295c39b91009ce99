"""Time as an argument: the real clock, and virtual time for tests and rehearsals.

Virtual time lives in the event loop: `VirtualLoop` never waits, it jumps to the next timer as soon as every task is
asleep. Whatever sleeps through `asyncio` (time-outs of libraries included) then runs in no time and in exact order.
Rejected: a clock with a queue of sleepers of its own, which has to guess when everybody sleeps.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Coroutine
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Clock(Protocol):
    """What the gateway knows of time."""

    def now_s(self) -> float:
        """Seconds since some fixed moment; never goes back."""
        ...

    async def sleep(self, duration_s: float) -> None:
        """Wait that long."""
        ...


class SystemClock:
    """The machine's monotonic clock."""

    __slots__ = ()

    now_s = staticmethod(time.monotonic)

    async def sleep(self, duration_s: float) -> None:
        """Wait that long; cancellation leaves nothing behind."""
        await asyncio.sleep(duration_s)


class FakeClock:
    """Virtual time from 0; only inside `run_virtually`."""

    __slots__ = ()

    def now_s(self) -> float:
        """Seconds since `run_virtually` began."""
        return asyncio.get_running_loop().time()

    async def sleep(self, duration_s: float) -> None:
        """Wait that long in virtual time."""
        await asyncio.sleep(duration_s)


class _JumpingSelector(selectors.DefaultSelector):
    """Instead of waiting for a time-out, moves the time on by it."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0

    def select(self, timeout: float | None = None) -> Any:
        """What is ready now; else jump."""
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise RuntimeError("everything waits, and no timer will ever wake it")
            self.now_s += max(timeout, 0.0)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time jumps to the next timer when every task is asleep. Does no real I/O."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._jumping.now_s


def run_virtually(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` to its end in virtual time and return what it returns."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
