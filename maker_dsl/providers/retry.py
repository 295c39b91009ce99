"""When to try again, and when to give up: exponential backoff with full jitter, never earlier than the server asked."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from maker_dsl.providers.port import ProviderError, TransientError

FIRST_CONTACT_ATTEMPTS = 4
"""How often a server that never answered is tried: a wrong address should not take minutes to find out."""

_LEAST_JITTER_S = 0.05


class ProviderUnavailable(ProviderError):
    """Attempt after attempt failed. The run stops and can be resumed; `last` is the last failure."""

    def __init__(self, last: TransientError, attempts: int, elapsed_s: float) -> None:
        tries = "1 attempt" if attempts == 1 else f"{attempts} attempts in {elapsed_s:.0f} s"
        asked_s = last.retry_after_s
        super().__init__(
            f"gave up after {tries}: {last}" + (f" (it asks to wait {asked_s:.0f} s)" if asked_s else ""),
            kind="unavailable",
            status=last.status,
        )
        self.last = last
        self.attempts = attempts
        self.elapsed_s = elapsed_s


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long a request is tried. Refusals for too many requests (429) count against the time alone."""

    attempts: int = 12
    max_elapsed_s: float = 600.0
    first_backoff_s: float = 0.5
    max_backoff_s: float = 60.0

    def backoff_s(self, failures: int, error: TransientError, random: Random) -> float:
        """The wait after the `failures`th failure (from 1): uniform from 0 to a bound that doubles.

        Where the server named a time, that time and up to as much on top, so that callers don't return all at once.
        """
        bound_s = min(self.max_backoff_s, self.first_backoff_s * 2.0 ** min(failures - 1, 30))
        jitter_s = random.uniform(0.0, bound_s)
        if error.retry_after_s is None:
            return jitter_s
        asked_s = error.retry_after_s
        return asked_s + min(jitter_s, max(asked_s, _LEAST_JITTER_S) * 2.0 ** min(failures - 1, 30))

    def gives_up(self, counted: int, elapsed_s: float, next_wait_s: float, ever_answered: bool) -> bool:
        """Whether to stop: `counted` failures other than 429, seconds since the first attempt, the wait to come."""
        if counted >= self.attempts or elapsed_s + next_wait_s > self.max_elapsed_s:
            return True
        return not ever_answered and counted >= FIRST_CONTACT_ATTEMPTS
