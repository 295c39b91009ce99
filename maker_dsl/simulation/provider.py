"""The simulated model behind the providers' port: rehearsals in process, without network and without cost.

Used when nothing else is configured. Without latency a call never suspends, so a rehearsal spends no time in switching
between tasks.
"""

from __future__ import annotations

from struct import Struct
from typing import NoReturn, assert_never

from maker_dsl.providers.clock import Clock, SystemClock
from maker_dsl.providers.constraint import Constrain
from maker_dsl.providers.port import Completion, Draw, Price, Reply, Request, TransientError, Usage
from maker_dsl.simulation.model import Fault, SimulatedModel
from maker_dsl.simulation.rates import Rates
from maker_dsl.task import Prompt, Task
from maker_dsl.tokens import estimate_tokens

SIMULATED = "simulated"
"""The name of the simulated model where a provider is chosen."""

_SAMPLES_PER_CALL = 128
_CALL = Struct("<QIII")
_REMEMBERED_CALLS = 65_536
_SECOND_CALL = 1 << 31
"""Sets the tries of a call that puts a thought into form apart from those of the thought's."""
_FREE = Price(0.0, 0.0)


class SimulatedProvider:
    """Implements `providers.port.Provider`. Raises PermanentError on a task without a reference."""

    def __init__(
        self,
        task: Task,
        rates: Rates,
        seed: int | None = None,
        *,
        clock: Clock | None = None,
        price: Price | None = None,
        name: str = SIMULATED,
        samples_per_call: int = _SAMPLES_PER_CALL,
    ) -> None:
        self._model = SimulatedModel(task, rates, seed)
        self._clock = clock or SystemClock()
        self._price = price or _FREE
        self._name = name
        self._samples_per_call = samples_per_call
        self.answers_at_once = rates.delay.is_zero
        self.constrain: Constrain | None = None
        """Whether a call never suspends: the engine then makes calls in turn, without tasks."""
        self._failed_tries: dict[tuple[int, int, int, int], int] = {}
        """How often a call has failed so far, so that its next try has a fate of its own."""

    @property
    def name(self) -> str:
        """What reports call it."""
        return self._name

    @property
    def samples_per_call(self) -> int:
        """How many replies one request may ask for."""
        return self._samples_per_call

    @property
    def price(self) -> Price:
        """Free, unless the profile gives a price to rehearse a budget with."""
        return self._price

    def input_bound(self, prompt: Prompt) -> int:
        """The prompt's tokens; exact."""
        return _input_tokens(prompt)

    async def complete(self, request: Request) -> Completion:
        """Answer a request; raises TransientError at the set rates, TaskError if the reference fails."""
        model, question, max_tokens = self._model, request.question, request.max_tokens
        if model.may_fault:
            key = question.index if question.key is None else question.key
            fault = self._next_fault(key, request.draws[0], request.phase == "form")
            if fault is not None:
                await self._fail(fault)
        replies: list[Reply] = []
        output_tokens = 0
        latency_s = 0.0
        for draw in request.draws:
            if request.phase == "answer":
                drawn = model.draw(question, draw, max_tokens)
            else:
                drawn = model.draw_half(request, draw)
            reply = drawn.reply
            replies.append(reply)
            output_tokens += reply.tokens
            if drawn.latency_s > latency_s:
                latency_s = drawn.latency_s
        if latency_s:
            await self._clock.sleep(latency_s)
        return Completion(tuple(replies), Usage(_input_tokens(request.prompt), output_tokens))

    async def close(self) -> None:
        """Nothing to give back."""

    def _next_fault(self, key: int, first: Draw, is_second: bool) -> Fault | None:
        call = (key, first.slot, first.resample, _SECOND_CALL if is_second else 0)
        tries = self._failed_tries
        tried = tries.pop(call, 0) if tries else 0
        fault = self._model.fault(_CALL.pack(*call[:3], call[3] + tried))
        if fault is not None:
            while len(tries) >= _REMEMBERED_CALLS:
                del tries[next(iter(tries))]
            tries[call] = tried + 1
        return fault

    async def _fail(self, fault: Fault) -> NoReturn:
        wait_s = self._model.retry_after_s
        match fault:
            case "error_429":
                raise TransientError(
                    "the simulated model refuses the call: too many requests",
                    kind="rate_limit",
                    status=429,
                    retry_after_s=wait_s,
                )
            case "error_500":
                if wait_s:
                    await self._clock.sleep(wait_s)
                raise TransientError("the simulated model failed: internal error", kind="server_error", status=500)
            case "dropped":
                if wait_s:
                    await self._clock.sleep(wait_s)
                raise TransientError("the simulated model dropped the connection", kind="dropped")
            case _:
                assert_never(fault)


def _input_tokens(prompt: Prompt) -> int:
    system = prompt.system
    return estimate_tokens(prompt.user) + (0 if system is None else estimate_tokens(system))
