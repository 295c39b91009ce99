"""What the gateway tells of every attempt, and what it asks before one: the ports of the ledger and the budget.

Declared here because the gateway needs them; the engine's journal and budget implement them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

from maker_dsl.providers.port import Request, Usage


class Call(NamedTuple):
    """One attempt that may have reached the server. A tuple, since one is made for every reply of a run."""

    request: Request
    attempt: int
    """From 0; above 0 it is a retry."""
    outcome: str
    """`ok`, `cancelled`, or the `kind` of the ProviderError."""
    status: int | None
    """The HTTP status where there was one."""
    usage: Usage | None
    """None where the provider did not say."""
    cost_usd: float | None
    """What it cost. None: nobody knows; then the whole reservation is kept."""
    started_s: float
    """On the gateway's clock."""
    latency_s: float
    message: str | None = None
    """What went wrong, without secrets."""


class Ledger(Protocol):
    """Takes every attempt exactly once, when it is over."""

    def __call__(self, call: Call) -> None:
        """Take note of one attempt. Must not wait."""
        ...


@dataclass(frozen=True, slots=True)
class WorstCase:
    """Upper bounds of one call. None where nobody knows a price, or no cap on the output was set."""

    samples: int
    input_tokens: int
    output_tokens: int | None
    cost_usd: float | None


class BudgetExhausted(Exception):
    """The next call could pass a limit; nothing was sent. `limit` names it in the words of the command line."""

    def __init__(self, limit: str, message: str) -> None:
        super().__init__(message)
        self.limit = limit


class Reservation(Protocol):
    """A part of the budget set aside for one call. Exactly one of the two is called, once."""

    def settle(self, usage: Usage | None, cost_usd: float | None) -> None:
        """The call is over and this is what it used; zero usage where the provider refused it."""
        ...

    def keep(self) -> None:
        """Nobody knows what the call used (time-out, cancellation, no usage): the worst case counts."""
        ...


class Budget(Protocol):
    """Limits come before spending."""

    def reserve(self, worst: WorstCase) -> Reservation:
        """Set aside the worst case of one call; raises BudgetExhausted if a limit could be passed."""
        ...
