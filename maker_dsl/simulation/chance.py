"""Chance from a seed: numbers that depend on the seed and a key alone, never on the order in which they are asked for.

Used by everything in this package that is random; no other source of randomness exists here.
"""

from __future__ import annotations

from hashlib import blake2b
from random import Random
from struct import Struct

BITS = 64
FULL = 1 << BITS
"""Numbers are drawn evenly from 0 to FULL - 1; compare them with a `threshold`."""

_FOUR = Struct("<QQQQ")


def threshold(share: float) -> int:
    """The number below which a drawn one lies with that probability."""
    return min(FULL, round(share * FULL))


def quantile(number: int) -> float:
    """A drawn number as a share strictly between 0 and 1."""
    return ((number >> 11) + 0.5) / (1 << 53)


class Chance:
    """Draws numbers by key. `purpose` separates uses that share keys."""

    def __init__(self, seed: int, purpose: str) -> None:
        self._prefix = blake2b(f"{purpose}\0{seed}".encode(), digest_size=32).digest()

    def four(self, key: bytes) -> tuple[int, int, int, int]:
        """Four independent numbers for the key."""
        return _FOUR.unpack(blake2b(self._prefix + key, digest_size=32).digest())

    def generator(self, key: bytes) -> Random:
        """A generator for the key, for what needs many numbers."""
        return Random(blake2b(self._prefix + key, digest_size=32).digest())
