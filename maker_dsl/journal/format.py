"""The bytes of the log: segment headers and records. Pure; docs/journal.md says the same in prose.

Used by the writer, the scanner and the documentation's tests. Invariants: every bit of a record is covered by its
mark or its CRC; the CRC starts from the run, the segment and the offset, so that bytes of another run or of another
place never look valid; the chain covers everything but the place.
"""

from __future__ import annotations

import hashlib
import re
import struct
import zlib
from dataclasses import dataclass
from typing import NamedTuple

FORMAT_VERSION = 1
MAX_PAYLOAD = 16 << 20
MAX_TYPE = 0xFFFE
SEAL = 0xFFFF
"""The type of the frame that ends a segment that was closed in order. It is no record: it takes no number."""

MARK = b"\xf5MKr"
"""Begins every record. 0xF5 never occurs in UTF-8, so text payloads cannot contain it."""
RECORD_HEAD = struct.Struct("<IHQQ")
"""Payload length, type, sequence, durable_below."""
_CRC = struct.Struct("<I")
STORED_CHAIN = 16
"""How much of the 32-byte chain hash a record stores; the segment header has all of it."""
_CRC_END = len(MARK) + _CRC.size
_CHAIN_START = _CRC_END + RECORD_HEAD.size
RECORD_OVERHEAD = _CHAIN_START + STORED_CHAIN

_MAGIC = b"MAKERLOG"
_HEADER = struct.Struct("<8sHIIQ32sH64s")
HEADER_BYTES = 128
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
_SEGMENT_NAME = re.compile(r"([0-9]{8})\.log\Z")


class Record(NamedTuple):
    """One record as read (a NamedTuple because six are read per step). `offset` is where it begins in its segment."""

    sequence: int
    type: int
    payload: bytes
    durable_below: int
    segment: int
    offset: int


@dataclass(frozen=True, slots=True)
class Position:
    """A place between two records: what comes next is record `sequence`, at `offset` in segment `segment`."""

    segment: int
    offset: int
    sequence: int
    chain: bytes
    """The chain hash over all records before this place."""
    last: int
    """Where the record before this place begins; 0 if it is not in this segment."""


@dataclass(frozen=True, slots=True)
class SegmentHeader:
    """What a segment says of itself. `chain` is the chain hash before its first record."""

    run_id: str
    number: int
    epoch: int
    first_sequence: int
    chain: bytes

    @property
    def start(self) -> Position:
        """The place of the first record."""
        return Position(self.number, HEADER_BYTES, self.first_sequence, self.chain, 0)


@dataclass(frozen=True, slots=True)
class HeaderRefused:
    """A segment header that cannot be used; `version` is set where it is intact and of a later format."""

    is_ours: bool
    version: int | None = None


def is_run_id(text: str) -> bool:
    """Whether a text can name a run: letters, digits, `.`, `_`, `-`, at most 64."""
    return _RUN_ID.match(text) is not None


def segment_name(number: int) -> str:
    """The file name of a segment."""
    return f"{number:08d}.log"


def segment_number(name: str) -> int | None:
    """The number in a file name, None if it is not a segment's."""
    found = _SEGMENT_NAME.match(name)
    return int(found[1]) if found else None


def first_chain(run_id: str) -> bytes:
    """The chain hash before the first record of a run."""
    return hashlib.sha256(b"maker journal\0" + run_id.encode("ascii")).digest()


def crc_seed(run_id: str, segment: int) -> int:
    """What the CRC of a record starts from, before its offset is added (modulo 2**32)."""
    return zlib.crc32(f"{run_id}/{segment}".encode("ascii"))


def encode_header(header: SegmentHeader) -> bytes:
    """The first HEADER_BYTES of a segment."""
    name = header.run_id.encode("ascii")
    body = _HEADER.pack(
        _MAGIC,
        FORMAT_VERSION,
        header.number,
        header.epoch,
        header.first_sequence,
        header.chain,
        len(name),
        name,
    )
    return body + _CRC.pack(zlib.crc32(body))


def decode_header(data: bytes) -> SegmentHeader | HeaderRefused:
    """Read a segment header. The places of magic, version and CRC are the same in every format version."""
    if len(data) < HEADER_BYTES or data[: len(_MAGIC)] != _MAGIC:
        return HeaderRefused(is_ours=False)
    body, crc = data[: HEADER_BYTES - 4], data[HEADER_BYTES - 4 : HEADER_BYTES]
    if _CRC.pack(zlib.crc32(body)) != crc:
        return HeaderRefused(is_ours=True)
    version = int.from_bytes(body[8:10], "little")
    if version != FORMAT_VERSION:
        return HeaderRefused(is_ours=True, version=version)
    _, _, number, epoch, first_sequence, chain, length, name = _HEADER.unpack(body)
    run_id = name[:length].decode("ascii", "replace")
    if not is_run_id(run_id):
        return HeaderRefused(is_ours=True)
    return SegmentHeader(run_id, number, epoch, first_sequence, chain)


def next_chain(chain: bytes, head: bytes, payload: bytes) -> bytes:
    """The chain hash after a record, from the one before it."""
    return hashlib.sha256(chain + head + payload).digest()


def encode_record(seed: int, offset: int, chain: bytes, head: bytes, payload: bytes) -> bytes:
    """The bytes of one record at `offset`; `chain` is the hash after it. `Journal.append` has this written out."""
    covered = head + chain[:STORED_CHAIN] + payload
    return MARK + _CRC.pack(zlib.crc32(covered, (seed + offset) & 0xFFFFFFFF)) + covered


class Frame(NamedTuple):
    """A record whose CRC is right, before its place in the sequence is looked at."""

    type: int
    sequence: int
    durable_below: int
    stored_chain: bytes
    head: bytes
    payload: bytes
    size: int


def decode_frame(window: bytes, start: int, seed: int, offset: int) -> Frame | str:
    """The record at `window[start:]`, which is `offset` of its segment, or what is wrong with it."""
    head_end = start + _CHAIN_START
    if window[start : start + 4] != MARK:
        return "no record begins here"
    if len(window) < start + RECORD_OVERHEAD:
        return "the record is cut off"
    head = window[start + _CRC_END : head_end]
    length, type, sequence, durable_below = RECORD_HEAD.unpack(head)
    size = RECORD_OVERHEAD + length
    if length > MAX_PAYLOAD:
        return "its length is impossible"
    if len(window) < start + size:
        return "the record is cut off"
    covered = window[start + _CRC_END : start + size]
    if zlib.crc32(covered, (seed + offset) & 0xFFFFFFFF) != int.from_bytes(window[start + 4 : start + 8], "little"):
        return "its checksum is wrong"
    chain_end = RECORD_HEAD.size + STORED_CHAIN
    return Frame(type, sequence, durable_below, covered[RECORD_HEAD.size : chain_end], head, covered[chain_end:], size)
