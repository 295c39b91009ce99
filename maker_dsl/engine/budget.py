"""Limits on money, tokens and samples: they come before spending, and hold through a crash.

The gateway asks for every call's worst case before it is sent and settles it afterwards. What may be spent is granted
in small chunks, each synced to the journal before the first call paid from it: after a crash, whatever was granted
and not journaled as used counts as spent, since nobody knows.

Invariant: settled + in flight at their worst <= granted <= limit, in every dimension that is limited.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from maker_dsl.engine.settings import Caps
from maker_dsl.providers.ledger import BudgetExhausted, Reservation, WorstCase
from maker_dsl.providers.port import Usage

CHUNK_CALLS = 4
"""A grant is good for at least this many calls like the one that asks for it."""

CHUNK_SHARE = 1 / 1000
"""And for at least this share of the limit, so that a long run doesn't sync at every call."""


class Amounts(NamedTuple):
    """What calls use up."""

    cost_usd: float = 0.0
    tokens: int = 0
    samples: int = 0

    def plus(self, other: Amounts) -> Amounts:
        """Both together."""
        return Amounts(self.cost_usd + other.cost_usd, self.tokens + other.tokens, self.samples + other.samples)

    def minus(self, other: Amounts) -> Amounts:
        """What is left, never below nothing."""
        return Amounts(
            max(0.0, self.cost_usd - other.cost_usd),
            max(0, self.tokens - other.tokens),
            max(0, self.samples - other.samples),
        )

    def as_tuple(self) -> tuple[float, int, int]:
        """As records have it."""
        return self.cost_usd, self.tokens, self.samples


NOTHING = Amounts()


class RunBudget:
    """The budget of one run in one process; `providers.ledger.Budget` to the gateway.

    `spent` and `granted` are what the journal says so far; `write_grant` makes the new total of all grants durable
    before it returns.
    """

    def __init__(
        self,
        caps: Caps,
        spent: Amounts,
        granted: Amounts,
        write_grant: Callable[[Amounts], None],
        *,
        now_s: Callable[[], float] = time.monotonic,
        deadline_s: float | None = None,
    ) -> None:
        self._limits: tuple[tuple[int, float, str], ...] = tuple(
            (dimension, limit, option)
            for dimension, limit, option in (
                (0, caps.max_cost_usd, "--max-cost"),
                (1, caps.max_tokens, "max_total_tokens"),
                (2, caps.max_samples, "max_total_samples"),
            )
            if limit is not None
        )
        self._spent = spent
        self._in_flight = NOTHING
        self._granted = granted
        self._write_grant = write_grant
        self._now_s = now_s
        self._deadline_s = deadline_s
        self._max_seconds = caps.max_seconds
        self._kept: Amounts | None = None

    @property
    def is_limited(self) -> bool:
        """Whether any limit is set."""
        return bool(self._limits) or self._deadline_s is not None

    @property
    def spent(self) -> Amounts:
        """What calls that are over have used, unknown ones at their worst."""
        return self._spent

    @property
    def in_flight(self) -> Amounts:
        """The worst cases of calls under way."""
        return self._in_flight

    @property
    def granted(self) -> Amounts:
        """The total of all grants."""
        return self._granted

    def reserve(self, worst: WorstCase) -> Reservation:
        """Set aside the worst case of one call; raises BudgetExhausted if it could pass a limit."""
        if self._deadline_s is not None and self._now_s() >= self._deadline_s:
            raise BudgetExhausted("max_seconds", f"the limit max_seconds {self._max_seconds:g} is reached")
        need = Amounts(worst.cost_usd or 0.0, worst.input_tokens + (worst.output_tokens or 0), worst.samples)
        total = self._spent.plus(self._in_flight).plus(need)
        for dimension, limit, option in self._limits:
            if total[dimension] > limit:
                raise BudgetExhausted(option, self._refusal(dimension, limit, option, need))
        if self._limits and any(total[dimension] > self._granted[dimension] for dimension, _, _ in self._limits):
            self._grant(total, need)
        self._in_flight = self._in_flight.plus(need)
        return _Reserved(self, need)

    def take_kept(self) -> Amounts | None:
        """What the call that was closed last keeps as spent because nobody knows what it used; None if it was
        settled.
        """
        kept, self._kept = self._kept, None
        return kept

    def close(self, reserved: Amounts, used: Amounts | None) -> None:
        """End a reservation; `used` is None where nobody knows."""
        self._in_flight = self._in_flight.minus(reserved)
        self._spent = self._spent.plus(reserved if used is None else used)
        self._kept = reserved if used is None else None

    def _grant(self, total: Amounts, need: Amounts) -> None:
        granted = list(total)
        for dimension, limit, _ in self._limits:
            chunk = max(need[dimension] * (CHUNK_CALLS - 1), limit * CHUNK_SHARE)
            wanted = min(limit, total[dimension] + chunk)
            granted[dimension] = max(self._granted[dimension], wanted if dimension == 0 else int(wanted))
        grant = Amounts(granted[0], int(granted[1]), int(granted[2]))
        self._write_grant(grant)
        self._granted = grant

    def _refusal(self, dimension: int, limit: float, option: str, need: Amounts) -> str:
        used, next_call, in_flight = self._spent[dimension], need[dimension], self._in_flight[dimension]
        unit = ("USD", "tokens", "samples")[dimension]
        under_way = f", {in_flight:.6g} in calls under way" if in_flight else ""
        return (
            f"the limit {option} {limit:g} {unit} could be passed: {used:.6g} used{under_way}, "
            f"and the next call may take {next_call:.6g}"
        )


class _Reserved:
    """One call's part of the budget."""

    __slots__ = ("_amounts", "_budget")

    def __init__(self, budget: RunBudget, amounts: Amounts) -> None:
        self._budget = budget
        self._amounts = amounts

    def settle(self, usage: Usage | None, cost_usd: float | None) -> None:
        """This is what the call used."""
        if usage is None:
            self.keep()
            return
        refused = usage.input_tokens == 0 and usage.output_tokens == 0
        self._budget.close(
            self._amounts,
            Amounts(cost_usd or 0.0, usage.input_tokens + usage.output_tokens, 0 if refused else self._amounts.samples),
        )

    def keep(self) -> None:
        """Nobody knows what the call used."""
        self._budget.close(self._amounts, None)
