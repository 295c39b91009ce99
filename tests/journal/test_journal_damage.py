"""Bytes changed, cut, moved, taken from elsewhere: never accepted as what was written, never a loss unnoticed."""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Callable, Iterator

import pytest
from journal_lab import LOG, RUN, SNAPSHOTS, new_disk, read_all, reopen, store

from maker_dsl.journal import (
    Journal,
    JournalDamaged,
    JournalError,
    JournalMissing,
    JournalTooNew,
    MemoryDisk,
    NotAJournal,
    Reader,
    segment_starts,
)
from maker_dsl.journal.format import RECORD_HEAD, crc_seed, encode_record, next_chain

FIRST, SECOND, THIRD = (LOG / f"0000000{number}.log" for number in (1, 2, 3))
WRITTEN = [(i % 3, b"payload %d " % i + b"x" * (i * 3)) for i in range(9)]
OVERHEAD = 46


def written(run_id: str = RUN, *, closed: bool, records: list[tuple[int, bytes]] = WRITTEN) -> MemoryDisk:
    """A journal in three segments of about three records, synced after the fifth and the seventh."""
    disk = new_disk()
    journal = Journal.create(LOG, run_id, disk, segment_bytes=280)
    for sequence, (type, payload) in enumerate(records):
        journal.append(type, payload)
        if sequence in (4, 6):
            journal.sync()
    if closed:
        journal.close()
    else:
        journal.flush()
    return disk


def outcome(disk: MemoryDisk) -> list[tuple[int, bytes]] | None:
    """What is read, None if refused; recovery must judge the same, and change nothing when it refuses."""
    before = files(disk)
    try:
        found = read_all(disk)
    except JournalError:
        found = None
    try:
        opened = reopen(disk)
    except JournalError:
        assert found is None
        assert files(disk) == before
        return None
    assert found is not None
    assert [(record.type, record.payload) for record in opened.records()] == found
    return found


def files(disk: MemoryDisk) -> dict[str, bytes]:
    return {name: bytes(disk.content(LOG / name)) for name in disk.names(LOG)}


ALL_BITS = pytest.mark.parametrize("step", [13, pytest.param(1, marks=pytest.mark.long)])
"""Every thirteenth bit in the quick run, every bit in the long one."""


def flips(disk: MemoryDisk, step: int) -> Iterator[tuple[str, int, MemoryDisk]]:
    for name, content in files(disk).items():
        for bit in range(0, len(content) * 8, step):
            flipped = disk.kill()
            flipped.content(LOG / name)[bit // 8] ^= 1 << bit % 8
            yield name, bit // 8, flipped


def record_starts(disk: MemoryDisk) -> list[tuple[int, int]]:
    with Reader(LOG, disk) as reader:
        return [(record.segment, record.offset) for record in reader.tail()]


@ALL_BITS
def test_every_bit_flip_of_a_closed_journal_is_refused_unless_it_harms_no_record(step: int) -> None:
    disk = written(closed=True)
    seal = len(disk.content(THIRD)) - OVERHEAD
    for name, at, flipped in flips(disk, step):
        found = outcome(flipped)
        assert found == (None if (name, at) < (THIRD.name, seal) else WRITTEN)


@ALL_BITS
def test_every_bit_flip_of_a_killed_writers_journal_is_refused_or_cuts_off_what_was_never_durable(step: int) -> None:
    disk = written(closed=False)
    durable = 7
    for name, at, flipped in flips(disk, step):
        found = outcome(flipped)
        if found is not None:
            assert found == WRITTEN[: len(found)]
            assert len(found) >= durable, (name, at)


def test_every_truncation_leaves_a_prefix_or_is_refused() -> None:
    for closed in (True, False):
        disk = written(closed=closed)
        starts = record_starts(disk)
        for name, content in files(disk).items():
            for length in range(len(content)):
                cut = disk.kill()
                del cut.content(LOG / name)[length:]
                found = outcome(cut)
                if name != THIRD.name:
                    assert found is None
                else:
                    whole = [start for segment, start in starts if segment == 3 and start < length]
                    ends = [*whole[1:], length] if whole else []
                    if length < 128:
                        assert found == WRITTEN[:6]
                    else:
                        complete = sum(
                            1
                            for start, end in zip(whole, ends, strict=True)
                            if end - start >= OVERHEAD + len(WRITTEN[starts.index((3, start))][1])
                        )
                        assert found == WRITTEN[: 6 + complete]


def test_a_snapshot_proves_that_a_truncated_log_was_longer() -> None:
    disk = new_disk()
    journal = Journal.create(LOG, RUN, disk)
    for type, payload in WRITTEN:
        journal.append(type, payload)
    journal.sync()
    store(disk).write(b"state after 9", journal.position, journal.durable_below)
    length = len(disk.content(FIRST))
    for cut_to in range(128, length):
        cut = disk.kill()
        del cut.content(FIRST)[cut_to:]
        with pytest.raises(JournalDamaged, match="a snapshot was taken at record 9"):
            reopen(cut)


def test_a_snapshot_proves_that_there_was_a_log() -> None:
    disk = new_disk()
    journal = Journal.create(LOG, RUN, disk)
    journal.append(1, b"one")
    journal.sync()
    store(disk).write(b"state after 1", journal.position, journal.durable_below)
    disk.remove(FIRST)
    with pytest.raises(JournalDamaged, match=r"the file is missing \(a snapshot was taken of it\)"):
        reopen(disk)


def test_a_reader_does_not_begin_at_a_position_of_another_past() -> None:
    disk = written(closed=True)
    with Reader(LOG, other_past()) as reader:
        list(reader.tail(5))
        foreign = reader.position
    with pytest.raises(JournalDamaged, match="the record before it is another"):
        Reader(LOG, disk, foreign)


def other_past() -> MemoryDisk:
    """The same run with other payloads of the same lengths, so that each record is valid in the same place."""
    return written(closed=True, records=[(type, payload.upper()) for type, payload in WRITTEN])


def test_a_record_or_seal_of_another_past_does_not_continue_this_one() -> None:
    disk, other = written(closed=True), other_past()
    at = [start for segment, start in record_starts(disk) if segment == 3]
    end = len(disk.content(THIRD))
    spliced = disk.kill()
    spliced.content(THIRD)[at[1] : at[2]] = other.content(THIRD)[at[1] : at[2]]
    with pytest.raises(JournalDamaged, match="does not continue the record before it"):
        reopen(spliced)
    assert outcome(spliced) is None
    spliced = disk.kill()
    spliced.content(THIRD)[end - OVERHEAD :] = other.content(THIRD)[end - OVERHEAD :]
    with Reader(LOG, spliced) as reader:
        list(reader.tail())
        assert reader.torn == "it seals another past"
        assert not reader.is_sealed
    assert outcome(spliced) == WRITTEN


def test_a_record_with_a_wrong_number_is_refused_however_well_it_is_made() -> None:
    disk = new_disk()
    journal = Journal.create(LOG, RUN, disk)
    chain = bytes.fromhex(journal.head)
    head = RECORD_HEAD.pack(3, 1, 1, 1)
    forged = encode_record(crc_seed(RUN, 1), 128, next_chain(chain, head, b"one"), head, b"one")
    disk.content(FIRST).extend(forged)
    with pytest.raises(JournalDamaged, match="record 1 stands where record 0 belongs"):
        read_all(disk)
    assert outcome(disk) is None


def replace(disk: MemoryDisk, start: int, end: int, data: bytes) -> None:
    disk.content(SECOND)[start:end] = data


def splices() -> dict[str, Callable[[MemoryDisk], None]]:
    plain = written(closed=True)
    second = bytes(plain.content(SECOND))
    a, b, c = [start for segment, start in record_starts(plain) if segment == 2]
    other_run = written("hanoi-2", closed=True)
    past = other_past()
    return {
        "a record taken out": lambda disk: replace(disk, a, b, b""),
        "the last record of a segment taken out": lambda disk: replace(disk, c, len(second), b""),
        "a record twice": lambda disk: replace(disk, a, a, second[a:b]),
        "two records exchanged": lambda disk: replace(disk, a, c, second[b:c] + second[a:b]),
        "a record of another place": lambda disk: replace(disk, b, c, second[a:b]),
        "zeros over a record": lambda disk: replace(disk, a, b, bytes(b - a)),
        "bytes put in": lambda disk: replace(disk, b, b, b"\xf5MKr"),
        "a record of another run": lambda disk: replace(disk, a, b, bytes(other_run.content(SECOND)[a:b])),
        "a record of another past": lambda disk: replace(disk, a, b, bytes(past.content(SECOND)[a:b])),
        "a segment of another run": lambda disk: replace(disk, 0, len(second), bytes(other_run.content(SECOND))),
        "a segment of another past": lambda disk: replace(disk, 0, len(second), bytes(past.content(SECOND))),
        "the first segment in place of the second": lambda disk: replace(
            disk, 0, len(second), bytes(disk.content(FIRST))
        ),
        "a segment missing": lambda disk: disk.remove(SECOND),
        "the first segment missing": lambda disk: disk.remove(FIRST),
        "two segments exchanged": lambda disk: (
            (disk.rename(FIRST, LOG / "x"), disk.rename(SECOND, FIRST))[0] or disk.rename(LOG / "x", SECOND)
        ),
        "the last segment's header gone": lambda disk: disk.content(THIRD).__setitem__(slice(0, 128), bytes(128)),
        "a first segment of another past": lambda disk: disk.content(FIRST).__setitem__(
            slice(None), bytes(past.content(FIRST))
        ),
    }


@pytest.mark.parametrize("name", splices())
def test_a_splice_is_refused(name: str) -> None:
    disk = written(closed=True)
    splices()[name](disk)
    assert outcome(disk) is None


def test_damage_is_reported_with_its_place_and_proof() -> None:
    disk = written(closed=False)
    starts = record_starts(disk)
    segment, offset = starts[4]
    disk.content(SECOND)[offset + 50] ^= 1
    with pytest.raises(JournalDamaged) as caught:
        reopen(disk)
    damage = caught.value
    assert (damage.path, damage.segment, damage.offset, damage.sequence) == (SECOND, segment, offset, 4)
    assert str(damage) == (
        f"the journal is damaged: record 4, {SECOND} at byte {offset}: its checksum is wrong "
        "(segment 3 begins with record 6). Nothing was changed; restore the file from a copy"
    )


def test_damage_in_the_last_segment_is_proven_by_a_later_record() -> None:
    disk = written(closed=False)
    starts = record_starts(disk)
    disk.content(THIRD)[starts[6][1] + 50] ^= 1
    with pytest.raises(JournalDamaged, match="when all below 7 were on disk"):
        reopen(disk)


def test_a_torn_tail_is_cut_off_kept_beside_and_reported() -> None:
    disk = written(closed=False)
    starts = record_starts(disk)
    offset = starts[7][1]
    disk.content(THIRD)[offset + 50] ^= 1
    tail = bytes(disk.content(THIRD)[offset:])
    with Reader(LOG, disk) as reader:
        assert [(record.type, record.payload) for record in reader.tail()] == WRITTEN[:7]
        assert reader.torn == "its checksum is wrong"
        assert not reader.is_sealed
    torn = reopen(disk).report.torn
    assert torn is not None
    assert (torn.segment, torn.offset, torn.size, torn.reason) == (3, offset, len(tail), "its checksum is wrong")
    assert len(disk.content(THIRD)) == offset
    assert torn.kept == LOG / f"torn-00000003-{offset}"
    assert bytes(disk.content(torn.kept)) == tail
    assert reopen(disk).report.torn is None


def test_bytes_after_the_seal_are_a_torn_tail_and_cost_nothing() -> None:
    disk = written(closed=True)
    disk.content(THIRD).extend(b"more")
    opened = reopen(disk)
    assert opened.report.torn is not None
    assert [(record.type, record.payload) for record in opened.records()] == WRITTEN


def test_a_payload_that_looks_like_records_is_no_proof() -> None:
    disk = written(closed=True)
    inner = bytes(disk.content(SECOND))
    nested = new_disk()
    journal = Journal.create(LOG, RUN, nested)
    journal.append(1, b"first")
    journal.append(1, inner)
    journal.flush()
    nested.content(FIRST)[128 + 10] ^= 1
    assert outcome(nested) == []


def test_a_newer_format_is_refused_with_its_version_and_nothing_is_touched() -> None:
    for path in (FIRST, SECOND, THIRD):
        disk = written(closed=True)
        content = disk.content(path)
        content[8:10] = (2).to_bytes(2, "little")
        content[124:128] = zlib.crc32(bytes(content[:124])).to_bytes(4, "little")
        before = files(disk)
        with pytest.raises(JournalTooNew, match=r"newer version of maker \(format 2; this one reads up to 1\)"):
            read_all(disk)
        with pytest.raises(JournalTooNew):
            reopen(disk)
        assert files(disk) == before


def test_what_is_no_journal_is_called_so() -> None:
    disk = new_disk()
    with pytest.raises(JournalMissing):
        reopen(disk)
    with pytest.raises(JournalMissing):
        read_all(disk)
    file = disk.create(FIRST)
    for content in (b"", b"SQLite format 3\0" * 20):
        file.write_at(content, 0)
        with pytest.raises(NotAJournal, match="is not a journal of maker"):
            reopen(disk)


def test_damaged_snapshots_are_passed_over() -> None:
    disk = new_disk()
    journal = Journal.create(LOG, RUN, disk, segment_bytes=280)
    for sequence, (type, payload) in enumerate(WRITTEN):
        journal.append(type, payload)
        if sequence in (2, 4, 6):
            journal.sync()
            store(disk).write(f"state after {sequence + 1}".encode(), journal.position, journal.durable_below)
    journal.flush()
    names = disk.names(SNAPSHOTS)
    assert names == ["00000000000000000005.snapshot", "00000000000000000007.snapshot"]
    older, newer = (SNAPSHOTS / name for name in names)
    assert [snapshot.payload for snapshot in store(disk).load().good] == [b"state after 7", b"state after 5"]
    assert store(disk, "hanoi-2").load().good == ()
    for bit in range(len(disk.content(newer)) * 8):
        flipped = disk.kill()
        flipped.content(newer)[bit // 8] ^= 1 << bit % 8
        loaded = store(flipped).load()
        assert [snapshot.payload for snapshot in loaded.good] == [b"state after 5"]
        assert loaded.ignored == (newer.name,)
    for length in range(len(disk.content(newer))):
        cut = disk.kill()
        del cut.content(newer)[length:]
        assert len(store(cut).load().good) == 1
    disk.content(newer)[20] ^= 1
    opened = reopen(disk.kill())
    assert opened.snapshot is not None
    assert opened.snapshot.position.sequence == 5
    assert [(record.type, record.payload) for record in opened.records()] == WRITTEN[5:]
    disk.content(older)[20] ^= 1
    opened = reopen(disk.kill())
    assert opened.snapshot is None
    assert [(record.type, record.payload) for record in opened.records()] == WRITTEN


def test_a_snapshot_of_another_past_does_not_cut_the_log() -> None:
    other = other_past()
    with Reader(LOG, other) as reader:
        list(reader.tail(5))
        foreign = reader.position
    disk = written(closed=True)
    store(disk).write(b"state after 5", foreign, 9)
    opened = reopen(disk)
    assert opened.snapshot is None
    assert opened.report.snapshots_passed_over == 1
    assert [(record.type, record.payload) for record in opened.records()] == WRITTEN


def test_the_bytes_are_as_documented() -> None:
    """Reads a log by the tables of docs/journal.md alone, and computes the head from them."""
    disk = written(closed=True)
    chain = hashlib.sha256(b"maker journal\0" + RUN.encode()).digest()
    sequence, found = 0, []
    for number, path in enumerate((FIRST, SECOND, THIRD), start=1):
        data = bytes(disk.content(path))
        magic, version, segment, epoch, first = struct.unpack_from("<8sHIIQ", data)
        assert (magic, version, segment, epoch, first) == (b"MAKERLOG", 1, number, 1, sequence)
        assert data[26:58] == chain
        length = int.from_bytes(data[58:60], "little")
        assert data[60:124] == data[60 : 60 + length].ljust(64, b"\0") == RUN.encode().ljust(64, b"\0")
        assert int.from_bytes(data[124:128], "little") == zlib.crc32(data[:124])
        at = 128
        while at < len(data):
            mark, crc, size, type, number_of, durable = struct.unpack_from("<4sIIHQQ", data, at)
            covered = data[at + 8 : at + 46 + size]
            assert mark == b"\xf5MKr"
            assert crc == zlib.crc32(covered, (zlib.crc32(f"{RUN}/{number}".encode()) + at) % 2**32)
            assert number_of == sequence
            assert durable <= sequence
            if type == 0xFFFF:
                assert covered[22:38] == chain[:16]
            else:
                chain = hashlib.sha256(chain + covered[:22] + covered[38:]).digest()
                assert covered[22:38] == chain[:16]
                found.append((type, covered[38:]))
                sequence += 1
            at += 46 + size
    assert found == WRITTEN
    with Reader(LOG, disk) as reader:
        list(reader.tail())
        assert reader.head == chain.hex()
        assert reader.is_sealed


def test_reading_can_begin_at_any_segment_or_position() -> None:
    disk = written(closed=True)
    starts = segment_starts(disk, LOG)
    assert [start.sequence for start in starts] == [0, 3, 6]
    for start in starts:
        with Reader(LOG, disk, start) as reader:
            assert [record.sequence for record in reader.tail()] == list(range(start.sequence, 9))
    with Reader(LOG, disk) as reader:
        for sequence in range(9):
            assert [record.sequence for record in reader.tail(sequence + 1)] == [sequence]
            with Reader(LOG, disk, reader.position) as later:
                assert [record.payload for record in later.tail()] == [p for _, p in WRITTEN[sequence + 1 :]]
                assert later.head == journal_head(disk)


def journal_head(disk: MemoryDisk) -> str:
    with Reader(LOG, disk) as reader:
        list(reader.tail())
        return reader.head
