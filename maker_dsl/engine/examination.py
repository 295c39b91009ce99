"""Live tests: the states of tests are put to a provider, each as often as asked, and every reply is judged.

Used by `maker test --provider`. Calls take the way of every run's: gateway, retries, rates, budget. Nothing is
journaled, since there is nothing to go on with: a process that dies has spent what it has spent, at most the limit.

Invariant: samples are drawn as a step draws its slots (the first at the first temperature, the others at the
task's, over all wordings in turn, thoughts put into form), a flagged one is not redrawn, and each counts once.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from maker_dsl.engine.budget import NOTHING, RunBudget
from maker_dsl.engine.constraints import Constraints
from maker_dsl.engine.exam_paper import Marks, Paper, PaperCall
from maker_dsl.engine.gateways import Gateways
from maker_dsl.engine.records import MAIN_PROFILE, ConstraintRecord
from maker_dsl.engine.settings import Caps, RunOptions
from maker_dsl.engine.start import ProviderSetup
from maker_dsl.providers.clock import Clock
from maker_dsl.providers.gateway import Gateway
from maker_dsl.providers.ledger import BudgetExhausted, Call
from maker_dsl.providers.port import Completion, ProviderError
from maker_dsl.task import TaskTest


@dataclass(slots=True)
class Spending:
    """What a provider's calls came to; the ledger of its gateway."""

    calls: int = 0
    retries: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    """Attempts that brought no reply, by what happened."""
    input_tokens: int = 0
    output_tokens: int = 0
    known_usd: float = 0.0
    uncosted: int = 0
    """Calls of which nobody knows what they cost: no price is known, or they were given up."""

    def __call__(self, call: Call) -> None:
        """Take note of one attempt."""
        self.calls += 1
        self.retries += call.attempt > 0
        if call.outcome != "ok":
            self.failed[call.outcome] += 1
        if call.usage is not None:
            self.input_tokens += call.usage.input_tokens
            self.output_tokens += call.usage.output_tokens
        self.uncosted += call.cost_usd is None
        self.known_usd += call.cost_usd or 0.0

    @property
    def cost_usd(self) -> float | None:
        """What is known of the cost; None where nothing is."""
        return None if self.calls and self.uncosted == self.calls else self.known_usd


@dataclass(frozen=True, slots=True)
class Examination:
    """How a provider did on all tests. `error` or `limit` says what kept samples from being drawn."""

    marks: tuple[Marks, ...]
    spending: Spending
    seconds: float
    error: ProviderError | None = None
    limit: BudgetExhausted | None = None
    notes: tuple[str, ...] = ()
    """What people should know of the provider."""


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
        spending: Spending | None = None,
    ) -> None:
        self._clock = clock
        self._spending = Spending() if spending is None else spending
        self._notes: list[str] = []
        self._gateways: dict[int, Gateway] = {}
        self._papers: list[Paper] = []
        self._constraints: dict[int, Constraints] = {}
        for number, (test, setup) in enumerate(zip(tests, setups, strict=True)):
            gateway = self._gateways.get(id(setup))
            if gateway is None:
                gateway = self._gateways[id(setup)] = Gateway(
                    setup.provider, setup.limits, setup.retry, clock, random, self._spending, budget
                )
                self._constraints[id(gateway)] = Constraints(Gateways(gateway), random, self)
            self._papers.append(self._paper(number, test, setup, gateway, samples, options))
        self._answers_at_once = all(setup.provider.answers_at_once for setup in setups)
        self._began_s: float | None = None
        self._failure: Exception | None = None
        self._blocked: list[PaperCall] = []
        self._limit: BudgetExhausted | None = None

    def _paper(
        self,
        number: int,
        test: TaskTest,
        setup: ProviderSetup,
        gateway: Gateway,
        samples: int,
        options: RunOptions,
    ) -> Paper:
        """How a test is put to the provider; calibrations have papers of their own."""
        return Paper(number, test, setup, gateway, samples, options)

    async def examine(self) -> Examination:
        """Draw all samples, or as many as the limit and the provider allow.

        Raises TaskError where the task's own text fails. A cancellation gives up the calls under way; `so_far` has the
        others.
        """
        self._began_s = self._clock.now_s()
        calls = [call for paper in self._papers for call in paper.calls]
        try:
            if not await self._constrain():
                calls = []
            if self._answers_at_once:
                await self._in_turn(calls)
            else:
                await self._side_by_side(calls)
                # What did not fit beside calls under way at their worst may fit now that they are settled.
                if calls:
                    blocked, self._blocked = self._blocked, []
                    await self._in_turn(blocked)
        finally:
            for gateway in self._gateways.values():
                await gateway.close()
        if self._failure is not None and not isinstance(self._failure, ProviderError):
            raise self._failure
        return self.so_far()

    def so_far(self) -> Examination:
        """What has been drawn, also where the examination was cancelled or has not begun."""
        error = self._failure if isinstance(self._failure, ProviderError) else None
        limit = self._limit if self._blocked else None
        seconds = 0.0 if self._began_s is None else self._clock.now_s() - self._began_s
        return Examination(
            tuple(paper.marks for paper in self._papers), self._spending, seconds, error, limit, tuple(self._notes)
        )

    async def _constrain(self) -> bool:
        """Prove what constrains replies; whether there is anything to go on with."""
        try:
            for number, constraints in self._constraints.items():
                own = (paper.most_tokens for paper in self._papers if id(paper.gateway) == number)
                await constraints.prove({MAIN_PROFILE: max(own, default=0)})
            for paper in self._papers:
                paper.hold_to(self._constraints[id(paper.gateway)])
        except BudgetExhausted as error:
            self._limit = error
            self._blocked = [call for paper in self._papers for call in paper.calls]
            return False
        except ProviderError as error:
            self._failure = error
            return False
        return True

    def paid(self, completion: Completion) -> None:
        """The gateway's ledger has the proof's call already."""

    def found(self, record: ConstraintRecord) -> None:
        """Nothing is kept of a test."""

    def told(self, text: str) -> None:
        """What came of constrained decoding, for people."""
        self._notes.append(text)

    async def _in_turn(self, calls: Sequence[PaperCall]) -> None:
        for call in calls:
            await self._make(call)
            if self._failure is not None or self._blocked:
                return

    async def _side_by_side(self, calls: Sequence[PaperCall]) -> None:
        tasks: list[asyncio.Task[None]] = []

        async def make(call: PaperCall) -> None:
            await self._make(call)
            if self._failure is not None:
                for task in tasks:
                    if task is not asyncio.current_task():
                        task.cancel()

        async with asyncio.TaskGroup() as group:
            tasks.extend(group.create_task(make(call)) for call in calls)

    async def _make(self, call: PaperCall) -> None:
        try:
            await call.paper.ask(call)
        except BudgetExhausted as error:
            self._limit = error
            self._blocked.append(call)
        except Exception as error:
            self._failure = self._failure or error
