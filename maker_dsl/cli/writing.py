"""Files that commands write: complete, or not there at all. Used by `maker export` and `maker report`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import click


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write to, which takes the place of the one of that name once it is complete. Raises UsageError."""
    is_plain = path.is_file() or not path.exists()
    target = path.with_name(f".{path.name}.part") if is_plain else path
    try:
        out = target.open("wb")
    except OSError as error:
        raise click.UsageError(f"{path} can't be written: {error.strerror}") from error
    try:
        with out:
            yield out
        if is_plain:
            target.replace(path)
    finally:
        if is_plain:
            target.unlink(missing_ok=True)
