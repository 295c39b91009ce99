"""Live tests: what is drawn, how it is judged, what it may cost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from engine_lab import CountdownReply, countdown, right

from maker_dsl.diagnostics import Diagnostic, Label, Source, Span
from maker_dsl.engine.budget import RunBudget
from maker_dsl.engine.examination import Examination, Examiner, examination_budget
from maker_dsl.engine.settings import RunOptions, SettingsRefused
from maker_dsl.engine.start import ProviderSetup
from maker_dsl.engine.theory import TheoryError, wilson_interval
from maker_dsl.providers.clock import FakeClock, run_virtually
from maker_dsl.providers.constraint import Constrain, Dialect
from maker_dsl.providers.gateway import Limits
from maker_dsl.providers.port import PermanentError, Price, ProviderError, Request, TransientError, Usage
from maker_dsl.providers.scripted import Answer, ScriptedProvider
from maker_dsl.task import (
    Formatting,
    NotExpressible,
    ProfileName,
    Prompt,
    State,
    Target,
    Task,
    TaskError,
    TaskTest,
    Wording,
)

PRICE = Price(input=1.0, output=1.0)


def a_test(
    task: Task | None = None, n: int = 5, then: tuple[tuple[str, Callable[[State], bool]], ...] = ()
) -> TaskTest:
    task = task or countdown()
    return TaskTest("a test", task, {"n": n}, None, f"next = {n - 1}", "accept", None, then)


def examiner(
    provider: ScriptedProvider,
    tests: tuple[TaskTest, ...] | None = None,
    samples: int = 1,
    *,
    max_cost_usd: float | None = None,
    limits: Limits | None = None,
    budget: RunBudget | None = None,
) -> Examiner:
    tests = tests or (a_test(),)
    setup = ProviderSetup(provider, limits or Limits(), options=RunOptions(max_tokens=100))
    return Examiner(
        tests,
        [setup] * len(tests),
        samples,
        RunOptions(max_cost_usd=max_cost_usd),
        budget or examination_budget(max_cost_usd),
        FakeClock(),
        Random(1),
    )


def examine(provider: ScriptedProvider, *given: Any, **facts: Any) -> Examination:
    async def go() -> Examination:
        return await examiner(provider, *given, **facts).examine()

    return run_virtually(go())


def scripted(*answers: Answer | str | ProviderError, **facts: Any) -> ScriptedProvider:
    return ScriptedProvider(answers, **facts)


def test_a_sample_is_right_flagged_or_leaves_a_condition_unmet() -> None:
    below_four = (("n < 4", lambda state: state["n"] < 4),)
    provider = scripted("next = 3", "nonsense", "next = 2000", "next = 4", "next = 3")
    tests = (a_test(countdown(believing=True), 5, below_four),)
    (marks,) = examine(provider, tests, 5).marks
    assert (marks.right, marks.drawn, marks.rate) == (2, 5, 0.4)
    assert marks.flags == {"malformed": 1, "is small": 1}
    assert marks.unmet == {"n < 4": 1}
    assert marks.first_wrong == "nonsense"


def test_a_condition_that_fails_to_be_computed_does_not_hold() -> None:
    span = Span(Source("t", "x"), 0, 1)

    def fails(_state: State) -> bool:
        raise TaskError(Diagnostic("MK361", "no", Label(span)))

    (marks,) = examine(scripted("next = 4"), (a_test(then=(("fails", fails),)),)).marks
    assert (marks.right, dict(marks.unmet)) == (0, {"fails": 1})


def test_the_first_sample_has_the_first_temperature_and_the_others_the_tasks() -> None:
    provider = ScriptedProvider(right, samples_per_call=3)
    examine(provider, None, 8)
    assert sorted((call.temperature, len(call.draws)) for call in provider.calls) == [
        (0.0, 1),
        (0.1, 1),
        (0.1, 3),
        (0.1, 3),
    ]
    slots = sorted(draw.slot for call in provider.calls for draw in call.draws)
    assert slots == list(range(8))


def test_a_flagged_sample_is_not_redrawn() -> None:
    provider = ScriptedProvider(lambda _request: "nonsense")
    (marks,) = examine(provider, None, 4).marks
    assert (marks.drawn, len(provider.calls)) == (4, 4)


def test_each_test_is_asked_in_its_own_state() -> None:
    provider = ScriptedProvider(right)
    task = countdown()
    found = examine(provider, (a_test(task, 5), a_test(task, 3)), 2)
    assert [marks.right for marks in found.marks] == [2, 2]
    assert sorted({call.prompt.user for call in provider.calls}) == ["The number is 3.", "The number is 5."]


def test_a_transport_failure_is_retried_and_is_no_sample() -> None:
    refused = TransientError("slow down", kind="rate_limit", status=429)
    found = examine(scripted(refused, "next = 4"))
    assert (found.marks[0].right, found.marks[0].drawn) == (1, 1)
    assert (found.spending.calls, found.spending.retries, dict(found.spending.failed)) == (2, 1, {"rate_limit": 1})
    assert (found.spending.input_tokens, found.spending.output_tokens) == (100, 20)


def test_a_lasting_failure_ends_the_examination_with_what_came() -> None:
    calls: Iterator[str | ProviderError] = iter(["next = 4", PermanentError("bad key", kind="bad_key", status=401)])
    provider = ScriptedProvider(lambda _request: next(calls), answers_at_once=True)
    found = examine(provider, None, 5)
    assert isinstance(found.error, PermanentError)
    assert (found.marks[0].right, found.marks[0].drawn, found.marks[0].asked) == (1, 1, 5)
    assert provider.closed


def test_a_lasting_failure_cancels_the_calls_beside_it() -> None:
    def script(request: Request) -> Answer:
        is_bad = request.draws[0].slot == 2
        error = PermanentError("bad key", kind="bad_key", status=401) if is_bad else None
        return Answer((right(request),), delay_s=1.0 if is_bad else 60.0, error=error)

    found = examine(ScriptedProvider(script, clock=FakeClock()), None, 5)
    assert isinstance(found.error, PermanentError)
    assert (found.marks[0].drawn, found.seconds) == (0, 1.0)
    assert found.spending.failed == {"bad_key": 1, "cancelled": 4}


def test_replies_that_did_not_come_are_asked_for_again() -> None:
    answers = [Answer(("next = 4",)), Answer(("next = 4", "next = 4")), Answer(("next = 4", "next = 4"))]
    provider = ScriptedProvider(answers, samples_per_call=4, answers_at_once=True)
    (marks,) = examine(provider, None, 5).marks
    assert marks.right == 5
    assert [len(call.draws) for call in provider.calls] == [1, 4, 2]


def test_a_provider_without_any_reply_is_given_up() -> None:
    found = examine(ScriptedProvider(lambda _request: Answer(()), answers_at_once=True))
    assert isinstance(found.error, PermanentError)
    assert found.marks[0].drawn == 0


@pytest.mark.parametrize("at_once", [True, False])
def test_the_limit_on_money_holds_over_all_tests(at_once: bool) -> None:
    provider = ScriptedProvider(
        lambda request: Answer((right(request),), usage=Usage(20, 10)), price=PRICE, answers_at_once=at_once
    )
    # A call may cost (characters of the prompt + 100) / 1e6 and costs 30 / 1e6.
    found = examine(provider, (a_test(), a_test()), 20, max_cost_usd=400e-6)
    assert found.limit is not None
    assert "--max-cost" in str(found.limit)
    drawn = sum(marks.drawn for marks in found.marks)
    assert 8 <= drawn < 40
    assert found.spending.cost_usd == pytest.approx(drawn * 30e-6)
    assert found.spending.cost_usd <= 400e-6


def test_what_did_not_fit_beside_calls_under_way_is_drawn_afterwards() -> None:
    def script(request: Request) -> Answer:
        return Answer((right(request),), delay_s=1.0, usage=Usage(20, 10))

    provider = ScriptedProvider(script, price=PRICE, clock=FakeClock())
    found = examine(provider, None, 6, max_cost_usd=350e-6)
    assert (found.limit, found.marks[0].right) == (None, 6)
    assert provider.most_in_flight < 6


def test_a_limit_on_money_without_a_price_is_refused_before_any_call() -> None:
    provider = ScriptedProvider(right)
    with pytest.raises(SettingsRefused):
        examine(provider, max_cost_usd=1.0)
    assert provider.calls == []


def test_an_unknown_price_is_said_and_not_counted_as_nothing() -> None:
    assert examine(ScriptedProvider(right)).spending.cost_usd is None


def test_setups_that_are_one_share_their_limits() -> None:
    provider = ScriptedProvider(lambda request: Answer((right(request),), delay_s=1.0), clock=FakeClock())
    examine(provider, (a_test(), a_test(), a_test()), 4, limits=Limits(concurrency=2))
    assert provider.most_in_flight == 2


def test_what_was_drawn_before_a_cancellation_is_kept() -> None:
    def script(request: Request) -> Answer:
        return Answer((right(request),), delay_s=1.0 if request.draws[0].slot < 2 else 60.0)

    provider = ScriptedProvider(script, clock=FakeClock(), price=PRICE)

    async def go() -> Examination:
        one = examiner(provider, None, 5)
        task = asyncio.create_task(one.examine())
        await asyncio.sleep(10.0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        return one.so_far()

    found = run_virtually(go())
    assert (found.marks[0].right, found.marks[0].drawn, found.seconds) == (2, 2, 10.0)
    assert found.spending.failed == {"cancelled": 3}
    assert (found.spending.cost_usd, found.spending.uncosted) == (pytest.approx(2 * 120e-6), 3)
    assert provider.closed


def with_step(**facts: Any) -> Task:
    """The countdown with another only step."""
    task = countdown()
    step = replace(task.steps[0], **facts)
    return replace(task, steps=(step,), next_step=lambda _state: step)


def test_samples_go_over_the_wordings_in_turn() -> None:
    other = Wording("other", lambda state, _locals: Prompt(None, f"Before {state['n']}?"))
    provider = ScriptedProvider(right)
    (marks,) = examine(provider, (a_test(with_step(variants=(other,))),), 4).marks
    assert marks.right == 4
    asked = {call.draws[0].slot: (call.wording, call.prompt.user) for call in provider.calls}
    assert [asked[slot][0] for slot in range(4)] == [0, 1, 0, 1]
    assert (asked[0][1], asked[1][1]) == ("The number is 5.", "Before 5?")


def thinking() -> Task:
    place = Span(Source("t", "tidy"), 0, 4)
    form = Formatting(ProfileName("tidy", place), lambda _state, _locals, thought: Prompt(None, f"Tidy: {thought}"))
    return with_step(formatting=form)


def test_a_thought_is_put_into_form_and_the_form_is_judged() -> None:
    def script(request: Request) -> str:
        if request.phase == "thought":
            return f"It is {request.draws[0].slot}."
        return "next = 4" if request.thought == "It is 0." else "next ="

    provider = ScriptedProvider(script, answers_at_once=True)
    found = examine(provider, (a_test(thinking()),), 2)
    assert (found.marks[0].right, dict(found.marks[0].flags)) == (1, {"malformed": 1})
    assert [(call.phase, call.prompt.user) for call in provider.calls] == [
        ("thought", "The number is 5."),
        ("form", "Tidy: It is 0."),
        ("thought", "The number is 5."),
        ("form", "Tidy: It is 1."),
    ]


def test_a_thought_that_was_cut_off_is_flagged_without_a_second_call() -> None:
    provider = ScriptedProvider(lambda _request: Answer(("It is",), finish="length"), answers_at_once=True)
    (marks,) = examine(provider, (a_test(thinking()),)).marks
    assert (dict(marks.flags), len(provider.calls)) == ({"truncated": 1}, 1)


def test_a_thought_that_is_paid_for_is_not_drawn_again() -> None:
    def script(request: Request) -> Answer:
        text = right(request) if request.phase == "form" else "Hm."
        return Answer((text,), delay_s=1.0, usage=Usage(20, 10))

    provider = ScriptedProvider(script, price=PRICE, clock=FakeClock())
    found = examine(provider, (a_test(thinking()),), 3, max_cost_usd=420e-6)
    assert (found.marks[0].right, found.limit) == (3, None)
    assert sorted(call.phase for call in provider.calls) == ["form"] * 3 + ["thought"] * 3
    assert provider.most_in_flight < 6


def test_the_interval_is_wilsons() -> None:
    # Newcombe, Statistics in Medicine 17 (1998), table I: the score method without continuity correction.
    for hits, drawn, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        interval = wilson_interval(hits, drawn)
        assert (round(interval.low, 4), round(interval.high, 4)) == (low, high)


def test_the_interval_of_nothing_is_everything_and_the_ends_are_exact() -> None:
    assert (wilson_interval(0, 0).low, wilson_interval(0, 0).high) == (0.0, 1.0)
    assert wilson_interval(0, 7).low == 0.0
    assert wilson_interval(7, 7).high == 1.0
    with pytest.raises(TheoryError):
        wilson_interval(8, 7)


class Exported(CountdownReply):
    """Can be written as GBNF alone."""

    def export(self, target: Target) -> str:
        if target != "gbnf":
            raise NotExpressible(target, "the reply is not a JSON object")
        return "root ::= …"


def constrained(dialect: Dialect, **facts: Any) -> tuple[ScriptedProvider, tuple[TaskTest, ...]]:
    """An enforcing server that must be one, and a test of a task whose replies have an export."""
    task = countdown()
    steps = tuple(replace(step, reply=Exported()) for step in task.steps)

    def script(request: Request) -> str:
        assert request.grammar is not None
        return request.grammar.split('"')[1] if request.phase == "proof" else right(request)

    provider = ScriptedProvider(script, constrain=Constrain("require", dialect), **facts)
    return provider, (a_test(replace(task, steps=steps, next_step=lambda _state: steps[0])),)


def test_constrained_samples_come_after_one_proof_that_is_paid_and_no_sample() -> None:
    provider, tests = constrained("vllm", price=PRICE)
    found = examine(provider, tests * 2, 3)
    assert [marks.right for marks in found.marks] == [3, 3]
    assert [request.phase for request in provider.calls].count("proof") == 1
    assert provider.calls[0].max_tokens == 100
    assert {request.grammar for request in provider.calls[1:]} == {"root ::= …"}
    assert found.spending.calls == 7
    assert found.notes == ("scripted enforces grammars (vllm): replies are constrained",)


def test_a_limit_too_small_for_the_proof_leaves_all_samples_out() -> None:
    provider, tests = constrained("vllm", price=PRICE)
    found = examine(provider, tests, 3, max_cost_usd=0.00001)
    assert found.limit is not None
    assert not provider.calls
    assert found.marks[0].drawn == 0
    assert provider.closed


def test_a_form_that_must_be_constrained_and_cannot_be_is_found_before_any_call() -> None:
    provider, tests = constrained("json-schema")
    with pytest.raises(SettingsRefused) as refused:
        examine(provider, tests)
    assert [one.code for one in refused.value.diagnostics] == ["MK558"]
    assert not provider.calls
