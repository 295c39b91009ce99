"""Who waits for steps under way is woken one by one, and nobody is left behind."""

from __future__ import annotations

import asyncio

from maker_dsl.engine.under_way import StepsUnderWay
from maker_dsl.providers.clock import run_virtually


def woken(ends: list[bool], waiting: int = 3, cancelled: tuple[int, ...] = ()) -> list[int]:
    """How many are awake after each end of as many steps; `ends` says which of them has freed something."""

    async def main() -> list[int]:
        steps = StepsUnderWay()
        steps.count = len(ends)
        tasks = [asyncio.ensure_future(steps.wait()) for _ in range(waiting)]
        await asyncio.sleep(0)
        for number in cancelled:
            tasks[number].cancel()
        await asyncio.sleep(0)
        counts = []
        for has_freed in ends:
            steps.over(has_freed)
            await asyncio.sleep(0)
            counts.append(sum(task.done() and not task.cancelled() for task in tasks))
        return counts

    return run_virtually(main())


def test_a_step_that_is_over_wakes_one() -> None:
    assert woken([True, True, True, True]) == [1, 2, 3, 3]


def test_a_step_that_has_freed_nothing_wakes_nobody_unless_it_was_the_last() -> None:
    assert woken([False, False, False]) == [0, 0, 3]


def test_the_last_step_wakes_all() -> None:
    assert woken([True]) == [3]


def test_who_was_cancelled_is_passed_over() -> None:
    assert woken([True, True], cancelled=(0,)) == [1, 2]
