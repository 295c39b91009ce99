"""Errors of the disk: each ends in a clear exception, and nothing acknowledged is lost."""

from __future__ import annotations

import errno
from functools import partial
from random import Random
from threading import Thread

import pytest
from journal_lab import LOG, RUN, Witness, live, new_disk, read_all, reopen, store

from maker_dsl.journal import DiskFull, Journal, JournalError, JournalFailed, JournalFenced, JournalMissing, MemoryDisk


def start(disk: MemoryDisk) -> Journal:
    return Journal.create(LOG, RUN, disk, segment_bytes=700)


def live_with_fault(kind: str, number: int, error: int) -> tuple[MemoryDisk, Witness, JournalError | None]:
    disk, witness = new_disk(), Witness()
    disk.fail_at[kind, number] = error
    try:
        live(disk, Random(5), witness, steps=60)
    except JournalError as failure:
        return disk, witness, failure
    return disk, witness, None


@pytest.mark.parametrize("kind", ["write", "sync", "create", "truncate", "allocate", "rename", "sync_directory"])
def test_an_io_error_anywhere_ends_the_journal_and_loses_nothing_durable(kind: str) -> None:
    number = 0
    while True:
        number += 1
        disk, witness, failure = live_with_fault(kind, number, errno.EIO)
        if failure is None:
            break
        assert isinstance(failure, JournalFailed)
        assert failure.error.errno == errno.EIO
        disk = disk.kill()
        disk.fail_at.clear()
        for seed in range(6):
            after = disk.power_cut(Random(seed))
            copy = Witness(list(witness.appended), 0, witness.durable, witness.exists)
            copy.check(after, at_least=witness.durable)
        try:
            opened = reopen(disk)
        except JournalMissing:
            assert not witness.exists
            continue
        witness.settle(opened)
        witness.append(opened.journal, 1, b"afterwards")
        witness.sync(opened.journal)
        for seed in range(6):
            # After a failed sync the system holds pages as clean that are not on disk: they must be there by now.
            witness.check(disk.power_cut(Random(seed)), at_least=witness.durable)
    assert number > 1


@pytest.mark.long
def test_a_failed_sync_anywhere_in_many_lives() -> None:
    for seed in range(60):
        for number in range(1, 25):
            disk, witness = new_disk(), Witness()
            disk.fail_at["sync", number] = errno.EIO
            try:
                live(disk, Random(seed), witness, steps=40)
            except JournalFailed:
                pass
            else:
                break
            disk = disk.kill()
            try:
                opened = reopen(disk)
            except JournalMissing:
                assert not witness.exists
                continue
            witness.settle(opened)
            for cut in range(3):
                witness.check(disk.power_cut(Random(cut)), at_least=witness.durable)


def test_all_that_a_failed_sync_left_in_doubt_is_written_again() -> None:
    disk, witness = new_disk(), Witness(exists=True)
    journal = Journal.create(LOG, RUN, disk)
    witness.append(journal, 1, b"in the first sync")
    ticket = journal.begin_sync()
    ticket.run()
    for _ in range(20):
        witness.append(journal, 1, b"before the first sync is known" * 10)
    journal.flush()
    journal.finish_sync(ticket)
    witness.append(journal, 1, b"says that the first record alone is on disk")
    disk.fail_at["sync", disk.counts["sync"] + 1] = errno.EIO
    with pytest.raises(JournalFailed):
        journal.sync()
    disk = disk.kill()
    witness.settle(reopen(disk))
    assert witness.durable == 22
    for seed in range(10):
        witness.check(disk.power_cut(Random(seed)), at_least=22)


def test_a_segment_that_could_not_be_begun_for_want_of_room_ends_the_one_before_all_the_same() -> None:
    disk, witness = new_disk(), Witness(exists=True)
    journal = Journal.create(LOG, RUN, disk, segment_bytes=1_000)
    witness.append(journal, 1, b"one")
    disk.fail_at["sync_directory", disk.counts["sync_directory"] + 1] = errno.ENOSPC
    with pytest.raises(DiskFull):
        journal.reserve_space(950)
    witness.append(journal, 1, b"two")
    witness.sync(journal)
    assert journal.position.segment == 2
    for seed in range(40):
        witness.check(disk.power_cut(Random(seed)), at_least=2)


def test_after_a_failed_sync_every_further_use_is_refused_and_no_sync_is_made() -> None:
    disk = new_disk()
    journal = start(disk)
    journal.append(1, b"one")
    ticket = journal.begin_sync()
    journal.append(1, b"two")
    later = journal.begin_sync()
    disk.fail_at["sync", disk.counts["sync"] + 1] = errno.EIO
    ticket.run()
    syncs = disk.counts["sync"]
    later.run()
    assert disk.counts["sync"] == syncs
    for use in (
        lambda: journal.finish_sync(later),
        lambda: journal.append(1, b"three"),
        journal.flush,
        journal.sync,
        journal.begin_sync,
        lambda: journal.reserve_space(1),
    ):
        with pytest.raises(JournalFailed):
            use()
    assert journal.durable_below == 0
    journal.close()


def test_a_failed_write_ends_the_journal_too() -> None:
    disk = new_disk()
    journal = start(disk)
    journal.append(1, b"one")
    disk.fail_at["write", disk.counts["write"] + 1] = errno.EIO
    with pytest.raises(JournalFailed, match=r"writing .*/00000001\.log failed: Input/output error"):
        journal.flush()
    with pytest.raises(JournalFailed):
        journal.append(1, b"two")
    assert read_all(disk) == []


def test_a_full_disk_loses_nothing_at_any_size() -> None:
    """At every capacity: each call that meets a full disk succeeds later, and the log is what it would have been."""
    expected = [(i % 3, bytes([i]) * (40 * (i % 4))) for i in range(30)]
    refusals: list[str] = []
    for capacity in range(130, 3200, 7):
        disk = new_disk()
        journal = start(disk)
        disk.capacity = capacity
        for type, payload in expected:
            for use in (partial(journal.append, type, payload), journal.flush, journal.sync):
                try:
                    use()
                except DiskFull as full:
                    refusals.append(str(full))
                    disk.capacity = None
                    use()
        journal.close()
        assert read_all(disk) == expected
    assert len(refusals) > 300
    assert all(text.startswith("the disk is full: ") and text.endswith(" are free") for text in refusals)


def test_a_kill_with_a_full_disk_leaves_a_log_that_opens_and_goes_on() -> None:
    for capacity in range(140, 1500, 11):
        disk, witness = new_disk(), Witness(exists=True)
        journal = start(disk)
        disk.capacity = capacity
        try:
            for i in range(20):
                witness.append(journal, 1, bytes([i]) * 60)
                witness.sync(journal)
        except DiskFull:
            pass
        disk = disk.kill()
        try:
            reopen(disk)
        except DiskFull:
            disk = disk.kill()
        disk.capacity = None
        opened = reopen(disk)
        witness.settle(opened)


def test_reserved_space_can_be_written_and_a_full_disk_is_known_before() -> None:
    disk = new_disk()
    journal = Journal.create(LOG, RUN, disk, segment_bytes=100_000)
    disk.capacity = 5_000
    journal.reserve_space(4_000)
    disk.capacity = 0  # others took the rest
    for _ in range(40):
        journal.append(1, b"x" * 54)
    journal.sync()
    with pytest.raises(DiskFull):
        journal.reserve_space(4_000)
    assert len(read_all(disk)) == 40
    disk.capacity = None
    journal.reserve_space(4_000)
    journal.close()
    assert len(disk.content(LOG / "00000001.log")) == 128 + 41 * 46 + 40 * 54


def test_where_files_cannot_be_allocated_free_space_is_asked_for() -> None:
    disk = new_disk()
    journal = start(disk)
    disk.capacity = 1_000
    for number in (1, 2, 3):
        disk.fail_at["allocate", number] = errno.EOPNOTSUPP
    with pytest.raises(DiskFull):
        journal.reserve_space(5_000)


def test_reserved_room_left_by_a_kill_is_no_torn_tail() -> None:
    disk, witness = new_disk(), Witness(exists=True)
    journal = Journal.create(LOG, RUN, disk, segment_bytes=100_000)
    journal.reserve_space(4_000)
    witness.append(journal, 1, b"one")
    witness.flush(journal)
    opened = reopen(disk.kill())
    assert opened.report.torn is None
    witness.settle(opened)


def test_a_writer_that_was_taken_over_acknowledges_nothing_more() -> None:
    disk, witness = new_disk(), Witness(exists=True)
    late = start(disk)
    witness.append(late, 1, b"one")
    witness.sync(late)
    opened = reopen(disk)
    witness.settle(opened)
    assert opened.journal.epoch == late.epoch + 1 == 2
    late.append(1, b"too late")
    with pytest.raises(JournalFenced, match="another process has taken over"):
        late.sync()
    assert late.durable_below == 1
    witness.append(opened.journal, 1, b"two")
    witness.sync(opened.journal)
    witness.check(disk, at_least=2)
    with pytest.raises(JournalFenced):
        late.append(1, b"still there")
    opened = reopen(disk)
    witness.settle(opened)
    assert opened.journal.epoch == 3


def test_a_late_writer_cannot_begin_the_next_segment_either() -> None:
    disk = new_disk()
    late = start(disk)
    late.append(1, b"x" * 700)
    late.sync()
    reopen(disk)
    with pytest.raises(JournalFenced):
        late.append(1, b"rotates")


def test_a_ticket_runs_in_any_thread_while_appending_goes_on() -> None:
    disk, witness = new_disk(), Witness(exists=True)
    journal = start(disk)
    for round in range(10):
        witness.append(journal, 1, bytes([round]) * 100)
        ticket = journal.begin_sync()
        thread = Thread(target=ticket.run)
        thread.start()
        witness.append(journal, 2, b"meanwhile")
        thread.join()
        assert journal.finish_sync(ticket) == ticket.below
        witness.durable = ticket.below
        witness.check(disk.power_cut(Random(round)), at_least=ticket.below)
    with pytest.raises(ValueError, match="has not run"):
        journal.finish_sync(journal.begin_sync())


def test_a_snapshot_may_not_be_ahead_of_the_disk() -> None:
    disk = new_disk()
    journal = start(disk)
    journal.append(1, b"one")
    with pytest.raises(ValueError, match="ahead of"):
        store(disk).write(b"state", journal.position, journal.durable_below)


def test_what_does_not_fit_the_format_is_refused_before_it_is_taken() -> None:
    journal = start(new_disk())
    for type, size in ((-1, 0), (0xFFFF, 0), (1, (16 << 20) + 1)):
        with pytest.raises(ValueError, match="does not fit"):
            journal.append(type, bytes(size))
    assert journal.append(0xFFFE, bytes(16 << 20)) == 0
    journal.append(1, b"after the largest")
    journal.close()
    journal.close()
    with pytest.raises(ValueError, match="closed"):
        journal.append(1, b"")
