"""Limits come before spending, and hold through crashes."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from engine_lab import DyingDisk, countdown, load_countdown, memory_world, new_run, only_run, right
from hypothesis import given, settings
from hypothesis import strategies as st

from maker_dsl.engine.budget import NOTHING, Amounts, RunBudget
from maker_dsl.engine.inspection import read_events, read_status
from maker_dsl.engine.records import CallRecord, GrantRecord, ResumedRecord
from maker_dsl.engine.report import RunReport
from maker_dsl.engine.settings import Caps, RunOptions, SettingsRefused
from maker_dsl.engine.start import ProviderSetup, resume_run
from maker_dsl.journal import MemoryDisk
from maker_dsl.journal.memory_disk import Stopped
from maker_dsl.providers.clock import FakeClock, run_virtually
from maker_dsl.providers.ledger import BudgetExhausted, WorstCase
from maker_dsl.providers.port import Completion, Price, Request, TransientError, Usage
from maker_dsl.providers.scripted import Answer, ScriptedProvider

PRICE = Price(1000.0, 2000.0)
"""USD per million: a tenth of a cent a token of input."""


class Metered(ScriptedProvider):
    """Counts what it would bill, also for calls whose answer nobody waited for."""

    def __init__(self, script: Any, *, seed: int = 0, price: Price | None = PRICE, **more: Any) -> None:
        super().__init__(script, price=price, clock=FakeClock(), **more)
        self.random = Random(seed)
        self.billed_usd = 0.0
        self.billed_tokens = 0
        self.drawn = 0

    async def complete(self, request: Request) -> Completion:
        usage = Usage(self.random.randint(1, self.input_bound(request.prompt)), 0)
        for _ in request.draws:
            usage = Usage(usage.input_tokens, usage.output_tokens + self.random.randint(1, request.max_tokens or 10))
        self.billed_usd += PRICE.cost_usd(usage)
        self.billed_tokens += usage.input_tokens + usage.output_tokens
        self.drawn += len(request.draws)
        completion = await super().complete(request)
        return Completion(completion.replies, None if completion.usage is None else usage)


def faulty(seed: int = 0) -> Any:
    """Some calls fail without a word, some answer without usage, all take a while."""
    random = Random(seed)

    def script(request: Request) -> Answer:
        luck = random.random()
        if luck < 0.1:
            return Answer(error=TransientError("gone", kind="dropped"), delay_s=0.2)
        return Answer((right(request),), delay_s=random.random(), usage=None if luck < 0.2 else Usage(1, 1))

    return script


def setup(provider: ScriptedProvider) -> ProviderSetup:
    return ProviderSetup(provider, options=RunOptions(max_tokens=50))


def start(provider: ScriptedProvider, disk: MemoryDisk, steps: int = 40, **asked: Any) -> RunReport:
    async def main() -> RunReport:
        return await new_run(countdown(steps), setup(provider), memory_world(disk), **asked).go()

    return run_virtually(main())


def resume(provider: ScriptedProvider, disk: MemoryDisk, **asked: Any) -> RunReport:
    async def main() -> RunReport:
        return await resume_run(
            only_run(disk),
            load_countdown(),
            lambda _task, _record: setup(provider),
            RunOptions(**asked),
            world=memory_world(disk),
        )

    return run_virtually(main())


@pytest.mark.parametrize("limit", [0.0, 0.05, 0.2, 1.0, 3.0])
@pytest.mark.parametrize("samples_per_call", [1, 4])
def test_law_6_the_limit_on_money_is_never_passed(limit: float, samples_per_call: int) -> None:
    provider = Metered(faulty(), samples_per_call=samples_per_call)
    report = start(provider, MemoryDisk(), max_cost_usd=limit)
    assert report.status == "limit"
    assert report.reason is not None
    assert "--max-cost" in report.reason
    assert provider.billed_usd <= limit
    assert report.cost_usd is not None
    assert provider.billed_usd <= report.cost_usd + 1e-9 <= limit + 2e-9


def test_law_6_limits_on_samples_and_tokens_are_never_passed() -> None:
    for seed in range(5):
        provider = Metered(faulty(seed), seed=seed, samples_per_call=2)
        report = start(provider, MemoryDisk(), max_total_samples=25)
        assert (report.status, provider.drawn <= 25) == ("limit", True)
        provider = Metered(faulty(seed), seed=seed, samples_per_call=2)
        report = start(provider, MemoryDisk(), max_total_tokens=2000)
        assert (report.status, provider.billed_tokens <= 2000) == ("limit", True)
        assert provider.billed_tokens > 1000


def test_calls_under_way_count_at_their_worst_until_they_settle() -> None:
    """Three calls fit one after the other, not side by side: the third is drawn when the others have settled."""
    provider = Metered(lambda request: Answer((right(request),), delay_s=1.0))
    worst = (provider.input_bound(countdown(1).steps[0].render({"n": 1}, {})) * 1000 + 50 * 2000) / 1e6
    provider.random = Random(1)
    provider.random.randint = lambda low, high: low  # type: ignore[method-assign]
    report = start(provider, MemoryDisk(), steps=1, max_cost_usd=worst * 2 + 0.01)
    assert (report.status, report.samples, report.seconds) == ("done", 3, 2.0)


@settings(deadline=None)
@given(st.integers(0, 2**32), st.floats(0.1, 2.0), st.booleans())
def test_law_6_the_limit_on_money_holds_through_crashes(seed: int, limit: float, power: bool) -> None:
    random = Random(seed)
    provider = Metered(faulty(seed), seed=seed)
    disk = DyingDisk()
    disk.stop_at = random.randrange(20, 300)
    status = "killed"
    for round_number in range(8):
        try:
            report = start(provider, disk, max_cost_usd=limit) if round_number == 0 else resume(provider, disk)
        except (Stopped, BaseExceptionGroup):
            disk = DyingDisk.after(disk.power_cut(random) if power else disk.kill())
            disk.stop_at = random.randrange(20, 300)
            continue
        status = report.status
        assert report.cost_usd is not None
        assert provider.billed_usd <= report.cost_usd + 1e-9
        break
    assert provider.billed_usd <= limit
    assert status in ("killed", "limit", "done")


def test_a_grant_is_on_disk_before_a_call_is_paid_from_it() -> None:
    disk = MemoryDisk()
    seen: list[float] = []

    def script(request: Request) -> Answer:
        after_a_power_cut = disk.power_cut(Random(0))
        grants = [event for event in read_events(only_run(after_a_power_cut)) if isinstance(event, GrantRecord)]
        seen.append(grants[-1].cost_usd)
        return Answer((right(request),))

    provider = Metered(script)
    report = start(provider, disk, steps=5, max_cost_usd=10.0)
    assert report.status == "done"
    assert len(seen) == 15
    assert report.cost_usd is not None
    assert seen[-1] >= report.cost_usd


def test_after_a_kill_the_unsettled_rest_of_the_grants_counts_as_spent() -> None:
    disk: MemoryDisk = DyingDisk()

    def script(request: Request) -> Answer:
        if request.question.index == 3:
            disk.stop_at = 0
            raise Stopped(0)
        return Answer((right(request),))

    with pytest.raises(BaseException):  # noqa: B017
        start(Metered(script), disk, max_cost_usd=5.0)
    disk = disk.kill()
    before = list(read_events(only_run(disk)))
    granted = [event for event in before if isinstance(event, GrantRecord)][-1].cost_usd
    spent = sum(event.cost_usd or 0.0 for event in before if isinstance(event, CallRecord))
    report = resume(Metered(right), disk, max_steps=3)
    (resumed,) = [event for event in read_events(only_run(disk)) if isinstance(event, ResumedRecord)]
    assert resumed.forfeited[0] == pytest.approx(granted - spent)
    assert 0 < resumed.forfeited[0] < 1.0
    assert report.cost_usd == pytest.approx(granted)


def test_a_clean_stop_gives_the_rest_of_the_grants_back() -> None:
    disk = MemoryDisk()
    first = start(Metered(right), disk, max_cost_usd=9.0, max_steps=3)
    again = resume(Metered(right), disk, max_steps=3)
    assert again.cost_usd == first.cost_usd
    (resumed,) = [event for event in read_events(only_run(disk)) if isinstance(event, ResumedRecord)]
    assert resumed.forfeited == (0.0, 0, 0)
    assert resume(Metered(right), disk, max_steps=100).status == "done"
    progress = read_status(only_run(disk)).progress
    assert progress.max_cost_usd == 9.0


def test_the_limit_can_be_raised_on_resume() -> None:
    disk = MemoryDisk()
    assert start(Metered(right), disk, max_cost_usd=0.5).status == "limit"
    assert resume(Metered(right), disk).status == "limit"
    assert resume(Metered(right), disk, max_cost_usd=100.0).status == "done"


def test_a_limit_on_money_needs_a_known_price() -> None:
    disk = MemoryDisk()
    with pytest.raises(SettingsRefused) as refused:
        start(Metered(right, price=None), disk, max_cost_usd=1.0)
    (diagnostic,) = refused.value.diagnostics
    assert diagnostic.code == "MK550"
    assert diagnostic.help is not None
    assert "[price]" in diagnostic.help


def test_a_limit_on_money_needs_a_cap_on_the_length_of_a_reply() -> None:
    async def main() -> None:
        new_run(countdown(2), ProviderSetup(Metered(right)), memory_world(), max_cost_usd=1.0)

    with pytest.raises(SettingsRefused) as refused:
        run_virtually(main())
    assert [diagnostic.code for diagnostic in refused.value.diagnostics] == ["MK551"]


def test_without_a_price_the_cost_is_unknown_rather_than_nothing() -> None:
    assert start(Metered(right, price=None), MemoryDisk(), steps=2).cost_usd is None


WORST = st.builds(WorstCase, st.integers(1, 4), st.integers(0, 100), st.integers(0, 100), st.floats(0, 1))


@settings(deadline=None)
@given(
    st.lists(st.tuples(WORST, st.sampled_from(["settle", "keep", "later"]), st.floats(0, 1)), max_size=40),
    st.floats(0, 10),
)
def test_settled_and_under_way_never_pass_what_is_granted_nor_that_the_limit(calls: list[Any], limit: float) -> None:
    granted = [NOTHING]
    budget = RunBudget(Caps(max_cost_usd=limit), NOTHING, NOTHING, granted.append)
    later: list[Any] = []
    for worst, how, share in calls:
        try:
            reservation = budget.reserve(worst)
        except BudgetExhausted:
            continue
        assert budget.spent.cost_usd + budget.in_flight.cost_usd <= granted[-1].cost_usd + 1e-9 <= limit + 1e-9
        if how == "later":
            later.append(reservation)
        elif how == "keep":
            reservation.keep()
        else:
            reservation.settle(Usage(1, 1), worst.cost_usd * share)
    for reservation in later:
        reservation.keep()
    assert budget.in_flight.cost_usd == pytest.approx(0, abs=1e-9)
    assert isinstance(budget.spent, Amounts)
    assert budget.spent.cost_usd <= limit + 1e-9
