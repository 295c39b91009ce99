"""Reads the files that options name; none of them is endless."""

from __future__ import annotations

import errno
from pathlib import Path

MAX_BYTES = 100_000_000
"""How large a file on the command line may be, such as the text of a reply or an input."""


def file_bytes(path: Path) -> bytes:
    """What a file holds; raises OSError, also for one that is too large, such as a device without end."""
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise OSError(errno.EFBIG, f"it is larger than {MAX_BYTES:,} bytes", str(path))
    return data
