"""Requests and tokens per minute: a bucket that makes callers wait, never refuses them, and keeps to the limit.

The bucket holds a burst of a twentieth of a minute's amount and fills at what is left for the minute, so that no
minute, wherever it begins, sees more than the limit. A taker whose amount is not there yet is told how long to wait;
the bucket then owes (its level is below zero), so that takers go in the order they came without a queue.
"""

from __future__ import annotations

MINUTE_S = 60.0
_BURST = 20


class RateLimit:
    """One limit per minute. Amounts are requests or tokens."""

    __slots__ = ("_burst", "_level", "_per_s", "_seen_s")

    def __init__(self, per_minute: int, now_s: float) -> None:
        self._burst = 1.0 + per_minute // _BURST
        self._per_s = (per_minute - self._burst + 1.0) / MINUTE_S
        self._level = self._burst
        self._seen_s = now_s

    def take(self, amount: float, now_s: float) -> float:
        """Take the amount and say how many seconds to wait before using it.

        An amount larger than the burst waits for a full bucket and is paid off afterwards.
        """
        self._fill(now_s)
        wait_s = max(0.0, (min(amount, self._burst) - self._level) / self._per_s)
        self._level -= amount
        return wait_s

    def give_back(self, amount: float, now_s: float) -> None:
        """What was taken but not used (negative: what was used beyond)."""
        self._fill(now_s)
        self._level = min(self._burst, self._level + amount)

    def _fill(self, now_s: float) -> None:
        self._level = min(self._burst, self._level + (now_s - self._seen_s) * self._per_s)
        self._seen_s = now_s
