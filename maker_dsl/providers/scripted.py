"""A provider that says what a test wrote down: replies, delays and failures, from a list or a function.

Ships with the package so that users can test against it as we do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from maker_dsl.providers.clock import Clock
from maker_dsl.providers.constraint import Constrain
from maker_dsl.providers.port import Completion, Price, ProviderError, Reply, Request, Usage
from maker_dsl.task import Finish, Prompt
from maker_dsl.tokens import estimate_tokens


@dataclass(frozen=True, slots=True)
class Answer:
    """What one call brings: a text for each draw (one text serves all), or an error, after a delay."""

    texts: tuple[str, ...] = ()
    delay_s: float = 0.0
    finish: Finish = "stop"
    usage: Usage | None = field(default_factory=lambda: Usage(100, 20))
    error: ProviderError | None = None


Script = Callable[[Request], Answer | str | ProviderError]


class ScriptedProvider:
    """Answers from a script and keeps count; `calls` holds every request it ever saw, in order."""

    def __init__(
        self,
        script: Script | Iterable[Answer | str | ProviderError],
        *,
        clock: Clock | None = None,
        price: Price | None = None,
        samples_per_call: int = 1,
        answers_at_once: bool = False,
        constrain: Constrain | None = None,
        name: str = "scripted",
    ) -> None:
        self.name = name
        self.samples_per_call = samples_per_call
        self.answers_at_once = answers_at_once
        self.constrain = constrain
        self.price = price
        self.calls: list[Request] = []
        self.in_flight = 0
        self.most_in_flight = 0
        self.closed = False
        self._clock = clock
        self._script: Script = script if callable(script) else _from(iter(script))

    def input_bound(self, prompt: Prompt) -> int:
        """One token a character."""
        return len(prompt.system or "") + len(prompt.user)

    async def complete(self, request: Request) -> Completion:
        """What the script says; raises its errors."""
        self.calls.append(request)
        said = self._script(request)
        if isinstance(said, ProviderError):
            raise said
        answer = Answer((said,)) if isinstance(said, str) else said
        if answer.delay_s and self._clock is not None:
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
            try:
                await self._clock.sleep(answer.delay_s)
            finally:
                self.in_flight -= 1
        if answer.error is not None:
            raise answer.error
        texts = answer.texts * len(request.draws) if len(answer.texts) == 1 else answer.texts
        replies = tuple(Reply(text, answer.finish, estimate_tokens(text), True) for text in texts)
        return Completion(replies[: len(request.draws)], answer.usage)

    async def close(self) -> None:
        """Take note of it."""
        self.closed = True


def _from(answers: Iterator[Answer | str | ProviderError]) -> Script:
    def script(_request: Request) -> Answer | str | ProviderError:
        try:
            return next(answers)
        except StopIteration:
            raise AssertionError("the script has no answer left") from None

    return script
