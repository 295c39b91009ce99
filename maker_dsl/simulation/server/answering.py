"""The shared core of the wire formats: from a call to its fate and its replies.

Which replies a call gets depends on the seed, the prompt and how many replies that prompt has had before; not on the
format, the temperature, other prompts or faults.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from struct import Struct

from maker_dsl.simulation.model import Drawn, Fault, SimulatedModel
from maker_dsl.simulation.rates import Rates
from maker_dsl.simulation.server.grammars import Handling, held_to_form, plain_answer, proof_reply
from maker_dsl.simulation.server.places import Place, Places, digest_prompt
from maker_dsl.simulation.server.wire import Ask
from maker_dsl.simulation.thinking import answer_in
from maker_dsl.task import Parsed, Task

_NUMBER = Struct("<Q")
_REMEMBERED_FORMS = 10_000


@dataclass(frozen=True, slots=True)
class Answered:
    """The replies of a call that succeeds, and after how many seconds."""

    drawn: tuple[Drawn, ...]
    latency_s: float


@dataclass(frozen=True, slots=True)
class Faulty:
    """A call that fails, and how."""

    fault: Fault
    retry_after_s: float


@dataclass(frozen=True, slots=True)
class Refused:
    """A call with a grammar, where the server takes none."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A prompt that belongs to no state of the task."""

    message: str


class Desk:
    """Answers calls about one task. Raises PermanentError if the task lacks a reference."""

    def __init__(self, task: Task, rates: Rates, seed: int | None = None, grammars: Handling = "ignore") -> None:
        self.task = task
        self._grammars = grammars
        self._model = SimulatedModel(task, rates, seed)
        self._places = Places(task, self._model)
        self._forms: OrderedDict[bytes, Place] = OrderedDict()

    @property
    def known_prompts(self) -> int:
        """How many prompts are known at present."""
        return len(self._places)

    async def answer(self, ask: Ask) -> Answered | Faulty | Refused | Unknown:
        """The fate of a call; waits only to look for an unknown prompt. Raises TaskError, StillSearching."""
        if ask.grammar is not None and self._grammars == "refuse":
            return Refused()
        proof = proof_reply(ask.prompt.user, ask.grammar, self._grammars)
        if proof is not None:
            return Answered((plain_answer(proof),) * ask.replies, 0.0)
        digest = digest_prompt(ask.prompt)
        place = self._places.find(digest)
        if place is None and self._places.forming_steps:
            answer = answer_in(ask.prompt.user)
            if answer is not None:
                return self._form(ask, digest.words, answer)
        place = place or await self._places.search(digest)
        if place is None:
            task = self.task.name
            return Unknown(
                f"this prompt belongs to no state of task {task} that the simulated model knows; "
                "does the server run the same task file with the same --set inputs?"
            )
        model = self._model
        faulty = self._fault(digest.words, place)
        if faulty is not None:
            return faulty
        answers = self._places.answers(place, digest)
        first = place.replies
        place.replies += ask.replies
        drawn = tuple(
            model.draw_by_key(answers, digest.words + _NUMBER.pack(number), ask.max_tokens)
            for number in range(first, first + ask.replies)
        )
        if self._enforces(ask):
            drawn = tuple(held_to_form(one, answers.right) for one in drawn)
        for one in drawn:
            if one.finish == "stop" and one.kind != "malformed":
                self._places.follow(place, one.reply)
        return Answered(drawn, max(one.latency_s for one in drawn))

    def _form(self, ask: Ask, words: bytes, answer: str) -> Answered | Faulty:
        """Put a thought into form: whose thought it is doesn't matter, the answer stands in it."""
        place = self._forms.pop(words, None) or Place(words)
        self._forms[words] = place
        if len(self._forms) > _REMEMBERED_FORMS:
            self._forms.popitem(last=False)
        faulty = self._fault(words, place)
        if faulty is not None:
            return faulty
        forming = self._places.forming_steps
        step = next((one for one in forming if isinstance(one.reply.read(answer), Parsed)), forming[0])
        first = place.replies
        place.replies += ask.replies
        drawn = tuple(
            self._model.form_by_key(step, answer, words + _NUMBER.pack(number), ask.max_tokens)
            for number in range(first, first + ask.replies)
        )
        if self._enforces(ask):
            drawn = tuple(held_to_form(one, plain_answer(answer).reply) for one in drawn)
        return Answered(drawn, max(one.latency_s for one in drawn))

    def _enforces(self, ask: Ask) -> bool:
        return ask.grammar is not None and self._grammars == "enforce"

    def _fault(self, words: bytes, place: Place) -> Faulty | None:
        model = self._model
        fault = model.fault(words + _NUMBER.pack(place.calls)) if model.may_fault else None
        place.calls += 1
        return None if fault is None else Faulty(fault, model.retry_after_s)
