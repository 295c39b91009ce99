"""How many calls may be under way at once: additive increase, multiplicative decrease, earlier steps first.

Loss-based: a refusal (429) lowers the limit by a fifth, a window of successes raises it by four (doubles it, before
the first refusal). Latency is no signal: a long answer is not congestion. After a decrease the limit is held for the
time of one answer, at most a second: refusals in that time answer calls sent before, so they lower nothing further, but
the places that they free stay empty. Otherwise a server that refuses quickly would be asked again at once, and its
refusals would outnumber its answers. A hold longer than an answer would let rare refusals at random drive the limit
down to one.
"""

from __future__ import annotations

import asyncio
import heapq
from itertools import count

Priority = tuple[int, ...]

INCREASE = 4
DECREASE = 0.8
LONGEST_HOLD_S = 1.0
_WEIGHT = 0.1
START = 32
"""Where an unknown server's limit is first looked for; the profile's limit is where the search ends."""


class ConcurrencyLimit:
    """Places for calls. A freed place goes to the waiter of the lowest priority, in order of arrival."""

    __slots__ = (
        "_answer_s", "_held", "_in_flight", "_is_holding", "_is_searching", "_limit", "_maximum", "_sequence",
        "_successes", "_waiting",
    )  # fmt: skip

    def __init__(self, maximum: int) -> None:
        self._maximum = maximum
        self._limit = float(min(maximum, START))
        self._in_flight = 0
        self._successes = 0
        self._is_holding = False
        self._is_searching = True
        self._held = 0
        self._answer_s = LONGEST_HOLD_S
        self._sequence = count()
        self._waiting: list[tuple[Priority, int, asyncio.Future[None]]] = []

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
        if self._waiting or self._in_flight + self._held >= int(self._limit):
            return False
        self._in_flight += 1
        return True

    async def acquire(self, priority: Priority) -> None:
        """Take a place, waiting for one; lower priorities first. A cancellation gives up the place in the queue."""
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

    def succeeded(self, latency_s: float) -> None:
        """A call went through in that time: a window full of them raises the limit."""
        self._answer_s += (latency_s - self._answer_s) * _WEIGHT
        if self._is_holding or self._limit >= self._maximum:
            return
        self._successes += 1
        if self._successes >= self._limit:
            self._successes = 0
            self._limit = min(float(self._maximum), self._limit + (self._limit if self._is_searching else INCREASE))
            self._wake()

    def refused(self) -> None:
        """The server said that there were too many; called before the place is given back."""
        self._successes = 0
        self._held += 1
        if not self._is_holding:
            self._is_holding = True
            self._is_searching = False
            self._limit = max(1.0, self._limit * DECREASE)
            asyncio.get_running_loop().call_later(min(LONGEST_HOLD_S, self._answer_s), self._end_hold)

    def _end_hold(self) -> None:
        self._is_holding = False
        self._held = 0
        self._wake()

    def _wake(self) -> None:
        while self._waiting and self._in_flight + self._held < int(self._limit):
            _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():
                self._in_flight += 1
                turn.set_result(None)
