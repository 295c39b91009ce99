"""How many calls may be under way at once: additive increase, multiplicative decrease, earlier steps first.

Loss-based: a refusal (429) lowers the limit by a fifth, a window of successes raises it by four. Latency is no signal:
a long answer is not congestion. Refusals within a second of a decrease are answers to calls sent before it and count
once.
"""

from __future__ import annotations

import asyncio
import heapq
from itertools import count

INCREASE = 4
DECREASE = 0.8
HOLD_S = 1.0
START = 32
"""Where an unknown server's limit is first looked for; the profile's limit is where the search ends."""


class ConcurrencyLimit:
    """Places for calls. A freed place goes to the waiter of the lowest priority number, in order of arrival."""

    __slots__ = ("_held_until_s", "_in_flight", "_limit", "_maximum", "_sequence", "_successes", "_waiting")

    def __init__(self, maximum: int) -> None:
        self._maximum = maximum
        self._limit = float(min(maximum, START))
        self._in_flight = 0
        self._successes = 0
        self._held_until_s = float("-inf")
        self._sequence = count()
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []

    @property
    def limit(self) -> int:
        """How many calls may be under way now."""
        return int(self._limit)

    @property
    def in_flight(self) -> int:
        """How many are."""
        return self._in_flight

    def try_acquire(self) -> bool:
        """Take a place if one is free and nobody waits."""
        if self._waiting or self._in_flight >= int(self._limit):
            return False
        self._in_flight += 1
        return True

    async def acquire(self, priority: int) -> None:
        """Take a place, waiting for one; lower numbers first. A cancellation gives up the place in the queue."""
        if self.try_acquire():
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (priority, next(self._sequence), turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.release()
            raise

    def release(self) -> None:
        """Give a place back."""
        self._in_flight -= 1
        self._wake()

    def succeeded(self, now_s: float) -> None:
        """A call went through: a window full of them raises the limit."""
        if now_s < self._held_until_s or self._limit >= self._maximum:
            return
        self._successes += 1
        if self._successes >= self._limit:
            self._successes = 0
            self._limit = min(float(self._maximum), self._limit + INCREASE)
            self._wake()

    def refused(self, now_s: float) -> None:
        """The server said that there were too many."""
        self._successes = 0
        if now_s >= self._held_until_s:
            self._held_until_s = now_s + HOLD_S
            self._limit = max(1.0, self._limit * DECREASE)

    def _wake(self) -> None:
        while self._waiting and self._in_flight < int(self._limit):
            _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():
                self._in_flight += 1
                turn.set_result(None)
