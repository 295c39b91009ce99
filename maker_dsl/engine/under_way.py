"""The steps that are being decided side by side, and the frames that wait until one of them is over.

Used by `loop`. A frame waits here where a limit bars its step only because of what the steps under way may still use.
Invariant: nobody waits while nothing is under way.
"""

from __future__ import annotations

import asyncio
from collections import deque


class StepsUnderWay:
    """Counts the steps under way, and wakes who waits for them."""

    __slots__ = ("_waiting", "count")

    def __init__(self) -> None:
        self.count = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    def over(self, has_freed: bool) -> None:
        """A step is no longer under way; `has_freed` if it gave back what it had set aside and did not use.

        One is woken for every such step; all when none is under way, since then nobody else would.
        """
        self.count -= 1
        waiting = self._waiting
        while waiting and (has_freed or not self.count):
            turn = waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                if self.count:
                    return

    async def wait(self) -> None:
        """Wait until a step is over; only while some are under way. A cancellation gives up the place."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        await turn
