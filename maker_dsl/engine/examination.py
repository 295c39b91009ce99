"""Live tests: the states of tests are put to a provider, each as often as asked, and every reply is judged.

Used by `maker test --provider`. Calls take the way of every run's: gateway, retries, rates, budget. Nothing is
journaled, since there is nothing to go on with: a process that dies has spent what it has spent, at most the limit.

Invariant: samples are drawn as a step draws its slots (the first at the first temperature, the others at the
task's), a flagged one is not redrawn, and each counts once.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from maker_dsl.engine.budget import NOTHING, RunBudget
from maker_dsl.engine.settings import Caps, RunOptions, resolve
from maker_dsl.engine.start import ProviderSetup
from maker_dsl.engine.step import MOST_EMPTY_ANSWERS
from maker_dsl.engine.theory import Interval, wilson_interval
from maker_dsl.errors import InternalError
from maker_dsl.judging import Flag, judge
from maker_dsl.providers.clock import Clock
from maker_dsl.providers.gateway import Gateway
from maker_dsl.providers.ledger import BudgetExhausted, Call
from maker_dsl.providers.port import Draw, PermanentError, ProviderError, Question, Reply, Request
from maker_dsl.task import Locals, Prompt, RawReply, Step, TaskError, TaskTest


@dataclass(slots=True)
class Marks:
    """How a provider did on one test: every sample is right, flagged, or fails a `then`."""

    test: TaskTest
    asked: int
    right: int = 0
    flags: Counter[str] = field(default_factory=Counter)
    """Flagged samples by the flag's name."""
    unmet: Counter[str] = field(default_factory=Counter)
    """Samples that passed, but after which a `then` does not hold, by its text."""
    first_wrong: str | None = None
    """The first reply that was not right."""

    @property
    def drawn(self) -> int:
        """How many samples there are; fewer than asked where something stopped them."""
        return self.right + self.flags.total() + self.unmet.total()

    @property
    def rate(self) -> float | None:
        """The share of right samples; None without any."""
        return self.right / self.drawn if self.drawn else None

    @property
    def interval(self) -> Interval:
        """Where the chance of a right sample lies, at 95 %."""
        return wilson_interval(self.right, self.drawn)


@dataclass(slots=True)
class Spending:
    """What a provider's calls came to; the ledger of its gateway."""

    calls: int = 0
    retries: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    """Attempts that brought no reply, by what happened."""
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = 0.0
    """None where nobody knows what some call cost."""

    def __call__(self, call: Call) -> None:
        """Take note of one attempt."""
        self.calls += 1
        self.retries += call.attempt > 0
        if call.outcome != "ok":
            self.failed[call.outcome] += 1
        if call.usage is not None:
            self.input_tokens += call.usage.input_tokens
            self.output_tokens += call.usage.output_tokens
        known = None if call.cost_usd is None or self.cost_usd is None else self.cost_usd + call.cost_usd
        self.cost_usd = known


@dataclass(frozen=True, slots=True)
class Examination:
    """How a provider did on all tests. `error` or `limit` says what kept samples from being drawn."""

    marks: tuple[Marks, ...]
    spending: Spending
    seconds: float
    error: ProviderError | None = None
    limit: BudgetExhausted | None = None


def examination_budget(max_cost_usd: float | None) -> RunBudget | None:
    """The limit on what all examinations together may cost; None without one."""
    if max_cost_usd is None:
        return None
    return RunBudget(Caps(max_cost_usd=max_cost_usd), NOTHING, NOTHING, lambda _granted: None)


class Examiner:
    """Puts tests to one provider. `setups` has a setup for each test; equal ones share a gateway and its limits.

    Making one raises SettingsRefused where a limit can't be held, and TaskError where a prompt fails: before any call.
    """

    def __init__(
        self,
        tests: Sequence[TaskTest],
        setups: Sequence[ProviderSetup],
        samples: int,
        options: RunOptions,
        budget: RunBudget | None,
        clock: Clock,
        random: Random,
    ) -> None:
        self._clock = clock
        self._spending = Spending()
        self._gateways: dict[int, Gateway] = {}
        self._papers = []
        for number, (test, setup) in enumerate(zip(tests, setups, strict=True)):
            gateway = self._gateways.get(id(setup))
            if gateway is None:
                gateway = self._gateways[id(setup)] = Gateway(
                    setup.provider, setup.limits, setup.retry, clock, random, self._spending, budget
                )
            self._papers.append(_Paper(number, test, setup, gateway, samples, options))
        self._answers_at_once = all(setup.provider.answers_at_once for setup in setups)
        self._failure: Exception | None = None
        self._blocked: list[_Call] = []
        self._limit: BudgetExhausted | None = None

    async def examine(self) -> Examination:
        """Draw all samples, or as many as the limit and the provider allow.

        Raises TaskError where the task's own text fails. A cancellation gives up the calls under way.
        """
        began_s = self._clock.now_s()
        calls = [call for paper in self._papers for call in paper.calls]
        try:
            if self._answers_at_once:
                await self._in_turn(calls)
            else:
                await self._side_by_side(calls)
                # What did not fit beside calls under way at their worst may fit now that they are settled.
                blocked, self._blocked = self._blocked, []
                await self._in_turn(blocked)
        finally:
            for gateway in self._gateways.values():
                await gateway.close()
        error = self._failure
        if error is not None and not isinstance(error, ProviderError):
            raise error
        limit = self._limit if self._blocked else None
        seconds = self._clock.now_s() - began_s
        return Examination(tuple(paper.marks for paper in self._papers), self._spending, seconds, error, limit)

    async def _in_turn(self, calls: Sequence[_Call]) -> None:
        for call in calls:
            await self._make(call)
            if self._failure is not None or self._blocked:
                return

    async def _side_by_side(self, calls: Sequence[_Call]) -> None:
        tasks: list[asyncio.Task[None]] = []

        async def make(call: _Call) -> None:
            await self._make(call)
            if self._failure is not None:
                for task in tasks:
                    if task is not asyncio.current_task():
                        task.cancel()

        async with asyncio.TaskGroup() as group:
            tasks.extend(group.create_task(make(call)) for call in calls)

    async def _make(self, call: _Call) -> None:
        try:
            await call.paper.ask(call)
        except BudgetExhausted as error:
            self._limit = error
            self._blocked.append(call)
        except Exception as error:
            self._failure = self._failure or error


@dataclass(slots=True)
class _Call:
    """Samples of one test that one request asks for; those that are in are no longer among `draws`."""

    paper: _Paper
    temperature: float | None
    draws: tuple[Draw, ...]


class _Paper:
    """One test as it is put to the provider."""

    def __init__(
        self,
        number: int,
        test: TaskTest,
        setup: ProviderSetup,
        gateway: Gateway,
        samples: int,
        options: RunOptions,
    ) -> None:
        settings = resolve(test.task, setup.provider, options, setup.options)
        self._gateway = gateway
        self._test = test
        step = test.task.next_step(test.state) if test.step is None else test.task.step(test.step)
        if not isinstance(step, Step):
            raise InternalError(f"the test {test.name!r} is of a step that asks no model")
        self._step = step
        self._locals: Locals = self._step.state_locals(test.state)
        self._prompt: Prompt = self._step.render(test.state, self._locals)
        self._question = Question(number, self._step, test.state)
        self._judged: dict[tuple[str, str, int], tuple[str | None, str | None]] = {}
        self.marks = Marks(test, samples)
        policy = settings.steps[step.name]
        self._max_tokens = policy.max_tokens.value
        temperatures = policy.first_temperature.value, policy.temperature.value
        self.calls = [
            _Call(self, temperature, draws)
            for temperature, draws in _grouped(samples, *temperatures, max(1, setup.provider.samples_per_call))
        ]

    async def ask(self, call: _Call) -> None:
        """Draw the samples of a call; a provider that brings fewer replies is asked for the others again."""
        empty = 0
        while call.draws:
            request = Request(self._question, self._prompt, call.temperature, self._max_tokens, call.draws)
            completion = await self._gateway.sample(request)
            call.draws = call.draws[len(completion.replies) :]
            for reply in completion.replies:
                self._mark(reply)
            empty = 0 if completion.replies else empty + 1
            if empty >= MOST_EMPTY_ANSWERS:
                raise PermanentError("the provider answers, but without any reply", kind="empty")

    def _mark(self, reply: Reply) -> None:
        identity = (reply.text, reply.finish, reply.tokens)
        if identity not in self._judged:
            self._judged[identity] = self._judge(reply)
        flag, unmet = self._judged[identity]
        marks = self.marks
        if flag is not None:
            marks.flags[flag] += 1
        elif unmet is not None:
            marks.unmet[unmet] += 1
        else:
            marks.right += 1
            return
        if marks.first_wrong is None:
            marks.first_wrong = reply.text

    def _judge(self, reply: Reply) -> tuple[str | None, str | None]:
        """The flag's name, else the first `then` that does not hold; neither for a right reply."""
        test = self._test
        text = reply.text.encode("utf-8", "replace").decode("utf-8")
        raw = RawReply(text, reply.tokens, reply.finish)
        verdict = judge(test.task, self._step, test.state, self._locals, raw)
        if isinstance(verdict, Flag):
            return verdict.name, None
        for condition, holds in test.then:
            try:
                if not holds(verdict.state):
                    return None, condition
            except TaskError:
                return None, condition
        return None, None


def _grouped(
    samples: int, first: float | None, others: float | None, at_once: int
) -> Iterator[tuple[float | None, tuple[Draw, ...]]]:
    """Samples as calls of one temperature each: the first one apart if its own differs."""
    draws = tuple(Draw(slot, 0) for slot in range(samples))
    apart = 0 if first == others else 1
    if apart:
        yield first, draws[:1]
    for start in range(apart, samples, at_once):
        yield others, draws[start : start + at_once]
