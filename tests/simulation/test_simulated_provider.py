"""The simulated model behind the providers' port."""

from __future__ import annotations

from collections import Counter

import pytest
from simulation_lab import countdown, question

from maker_dsl.providers.clock import FakeClock, run_virtually
from maker_dsl.providers.port import Completion, Draw, Price, Provider, Request, TransientError
from maker_dsl.simulation.provider import SimulatedProvider
from maker_dsl.simulation.rates import Rates
from maker_dsl.task import Task

TASK = countdown(5000)


def request(index: int = 0, *draws: Draw, task: Task = TASK, max_tokens: int | None = 750) -> Request:
    asked = question(task, index, n=5000 - index)
    prompt = task.steps[0].render(asked.state, {})
    return Request(asked, prompt, 0.1, max_tokens, draws or (Draw(0, 0),))


def attempt(provider: SimulatedProvider, asked: Request) -> Completion | TransientError:
    """Drive the coroutine by hand: it must end without suspending."""
    try:
        provider.complete(asked).send(None)
    except StopIteration as stopped:
        assert isinstance(stopped.value, Completion)  # noqa: PT017
        return stopped.value
    except TransientError as error:
        return error
    raise AssertionError("the call suspended")


def complete_without_waiting(provider: SimulatedProvider, asked: Request) -> Completion:
    """The completion of a call that succeeds."""
    answer = attempt(provider, asked)
    assert isinstance(answer, Completion)
    return answer


def test_it_is_a_provider_and_free() -> None:
    provider: Provider = SimulatedProvider(TASK, Rates())
    assert provider.name == "simulated"
    assert provider.price == Price(0, 0)


def test_a_call_without_latency_never_suspends() -> None:
    completion = complete_without_waiting(SimulatedProvider(TASK, Rates()), request(0, Draw(0, 0), Draw(1, 0)))
    assert [reply.text for reply in completion.replies] == ["next = 4999", "next = 4999"]


def test_usage_is_counted_and_the_input_bound_is_exact() -> None:
    provider = SimulatedProvider(TASK, Rates())
    asked = request(0, Draw(0, 0), Draw(1, 0))
    usage = complete_without_waiting(provider, asked).usage
    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens) == (12, 6)
    assert provider.input_bound(asked.prompt) == 12


def test_one_call_with_many_draws_equals_many_calls() -> None:
    provider = SimulatedProvider(TASK, Rates(wrong=0.3, malformed=0.2, overlong=0.1), seed=5)
    draws = tuple(Draw(slot, 0) for slot in range(40))
    together = complete_without_waiting(provider, request(3, *draws)).replies
    assert together == tuple(complete_without_waiting(provider, request(3, draw)).replies[0] for draw in draws)


def test_a_call_takes_as_long_as_its_slowest_reply() -> None:
    rates = Rates(latency="lognormal(0.2, 0.5)")
    draws = tuple(Draw(slot, 0) for slot in range(5))

    async def main() -> tuple[list[float], float]:
        clock = FakeClock()
        provider = SimulatedProvider(TASK, rates, clock=clock)
        single: list[float] = []
        for draw in draws:
            began = clock.now_s()
            await provider.complete(request(0, draw))
            single.append(clock.now_s() - began)
        began = clock.now_s()
        await provider.complete(request(0, *draws))
        return single, clock.now_s() - began

    single, together = run_virtually(main())
    assert together == pytest.approx(max(single))
    assert len(set(single)) == len(single)


def test_calls_fail_at_the_set_rates_and_retries_get_through_to_the_same_replies() -> None:
    rates = Rates(wrong=0.2, error_429=0.2, error_500=0.1, dropped=0.1)
    faulty = SimulatedProvider(TASK, rates)
    calm = SimulatedProvider(TASK, Rates(wrong=0.2))
    faults: Counter[str] = Counter()
    calls = 0
    for index in range(3000):
        completion: Completion | None = None
        while completion is None:
            calls += 1
            answer = attempt(faulty, request(index))
            if isinstance(answer, TransientError):
                faults[answer.kind] += 1
                assert answer.status == {"rate_limit": 429, "server_error": 500, "dropped": None}[answer.kind]
            else:
                completion = answer
        assert completion == attempt(calm, request(index))
    for kind, share in {"rate_limit": 0.2, "server_error": 0.1, "dropped": 0.1}.items():
        assert abs(faults[kind] - calls * share) <= 4 * (calls * share * (1 - share)) ** 0.5


def test_a_refused_call_says_when_to_come_back() -> None:
    provider = SimulatedProvider(TASK, Rates(error_429=1, latency="0.5"))
    with pytest.raises(TransientError) as caught:
        provider.complete(request()).send(None)
    assert caught.value.retry_after_s == 0.5
