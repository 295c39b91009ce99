"""Sums over stretches of a run and counts by size, in memory that stays the same however long the run is.

Used by `gathering`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import floor, log10

MOST_BINS = 100
_PER_DECADE = 5


@dataclass(slots=True)
class Stretch:
    """Steps that were decided one after the other. `first` and `last` count from 1."""

    first: int
    last: int
    samples: int = 0
    flags: int = 0
    contested: int = 0
    calls: int = 0
    latency_s: float = 0.0
    """Of all calls together."""
    cost_usd: float = 0.0

    def take(self, other: Stretch) -> None:
        """Take the following stretch in."""
        self.last = other.last
        self.samples += other.samples
        self.flags += other.flags
        self.contested += other.contested
        self.calls += other.calls
        self.latency_s += other.latency_s
        self.cost_usd += other.cost_usd


@dataclass(slots=True)
class Stretches:
    """The stretches of a run: twice as long each time when there are too many."""

    each: list[Stretch] = field(default_factory=list)
    _length: int = 1

    def add(self, step: Stretch) -> None:
        """Add the next step."""
        if self.each and self.each[-1].last - self.each[-1].first + 1 < self._length:
            self.each[-1].take(step)
            return
        if len(self.each) == MOST_BINS:
            for number in range(0, MOST_BINS, 2):
                self.each[number].take(self.each[number + 1])
            del self.each[1::2]
            self._length *= 2
        self.each.append(step)


@dataclass(frozen=True, slots=True)
class Count:
    """How many lie from `low` to below `high`."""

    low: float
    high: float
    number: int


@dataclass(slots=True)
class Sizes:
    """Counts of positive numbers by size, five to a decade; zeros apart."""

    zeros: int = 0
    total: int = 0
    largest: float = 0.0
    _counts: dict[int, int] = field(default_factory=dict)

    def add(self, size: float) -> None:
        """Count a number."""
        self.total += 1
        self.largest = max(self.largest, size)
        if size < 1e-9:
            self.zeros += 1
            return
        place = min(60, floor(log10(size) * _PER_DECADE))
        self._counts[place] = self._counts.get(place, 0) + 1

    def counts(self) -> tuple[Count, ...]:
        """From the smallest to the largest, without gaps; zeros are left out."""
        if not self._counts:
            return ()
        places = range(min(self._counts), max(self._counts) + 1)
        return tuple(Count(_edge(place), _edge(place + 1), self._counts.get(place, 0)) for place in places)

    def quantile(self, share: float) -> float:
        """About where the share of all lies: the upper edge of its count, and no more than the largest."""
        wanted, seen = share * self.total, self.zeros
        if not self.total or seen >= wanted:
            return 0.0
        for count in self.counts():
            seen += count.number
            if seen >= wanted:
                return min(self.largest, count.high)
        return self.largest


def _edge(place: int) -> float:
    return float(10.0 ** (place / _PER_DECADE))
