"""The gateway's laws, in virtual time against a scripted provider."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maker_dsl.providers.clock import FakeClock, run_virtually
from maker_dsl.providers.gateway import Gateway, Limits
from maker_dsl.providers.ledger import BudgetExhausted, Call, Reservation, WorstCase
from maker_dsl.providers.port import (
    Draw,
    PermanentError,
    Price,
    ProviderError,
    Question,
    Request,
    TransientError,
    Usage,
)
from maker_dsl.providers.retry import FIRST_CONTACT_ATTEMPTS, ProviderUnavailable, RetryPolicy
from maker_dsl.providers.scripted import Answer, Script, ScriptedProvider
from maker_dsl.task import Prompt, Step

PRICE = Price(input=1.0, output=2.0)


def request(index: int = 0, draws: int = 1, max_tokens: int | None = 100) -> Request:
    question = Question(index, cast(Step, None), {})
    return Request(question, Prompt(None, "x" * 10), 0.1, max_tokens, tuple(Draw(slot, 0) for slot in range(draws)))


def rate_limited(retry_after_s: float | None = None) -> TransientError:
    return TransientError("too many requests", kind="rate_limit", status=429, retry_after_s=retry_after_s)


def overloaded() -> TransientError:
    return TransientError("overloaded", kind="overloaded", status=529)


def dropped() -> TransientError:
    return TransientError("the connection was dropped", kind="dropped")


class Books:
    """A ledger and a budget that remember everything."""

    def __init__(self, limit_usd: float = float("inf")) -> None:
        self.calls: list[Call] = []
        self.reserved: list[WorstCase] = []
        self.settled: list[tuple[Usage | None, float | None]] = []
        self.kept = 0
        self._limit_usd = limit_usd

    def __call__(self, call: Call) -> None:
        self.calls.append(call)

    def reserve(self, worst: WorstCase) -> Reservation:
        if sum(one.cost_usd or 0.0 for one in [*self.reserved, worst]) > self._limit_usd:
            raise BudgetExhausted("--max-cost", "no money left")
        self.reserved.append(worst)
        return self

    def settle(self, usage: Usage | None, cost_usd: float | None) -> None:
        self.settled.append((usage, cost_usd))

    def keep(self) -> None:
        self.kept += 1

    @property
    def outcomes(self) -> list[str]:
        return [call.outcome for call in self.calls]


def play(
    script: Script | list[Any],
    main: Callable[[Gateway, ScriptedProvider], Coroutine[Any, Any, Any]],
    books: Books | None = None,
    *,
    limits: Limits | None = None,
    retry: RetryPolicy | None = None,
    seed: int = 1,
) -> Any:
    """Run `main` with a gateway over a script, in virtual time."""

    async def run() -> Any:
        clock = FakeClock()
        provider = ScriptedProvider(script, clock=clock, price=PRICE, samples_per_call=8)
        gateway = Gateway(
            provider,
            limits or Limits(),
            retry or RetryPolicy(),
            clock,
            Random(seed),
            books if books is not None else Books(),
            books,
        )
        try:
            return await main(gateway, provider)
        finally:
            await gateway.close()

    return run_virtually(run())


def now() -> float:
    return asyncio.get_running_loop().time()


def test_a_good_answer_passes_through_and_is_in_the_ledger() -> None:
    books = Books()

    async def main(gateway: Gateway, _: ScriptedProvider) -> None:
        completion = await gateway.sample(request(draws=3))
        assert [reply.text for reply in completion.replies] == ["a", "b", "c"]

    play([Answer(("a", "b", "c"), delay_s=2.0, usage=Usage(1000, 500))], main, books)
    (call,) = books.calls
    assert (call.outcome, call.attempt, call.latency_s, call.usage) == ("ok", 0, 2.0, Usage(1000, 500))
    assert call.cost_usd == pytest.approx(0.002)
    assert books.settled == [(Usage(1000, 500), call.cost_usd)]
    assert books.reserved == [WorstCase(3, 10, 300, pytest.approx((10 + 600) / 1e6))]


def test_a_permanent_error_is_raised_at_once_and_costs_nothing() -> None:
    books = Books()
    error = PermanentError("no such model", kind="unknown_model", status=404, help="look it up")

    async def main(gateway: Gateway, provider: ScriptedProvider) -> None:
        with pytest.raises(PermanentError) as raised:
            await gateway.sample(request())
        assert raised.value is error
        assert len(provider.calls) == 1
        assert now() == 0.0

    play([error], main, books)
    assert books.outcomes == ["unknown_model"]
    assert books.settled == [(Usage(0, 0), 0.0)]


def test_transient_errors_are_tried_again_until_an_answer_comes() -> None:
    books = Books()

    async def main(gateway: Gateway, _: ScriptedProvider) -> None:
        assert (await gateway.sample(request())).replies[0].text == "at last"

    play([overloaded(), rate_limited(), dropped(), "at last"], main, books)
    assert books.outcomes == ["overloaded", "rate_limit", "dropped", "ok"]
    assert [call.attempt for call in books.calls] == [0, 1, 2, 3]
    assert books.kept == 1  # the dropped one: nobody knows what the server did


@given(seed=st.integers(0, 1000), failures=st.integers(1, 40))
def test_backoff_has_full_jitter_under_a_doubling_bound(seed: int, failures: int) -> None:
    policy = RetryPolicy(first_backoff_s=0.5, max_backoff_s=60.0)
    wait_s = policy.backoff_s(failures, overloaded(), Random(seed))
    assert 0.0 <= wait_s <= min(60.0, 0.5 * 2 ** (failures - 1))
    asked = policy.backoff_s(failures, rate_limited(30.0), Random(seed))
    assert 30.0 <= asked <= 30.0 + min(60.0, 0.5 * 2 ** (failures - 1))


def test_backoff_uses_the_whole_range() -> None:
    random = Random(7)
    waits = [RetryPolicy().backoff_s(5, overloaded(), random) for _ in range(1000)]
    assert min(waits) < 0.2
    assert max(waits) > 7.8
    assert sum(waits) / 1000 == pytest.approx(4.0, rel=0.1)


def test_a_retry_after_holds_back_every_call() -> None:
    started: list[float] = []

    def script(_: Request) -> Answer | ProviderError:
        started.append(now())
        return rate_limited(20.0) if len(started) == 1 else Answer(("x",))

    async def main(gateway: Gateway, _: ScriptedProvider) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(gateway.sample(request(0)))
            await asyncio.sleep(1.0)
            for index in range(1, 4):
                group.create_task(gateway.sample(request(index)))

    play(script, main, limits=Limits(concurrency=64))
    assert started[0] == 0.0
    assert len(started) == 5
    assert all(20.0 <= start <= 21.0 for start in started[1:])


def test_an_outage_ends_with_the_last_error_after_the_attempts_that_the_profile_allows() -> None:
    books = Books()

    def script(request: Request) -> str | ProviderError:
        return "first contact" if request.question.index == 0 else overloaded()

    async def main(gateway: Gateway, _: ScriptedProvider) -> None:
        await gateway.sample(request(0))
        with pytest.raises(ProviderUnavailable) as raised:
            await gateway.sample(request(1))
        assert raised.value.attempts == 6
        assert raised.value.last.kind == "overloaded"
        assert raised.value.status == 529
        assert "gave up after 6 attempts" in str(raised.value)

    play(script, main, books, retry=RetryPolicy(attempts=6))
    assert books.outcomes == ["ok"] + ["overloaded"] * 6


def test_a_server_that_never_answered_is_given_up_early() -> None:
    async def main(gateway: Gateway, provider: ScriptedProvider) -> None:
        with pytest.raises(ProviderUnavailable):
            await gateway.sample(request())
        assert len(provider.calls) == FIRST_CONTACT_ATTEMPTS
        assert now() < 5.0

    play(lambda _: dropped(), main)


def test_a_server_that_asks_for_more_patience_than_the_profile_has_is_given_up_at_once() -> None:
    async def main(gateway: Gateway, _: ScriptedProvider) -> None:
        with pytest.raises(ProviderUnavailable) as raised:
            await gateway.sample(request())
        assert str(raised.value) == "gave up after 1 attempt: too many requests (it asks to wait 3600 s)"
        assert now() == 0.0

    play([rate_limited(3600.0)], main)


def test_refusals_for_too_many_requests_count_against_the_time_alone() -> None:
    async def main(gateway: Gateway, provider: ScriptedProvider) -> None:
        with pytest.raises(ProviderUnavailable) as raised:
            await gateway.sample(request())
        assert len(provider.calls) > 3
        assert raised.value.elapsed_s <= 300.0
        assert now() <= 300.0

    play(lambda _: rate_limited(), main, retry=RetryPolicy(attempts=3, max_elapsed_s=300.0))


def test_a_cancelled_call_is_in_the_ledger_once_and_keeps_its_reservation() -> None:
    books = Books()

    async def main(gateway: Gateway, provider: ScriptedProvider) -> None:
        task = asyncio.create_task(gateway.sample(request()))
        await asyncio.sleep(3.0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert gateway.concurrency is not None
        assert gateway.concurrency.in_flight == 0
        assert len(provider.calls) == 1

    play([Answer(("x",), delay_s=10.0)], main, books, limits=Limits(concurrency=1))
    (call,) = books.calls
    assert (call.outcome, call.latency_s, call.cost_usd) == ("cancelled", 3.0, None)
    assert (books.kept, books.settled) == (1, [])


def test_a_call_cancelled_while_it_waits_leaves_nothing_behind() -> None:
    books = Books()

    async def main(gateway: Gateway, provider: ScriptedProvider) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(gateway.sample(request(0)))
            await asyncio.sleep(0.1)
            waiting = asyncio.create_task(gateway.sample(request(1)))
            await asyncio.sleep(0.1)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
        await gateway.sample(request(2))
        assert [call.question.index for call in provider.calls] == [0, 2]

    play(lambda _: Answer(("x",), delay_s=1.0), main, books, limits=Limits(concurrency=1))
    assert books.outcomes == ["ok", "ok"]
    assert books.kept == 0


def test_an_answer_without_usage_keeps_its_reservation() -> None:
    books = Books()

    async def main(gateway: Gateway, _: ScriptedProvider) -> None:
        await gateway.sample(request())

    play([Answer(("x",), usage=None)], main, books)
    assert (books.kept, books.settled) == (1, [])
    assert books.calls[0].cost_usd is None


def test_nothing_is_sent_past_the_budget() -> None:
    books = Books(limit_usd=450 / 1e6)

    async def main(gateway: Gateway, provider: ScriptedProvider) -> None:
        await gateway.sample(request())
        await gateway.sample(request())
        with pytest.raises(BudgetExhausted) as raised:
            await gateway.sample(request())
        assert raised.value.limit == "--max-cost"
        assert len(provider.calls) == 2

    play(lambda _: "x", main, books)
    assert books.outcomes == ["ok", "ok"]


def test_the_ledger_agrees_with_the_server_call_for_call_under_faults() -> None:
    books = Books()
    chance = Random(3)
    served: Counter[str] = Counter()

    def script(_: Request) -> Answer:
        draw = chance.random()
        error = rate_limited(0.1) if draw < 0.1 else overloaded() if draw < 0.2 else dropped() if draw < 0.3 else None
        served["ok" if error is None else error.kind] += 1
        return Answer(("x",), delay_s=chance.uniform(0.1, 2.0), error=error)

    async def main(gateway: Gateway, provider: ScriptedProvider) -> None:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(gateway.sample(request(index))) for index in range(300)]
            for task in tasks[::7]:
                await asyncio.sleep(0.01)
                task.cancel()
        assert len(provider.calls) == len(books.calls)
        assert len(books.reserved) == len(books.calls) == len(books.settled) + books.kept

    play(script, main, books, limits=Limits(concurrency=20))
    outcomes = Counter(books.outcomes)
    cancelled = outcomes.pop("cancelled", 0)
    assert sum(served.values()) == sum(outcomes.values()) + cancelled
    assert cancelled > 0
    assert all(outcomes[kind] <= served[kind] for kind in served)


def test_earlier_steps_go_first_when_places_are_scarce() -> None:
    async def main(gateway: Gateway, provider: ScriptedProvider) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(gateway.sample(request(99)))
            await asyncio.sleep(0.1)
            for index in (5, 3, 8, 3, 1):
                group.create_task(gateway.sample(request(index)))
        assert [call.question.index for call in provider.calls] == [99, 1, 3, 3, 5, 8]

    play(lambda _: Answer(("x",), delay_s=1.0), main, limits=Limits(concurrency=1))


@pytest.mark.parametrize("per_minute", [1, 7, 60, 600])
def test_requests_per_minute_hold_over_every_minute(per_minute: int) -> None:
    started: list[float] = []

    def script(_: Request) -> str:
        started.append(now())
        return "x"

    async def main(gateway: Gateway, _: ScriptedProvider) -> None:
        async with asyncio.TaskGroup() as group:
            for index in range(per_minute * 3):
                group.create_task(gateway.sample(request(index)))

    play(script, main, limits=Limits(requests_per_minute=per_minute))
    assert len(started) == per_minute * 3
    for first in started:
        assert sum(first <= start < first + 59.999 for start in started) <= per_minute
    assert started[-1] <= 60.0 * 3 * 1.05 + 2  # and little more is held back than has to be


def test_tokens_per_minute_hold_over_every_minute_and_what_was_not_used_comes_back() -> None:
    used: list[tuple[float, int]] = []

    def script(_: Request) -> Answer:
        used.append((now(), 60))
        return Answer(("x",), delay_s=0.5, usage=Usage(10, 50))

    async def main(gateway: Gateway, _: ScriptedProvider) -> float:
        async with asyncio.TaskGroup() as group:

            async def one_after_the_other(start: int) -> None:
                for index in range(start, start + 100):
                    await gateway.sample(request(index))

            for start in range(0, 600, 100):
                group.create_task(one_after_the_other(start))
        return now()

    took_s = play(script, main, limits=Limits(tokens_per_minute=6000))
    for first, _ in used:
        assert sum(tokens for start, tokens in used if first <= start < first + 59.999) <= 6000
    assert took_s < 60.0 * 600 * 60 / 6000 * 1.1  # 60 tokens each, though 110 were taken in advance


def test_a_request_larger_than_a_burst_of_tokens_waits_but_goes() -> None:
    async def main(gateway: Gateway, _: ScriptedProvider) -> None:
        await gateway.sample(request(max_tokens=500))
        await gateway.sample(request(max_tokens=500))
        assert now() > 0.0

    play(lambda _: Answer(("x",), usage=None), main, limits=Limits(tokens_per_minute=1000))


def test_concurrency_never_exceeds_the_profile_and_grows_up_to_it() -> None:
    async def main(gateway: Gateway, provider: ScriptedProvider) -> None:
        async with asyncio.TaskGroup() as group:
            for index in range(2000):
                group.create_task(gateway.sample(request(index)))
        assert provider.most_in_flight == 48

    play(lambda _: Answer(("x",), delay_s=1.0), main, limits=Limits(concurrency=48))


def test_concurrency_follows_a_hidden_limit_that_changes() -> None:
    """The server refuses above a limit that it never tells and that falls and rises."""
    books = Books()
    state = {"in_flight": 0}

    def hidden() -> int:
        at = now()
        return 100 if at < 60 or at >= 120 else 30

    class Server(ScriptedProvider):
        async def complete(self, request: Request) -> Any:
            if state["in_flight"] >= hidden():
                await asyncio.sleep(0.05)
                raise rate_limited()
            state["in_flight"] += 1
            try:
                await asyncio.sleep(1.0)
                return await super().complete(request)
            finally:
                state["in_flight"] -= 1

    async def run() -> None:
        clock = FakeClock()
        server = Server(lambda _: "x", price=PRICE)
        gateway = Gateway(server, Limits(concurrency=400), RetryPolicy(), clock, Random(2), books)

        async def worker() -> None:
            while now() < 180:
                await gateway.sample(request())

        async with asyncio.TaskGroup() as group:
            for _ in range(400):
                group.create_task(worker())

    run_virtually(run())
    answered = books.outcomes.count("ok")
    refused = books.outcomes.count("rate_limit")
    assert answered >= 0.87 * (60 * 100 + 60 * 30 + 60 * 100)
    assert refused <= 0.04 * answered


def test_rare_refusals_at_random_do_not_drive_concurrency_down() -> None:
    """A server with room for all refuses one call in fifty, answers in 5 ms and never says why."""
    chance = Random(5)

    def script(_: Request) -> Answer:
        return Answer(("x",), delay_s=0.005, error=rate_limited(0.0) if chance.random() < 0.02 else None)

    async def main(gateway: Gateway, provider: ScriptedProvider) -> float:
        async with asyncio.TaskGroup() as group:
            for index in range(10_000):
                group.create_task(gateway.sample(request(index)))
        return now()

    took_s = play(script, main, limits=Limits(concurrency=64))
    assert 10_000 * 0.005 / took_s > 15  # calls under way on average


@pytest.mark.parametrize("error", [RuntimeError("a bug"), KeyboardInterrupt()])
def test_a_bug_in_a_provider_is_in_the_ledger_too(error: BaseException) -> None:
    books = Books()

    def script(_: Request) -> str:
        raise error

    async def main(gateway: Gateway, _: ScriptedProvider) -> None:
        with pytest.raises(type(error)):
            await gateway.sample(request())

    play(script, main, books)
    assert books.outcomes == ["internal"]
    assert books.kept == 1


def test_virtual_time_says_when_everything_waits_for_ever() -> None:
    async def main() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(RuntimeError, match="no timer"):
        run_virtually(main())
