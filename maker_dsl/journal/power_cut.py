"""What a power cut leaves of files and names that were not synced: the model behind `memory_disk`.

Of every unsynced sector the old bytes, the new ones, some of each, zeros or garbage; of the length the old, the new or
something between. One promise of real disks is taken for granted (SQLite calls it powersafe overwrite): writing bytes
never garbles synced bytes beside them, in the same sector or elsewhere. Without it no log could be appended to.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from random import Random


@dataclass(slots=True)
class Node:
    """One file: what processes see, what is on disk, and which ranges the next sync will put there."""

    cache: bytearray = field(default_factory=bytearray)
    durable: bytearray = field(default_factory=bytearray)
    dirty: list[tuple[int, int]] = field(default_factory=list)


Names = dict[Path, "Node | None"]
"""Every name there is; None for a directory."""


@dataclass(frozen=True, slots=True)
class NameChange:
    """A change of names that its directories have not been synced for."""

    directories: frozenset[Path]
    old: Path | None
    new: Path | None
    node: Node | None


def apply(names: Names, change: NameChange) -> None:
    """Carry out a change of names; what it moves or removes may be gone."""
    old, new, node = change.old, change.new, change.node
    if node is not None:
        if old is not None and names.get(old) is node:
            del names[old]
        if new is not None:
            names[new] = node
    elif old is None and new is not None:
        names[new] = None
    elif old is not None and new is not None and old in names:
        for path in [path for path in names if path == old or old in path.parents]:
            names[new / path.relative_to(old)] = names.pop(path)


def content_after_power_cut(node: Node, sector_bytes: int, random: Random) -> Node:
    """One of the contents that a file may have after the power failed."""
    old, new = node.durable, node.cache
    length = random.choice((len(old), len(new), random.randint(*sorted((len(old), len(new))))))
    after = bytearray(length)
    for start in range(0, length, sector_bytes):
        end = min(start + sector_bytes, length)
        was = bytes(old[start:end]).ljust(end - start, b"\0")
        now = bytes(new[start:end]).ljust(end - start, b"\0")
        if was == now and end <= len(old):
            after[start:end] = was
            continue
        fate = random.choice(("old", "new", "new", "torn", "zero", "garbled"))
        if fate == "torn":
            cut = random.randint(0, end - start)
            after[start:end] = now[:cut] + was[cut:]
        elif fate in ("old", "new"):
            after[start:end] = was if fate == "old" else now
        else:
            junk = bytes(end - start) if fate == "zero" else random.randbytes(end - start)
            safe = (start + i < len(old) and was[i] == now[i] for i in range(end - start))
            after[start:end] = bytes(a if keep else b for a, b, keep in zip(was, junk, safe, strict=True))
    return Node(after, bytearray(after), [])
