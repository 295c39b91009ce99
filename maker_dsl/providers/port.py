"""The port to a model: all that the voting core knows of providers.

Implemented by `providers.litellm_port` (everything real), `simulation.provider` (rehearsals) and
`providers.scripted` (tests). One call is one attempt: retries, limits and the ledger live in `providers.gateway`.

ProviderError
├── TransientError   worth another attempt (429, 5xx, dropped connection, time-out)
└── PermanentError   will fail again (bad key, unknown model, prompt too long, bad request)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from maker_dsl.providers.constraint import Constrain
from maker_dsl.task import Finish, Prompt, State, Step, Task


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, beyond its words: the simulated model answers from it, real ones see the prompt alone."""

    index: int
    """The number of the step in its run or sub-run, from 0."""
    step: Step
    state: State
    task: Task | None = None
    """The task that asks; None where a provider is asked on behalf of one task alone."""
    key: int | None = None
    """What sets the draws of this step apart from those of others, in 64 bits; the index where that does."""
    sub: int = 0
    """The number of the sub-run that asks; 0 for the run itself."""
    order: tuple[int, ...] = ()
    """Where the sub-run stands among all: when places are scarce, lower ones go first, and in one the earlier step."""


@dataclass(frozen=True, slots=True)
class Draw:
    """Which sample of a step."""

    slot: int
    resample: int
    """From 0: how many flagged samples that slot has had before."""


Phase = Literal["answer", "thought", "form", "proof"]
"""What a call is for: the whole answer, or its two halves where a thought is put into form by a second call; or the
proof that the server enforces grammars."""


@dataclass(frozen=True, slots=True)
class Request:
    """One call: `len(draws)` independent replies to one prompt. A temperature of None is left to the provider."""

    question: Question
    prompt: Prompt
    temperature: float | None
    max_tokens: int | None
    draws: tuple[Draw, ...]
    wording: int = 0
    """Which of the step's wordings the prompt is."""
    phase: Phase = "answer"
    thought: str | None = None
    """What is to be put into form, in that phase."""
    grammar: str | None = None
    """What the server must hold the reply to, in the notation that the provider's `constrain` names."""
    voter: int = 0
    """Which of the models that vote on the step is asked."""

    @property
    def samples(self) -> int:
        """The samples that the call draws; putting thoughts into form draws none anew."""
        return 0 if self.phase in ("form", "proof") else len(self.draws)


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call, as the provider counted them."""

    input_tokens: int
    output_tokens: int
    cached_input_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply of a call. `tokens` is estimated where the provider does not say (see `tokens_estimated`)."""

    text: str
    finish: Finish
    tokens: int
    tokens_estimated: bool = False


@dataclass(frozen=True, slots=True)
class Completion:
    """What a successful call brought: at most one reply for each draw, in order; usage None if not reported."""

    replies: tuple[Reply, ...]
    usage: Usage | None


@dataclass(frozen=True, slots=True)
class Price:
    """USD per million tokens."""

    input: float
    output: float
    cached_input: float | None = None

    def cost_usd(self, usage: Usage) -> float:
        """What a call with that usage costs."""
        cached = self.input if self.cached_input is None else self.cached_input
        fresh = usage.input_tokens - usage.cached_input_tokens
        return (fresh * self.input + usage.cached_input_tokens * cached + usage.output_tokens * self.output) / 1e6


class ProviderError(Exception):
    """A call brought no reply. `status` is the HTTP status if there was one. Messages never contain secrets."""

    def __init__(self, message: str, *, kind: str, status: int | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        """A short stable name: rate_limit, server_error, dropped, timeout, bad_key, unknown_model, too_long, …"""
        self.status = status


class TransientError(ProviderError):
    """Worth another attempt, not before `retry_after_s` where the server said so."""

    def __init__(
        self, message: str, *, kind: str, status: int | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message, kind=kind, status=status)
        self.retry_after_s = retry_after_s


class PermanentError(ProviderError):
    """Will fail again; `help` says what to do about it."""

    def __init__(self, message: str, *, kind: str, status: int | None = None, help: str | None = None) -> None:
        super().__init__(message, kind=kind, status=status)
        self.help = help


class Provider(Protocol):
    """A model that answers requests."""

    @property
    def name(self) -> str:
        """What reports call it, without secrets."""
        ...

    @property
    def samples_per_call(self) -> int:
        """How many replies one request may ask for."""
        ...

    @property
    def price(self) -> Price | None:
        """None where nobody knows."""
        ...

    @property
    def answers_at_once(self) -> bool:
        """Whether `complete` never waits, so that calls side by side gain nothing."""
        ...

    @property
    def constrain(self) -> Constrain | None:
        """Whether and how replies are to be held to a grammar."""
        ...

    def input_bound(self, prompt: Prompt) -> int:
        """An upper bound of the prompt's tokens, cheap to compute."""
        ...

    async def complete(self, request: Request) -> Completion:
        """Make one attempt. Raises TransientError or PermanentError; cancellation abandons the call."""
        ...

    async def close(self) -> None:
        """Give back connections."""
        ...
