"""Kills and power cuts at any moment: a prefix of what was appended is left, with all that was acknowledged."""

from __future__ import annotations

from contextlib import suppress
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from journal_lab import Witness, live, live_until_stopped, new_disk, reopen

from maker_dsl.journal import JournalMissing, MemoryDisk
from maker_dsl.journal.memory_disk import Stopped


def survive(disk: MemoryDisk, witness: Witness) -> None:
    """The journal opens, holds what it must, and goes on."""
    try:
        opened = reopen(disk)
    except JournalMissing:
        assert not witness.exists
        return
    witness.exists = True
    witness.settle(opened)
    witness.append(opened.journal, 9, b"afterwards")
    witness.sync(opened.journal)
    witness.check(disk, at_least=len(witness.appended))


def copy(witness: Witness) -> Witness:
    return Witness(list(witness.appended), witness.flushed, witness.durable, witness.exists)


def play_power_cuts(seed: int, cuts_per_life: int) -> int:
    """Three lives, each ended anywhere, by a kill or a power cut; returns how many power cuts were survived."""
    random = Random(seed)
    # Small sectors give short logs as many combinations as real ones have in long logs.
    disk, witness = new_disk(random.choice((64, 64, 512, 4096))), Witness()
    cuts = 0
    for _ in range(3):
        live_until_stopped(disk, random, witness, random.randint(1, 60))
        for _ in range(cuts_per_life):
            after = disk.power_cut(random)
            survive(after, copy(witness))
            cuts += 1
        if random.random() < 0.5:
            disk = disk.kill()
            witness.check(disk, at_least=witness.flushed)
        else:
            disk = disk.power_cut(random)
            witness.flushed = witness.durable
            cuts += 1
    survive(disk, witness)
    return cuts


def test_power_cuts_lose_nothing_durable_and_admit_nothing_wrong() -> None:
    assert sum(play_power_cuts(seed, 2) for seed in range(60)) > 400


@pytest.mark.long
def test_ten_thousand_power_cuts() -> None:
    seed = cuts = 0
    while cuts < 10_000:
        cuts += play_power_cuts(10_000 + seed, 8)
        seed += 1


def test_a_kill_at_any_operation_costs_nothing_that_was_flushed() -> None:
    """Every operation of a life, recovery of an earlier one included, is tried as the last."""
    for operations in range(1, 70):
        disk, witness = new_disk(), Witness()
        live(disk, Random(1), witness)
        disk = disk.kill()
        live_until_stopped(disk, Random(2), witness, operations)
        disk = disk.kill()
        witness.check(disk, at_least=witness.flushed)
        survive(disk, witness)


def test_a_power_cut_at_any_operation_of_a_recovery() -> None:
    random = Random(3)
    for operations in range(1, 20):
        for _ in range(5):
            disk, witness = new_disk(), Witness()
            live(disk, Random(4), witness)
            disk = disk.power_cut(random)
            live_until_stopped(disk, random, witness, operations)
            survive(disk.power_cut(random), witness)


def test_a_power_cut_in_a_recovery_after_a_kill_in_a_recovery() -> None:
    """Every pair of operations: what the first recovery left unsynced, the second must not build on."""
    random = Random(6)
    for first in range(1, 14):
        for second in range(1, 14):
            disk, witness = new_disk(64), Witness()
            live(disk, Random(4), witness, steps=5)
            disk = disk.kill()
            for operations in (first, second):
                disk = disk.kill()
                disk.stop_at = operations
                with suppress(Stopped):
                    reopen(disk)
            for _ in range(6):
                survive(disk.power_cut(random), copy(witness))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), operations=st.lists(st.integers(1, 50), min_size=1, max_size=4), cut=st.booleans())
def test_for_every_prefix_of_a_history_reopening_gives_a_prefix(seed: int, operations: list[int], cut: bool) -> None:
    random = Random(seed)
    disk, witness = new_disk(), Witness()
    for count in operations:
        live_until_stopped(disk, random, witness, count)
        if cut:
            witness.flushed = witness.durable
        disk = disk.power_cut(random) if cut else disk.kill()
        witness.check(disk, at_least=witness.durable if cut else witness.flushed)
    survive(disk, witness)
