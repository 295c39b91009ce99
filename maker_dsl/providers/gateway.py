"""The way to a provider: every attempt of a run passes here, and nowhere else is one retried, delayed or counted.

Used by the engine. For each request: a place (earlier steps first, earlier items before later ones), the pause a server
asked for, requests and tokens per minute, the budget, one attempt, the ledger; a transient failure begins again after a
wait.

Invariants: an attempt that may have reached the server is in the ledger exactly once, whatever ended it; a reservation
is settled or kept exactly once; nothing is sent that the budget has not granted.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from random import Random

from maker_dsl.providers.clock import Clock
from maker_dsl.providers.concurrency import ConcurrencyLimit
from maker_dsl.providers.ledger import Budget, Call, Ledger, Reservation, WorstCase
from maker_dsl.providers.port import Completion, Price, Provider, ProviderError, Request, TransientError, Usage
from maker_dsl.providers.rate import RateLimit
from maker_dsl.providers.retry import ProviderUnavailable, RetryPolicy

NOTHING_USED = Usage(0, 0)
UNCAPPED_OUTPUT_TOKENS = 4_096
"""What the token rate limit expects of a reply without a cap; corrected when its usage is known."""


@dataclass(frozen=True, slots=True)
class Limits:
    """A profile's limits; None means none."""

    concurrency: int | None = None
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None


@dataclass(frozen=True, slots=True)
class _Granted:
    """What one attempt may use: tokens of the minute's share, and a part of the budget."""

    tokens: int
    reservation: Reservation | None


_NOTHING_TAKEN = _Granted(0, None)


class Gateway:
    """One provider with its limits. Belongs to one event loop."""

    def __init__(
        self,
        provider: Provider,
        limits: Limits,
        retry: RetryPolicy,
        clock: Clock,
        random: Random,
        ledger: Ledger,
        budget: Budget | None = None,
    ) -> None:
        self._provider = provider
        self._price: Price | None = provider.price
        self._retry = retry
        self._clock = clock
        self._now_s = clock.now_s
        self._random = random
        self._ledger = ledger
        self._budget = budget
        now_s = clock.now_s()
        self._places = None if limits.concurrency is None else ConcurrencyLimit(limits.concurrency)
        self._requests = None if limits.requests_per_minute is None else RateLimit(limits.requests_per_minute, now_s)
        self._tokens = None if limits.tokens_per_minute is None else RateLimit(limits.tokens_per_minute, now_s)
        self._is_limited = budget is not None or self._requests is not None or self._tokens is not None
        self._paused_until_s = float("-inf")
        self._ever_answered = False

    @property
    def provider(self) -> Provider:
        """The provider behind it."""
        return self._provider

    @property
    def concurrency(self) -> ConcurrencyLimit | None:
        """The places for calls, to look at."""
        return self._places

    async def sample(self, request: Request) -> Completion:
        """The provider's answer, after as many attempts as it takes.

        Raises PermanentError at once, ProviderUnavailable when attempts run out, BudgetExhausted before anything is
        sent. A cancellation in the middle of an attempt leaves it in the ledger as `cancelled`, its reservation kept.
        Nothing waits between the ledger's call for an answer and the return.
        """
        places = self._places
        attempt = counted = 0
        first_s: float | None = None
        while True:
            if places is not None and not places.try_acquire():
                await places.acquire((*request.question.order, request.question.index))
            try:
                if self._now_s() < self._paused_until_s:
                    await self._wait_out_pause()
                granted = await self._prepare(request) if self._is_limited else _NOTHING_TAKEN
                started_s = self._now_s()
                try:
                    completion = await self._provider.complete(request)
                except ProviderError as error:
                    self._take_failure(request, attempt, started_s, granted, error)
                    raise
                except BaseException as error:
                    self._take_loss(request, attempt, started_s, granted, error)
                    raise
                self._take_answer(request, attempt, started_s, granted, completion.usage)
                return completion
            except TransientError as error:
                failure = error
            finally:
                if places is not None:
                    places.release()
            now_s = self._now_s()
            first_s = now_s if first_s is None else first_s
            attempt += 1
            counted += failure.kind != "rate_limit"
            wait_s = self._retry.backoff_s(attempt, failure, self._random)
            if self._retry.gives_up(counted, now_s - first_s, wait_s, self._ever_answered):
                raise ProviderUnavailable(failure, attempt, now_s - first_s) from failure
            await self._clock.sleep(wait_s)

    async def close(self) -> None:
        """Close the provider."""
        await self._provider.close()

    async def _wait_out_pause(self) -> None:
        while (wait_s := self._paused_until_s - self._now_s()) > 0:
            await self._clock.sleep(wait_s)

    async def _prepare(self, request: Request) -> _Granted:
        """Wait for a share of the minute and reserve the worst case."""
        worst = self._worst_case(request)
        tokens = await self._wait_for_rate(worst, len(request.draws))
        if self._budget is None:
            return _Granted(tokens, None)
        try:
            return _Granted(tokens, self._budget.reserve(worst))
        except BaseException:
            self._return_rate(tokens)
            raise

    def _take_answer(
        self, request: Request, attempt: int, started_s: float, granted: _Granted, usage: Usage | None
    ) -> None:
        now_s = self._now_s()
        self._ever_answered = True
        if self._places is not None:
            self._places.succeeded(now_s - started_s)
        cost_usd = None if usage is None or self._price is None else self._price.cost_usd(usage)
        if usage is not None and self._tokens is not None:
            self._tokens.give_back(granted.tokens - usage.input_tokens - usage.output_tokens, now_s)
        if granted.reservation is not None:
            if usage is None:
                granted.reservation.keep()
            else:
                granted.reservation.settle(usage, cost_usd)
        self._ledger(Call(request, attempt, "ok", 200, usage, cost_usd, started_s, now_s - started_s))

    def _take_loss(
        self, request: Request, attempt: int, started_s: float, granted: _Granted, error: BaseException
    ) -> None:
        """Cancelled, or a bug: nobody knows what the server did."""
        if granted.reservation is not None:
            granted.reservation.keep()
        outcome = "cancelled" if isinstance(error, asyncio.CancelledError) else "internal"
        self._ledger(Call(request, attempt, outcome, None, None, None, started_s, self._now_s() - started_s))

    def _take_failure(
        self, request: Request, attempt: int, started_s: float, granted: _Granted, error: ProviderError
    ) -> None:
        """A refusal costs nothing. Without a status, or with a broken 2xx, the call may have been carried out."""
        now_s = self._now_s()
        refused = error.status is not None and _is_refusal(error.status)
        if error.status is not None:
            self._ever_answered = True
        if refused and self._tokens is not None:
            self._tokens.give_back(granted.tokens, now_s)
        if granted.reservation is not None:
            if refused:
                granted.reservation.settle(NOTHING_USED, 0.0)
            else:
                granted.reservation.keep()
        if error.kind == "rate_limit":
            if self._places is not None:
                self._places.refused()
            if isinstance(error, TransientError) and error.retry_after_s is not None:
                self._paused_until_s = max(self._paused_until_s, now_s + error.retry_after_s)
        usage, cost_usd = (NOTHING_USED, 0.0) if refused else (None, None)
        call = Call(request, attempt, error.kind, error.status, usage, cost_usd, started_s, now_s - started_s)
        self._ledger(call._replace(message=str(error)))

    async def _wait_for_rate(self, worst: WorstCase, replies: int) -> int:
        """Wait for a minute's share; returns the tokens taken."""
        now_s = self._now_s()
        wait_s = 0.0 if self._requests is None else self._requests.take(1, now_s)
        tokens = 0
        if self._tokens is not None:
            output = UNCAPPED_OUTPUT_TOKENS * replies if worst.output_tokens is None else worst.output_tokens
            tokens = worst.input_tokens + output
            wait_s = max(wait_s, self._tokens.take(tokens, now_s))
        if wait_s > 0:
            try:
                await self._clock.sleep(wait_s)
            except BaseException:
                self._return_rate(tokens)
                raise
        return tokens

    def _return_rate(self, tokens: int) -> None:
        now_s = self._now_s()
        if self._requests is not None:
            self._requests.give_back(1, now_s)
        if self._tokens is not None:
            self._tokens.give_back(tokens, now_s)

    def _worst_case(self, request: Request) -> WorstCase:
        input_tokens = self._provider.input_bound(request.prompt)
        if request.grammar is not None:
            # Some servers show it to the model beside the prompt; a token stands for at least one byte.
            input_tokens += len(request.grammar.encode())
        output_tokens = None if request.max_tokens is None else request.max_tokens * len(request.draws)
        cost_usd = None
        if self._price is not None and output_tokens is not None:
            cost_usd = (input_tokens * self._price.input + output_tokens * self._price.output) / 1e6
        return WorstCase(request.samples, input_tokens, output_tokens, cost_usd)


def _is_refusal(status: int) -> bool:
    """Whether the server surely did not answer the prompt. Time-outs and gateways' errors leave that open."""
    return status in (500, 501, 503, 529) or (400 <= status < 500 and status != 408)
