"""The simulated model's draws for sub-runs depend on where they stand, not on who else is at work."""

from __future__ import annotations

from typing import Any

import pytest
from engine_lab import RUNS, memory_world, only_run

from maker_dsl.engine.inspection import read_events
from maker_dsl.engine.records import DecisionRecord, SubRunRecord
from maker_dsl.engine.report import RunReport
from maker_dsl.engine.settings import RunOptions
from maker_dsl.engine.start import ProviderSetup, begin_run, decode_inputs
from maker_dsl.engine.verification import verify_run
from maker_dsl.language import load
from maker_dsl.providers.clock import FakeClock, run_virtually
from maker_dsl.providers.gateway import Limits
from maker_dsl.simulation.provider import SimulatedProvider
from maker_dsl.simulation.rates import Rates
from maker_dsl.task import Task

NUMBERS = [number * 37 % 101 for number in range(40)]


def sort(inputs: dict[str, Any]) -> Task:
    program = load("sort").program
    assert program is not None
    return program.bind(inputs)


def decided(rates: Rates, limits: Limits, seed: int = 3) -> tuple[RunReport, list[tuple[Any, ...]]]:
    """How a run ended, and its decisions by place."""
    world = memory_world()

    async def main() -> RunReport:
        task = sort({"numbers": NUMBERS})
        setup = ProviderSetup(SimulatedProvider(task, rates, seed, clock=FakeClock(), samples_per_call=1), limits)
        return await begin_run(task, setup, RunOptions(), RUNS, world=world).go()

    report = run_virtually(main())
    directory = only_run(world.disk)
    verification = verify_run(directory, lambda _text, record: sort(decode_inputs(record.inputs)))
    assert (verification.mismatch, verification.wrong_steps) == (None, 0)
    places: dict[int, tuple[Any, ...]] = {0: ()}
    found = []
    for event in read_events(directory):
        if isinstance(event, SubRunRecord):
            places[event.number] = (*places[event.parent], event.step, event.name)
        if isinstance(event, DecisionRecord):
            votes = sorted(count for _, count in event.votes)
            found.append((places[event.sub], event.step, event.value, votes, event.samples))
    return report, sorted(found, key=str)


@pytest.mark.parametrize("limits", [Limits(), Limits(concurrency=2)])
def test_sub_runs_draw_the_same_side_by_side_as_one_after_the_other(limits: Limits) -> None:
    kinds = {"wrong": 0.1, "malformed": 0.05, "overlong": 0.05, "truncated": 0.02, "error_429": 0.05}
    in_turn, expected = decided(Rates.model_validate(kinds), Limits())
    together, found = decided(Rates.model_validate({**kinds, "latency": "lognormal(1.0, 0.8)"}), limits)
    assert (in_turn.status, in_turn.result) == ("done", {"sorted": sorted(NUMBERS)})
    assert found == expected
    assert (together.samples, together.votes, together.flags) == (in_turn.samples, in_turn.votes, in_turn.flags)
    assert max(samples for *_, samples in found) > 4


def test_equal_sub_runs_draw_differently() -> None:
    _, found = decided(Rates(wrong=0.2), Limits())
    firsts = [votes for place, step, _, votes, _ in found if step == 0 and place]
    assert len({tuple(votes) for votes in firsts}) > 1
