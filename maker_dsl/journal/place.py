"""Whether a place in the log that was kept elsewhere is still that place. Used by recovery and by readers."""

from __future__ import annotations

from pathlib import Path

from maker_dsl.journal.disk import Disk
from maker_dsl.journal.format import STORED_CHAIN, Position, SegmentHeader, crc_seed, decode_frame, segment_name
from maker_dsl.journal.scan import read_header


def is_place(disk: Disk, directory: Path, run_id: str, position: Position) -> bool:
    """Whether the log has, just before `position`, the record that the position was taken after."""
    path = directory / segment_name(position.segment)
    header = read_header(disk, path)
    if not isinstance(header, SegmentHeader) or (header.run_id, header.number) != (run_id, position.segment):
        return False
    if position.last == 0:
        return header.start == position
    file = disk.open(path)
    try:
        window = file.read_at(position.last, position.offset - position.last)
    finally:
        file.close()
    frame = decode_frame(window, 0, crc_seed(run_id, position.segment), position.last)
    return (
        not isinstance(frame, str)
        and frame.size == position.offset - position.last
        and frame.sequence == position.sequence - 1
        and frame.stored_chain == position.chain[:STORED_CHAIN]
    )
