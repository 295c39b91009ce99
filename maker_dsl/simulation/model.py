"""The simulated model: answers a task's questions from its `reference`, failing at set rates.

Used by the provider (in process) and by the server. Invariant: what a draw gives depends on seed, question, slot and
resample alone, never on the order of the draws, on faults of the transport or on the temperature; so a resumed run
draws what the interrupted one would have drawn. Called millions of times in a run: the usual case is a hash and a
look-up.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from struct import Struct
from typing import Literal

from maker_dsl.providers.port import Draw, PermanentError, Question, Reply, Request
from maker_dsl.simulation.answers import Answers, unreadable
from maker_dsl.simulation.chance import FULL, Chance, quantile, threshold
from maker_dsl.simulation.rates import Rates
from maker_dsl.simulation.thinking import NO_ANSWER, answer_in
from maker_dsl.task import Finish, State, Step, Task
from maker_dsl.tokens import cut_to_tokens, estimate_tokens

Kind = Literal["right", "wrong", "malformed", "overlong", "truncated", "copied"]
"""What a reply is; `copied` is a thought's answer, right or wrong, put into form."""
Fault = Literal["error_429", "error_500", "dropped"]

_DRAW = Struct("<QII")
_INDEX = Struct("<Q")
_REMEMBERED_QUESTIONS = 1024


@dataclass(frozen=True, slots=True)
class Drawn:
    """One reply of the simulated model, what kind it is, and how long it takes to arrive."""

    kind: Kind
    reply: Reply
    latency_s: float

    @property
    def text(self) -> str:
        """The reply's text."""
        return self.reply.text

    @property
    def finish(self) -> Finish:
        """Why it ended."""
        return self.reply.finish

    @property
    def tokens(self) -> int:
        """Its length by the rule of `tokens`."""
        return self.reply.tokens


def steps_without_reference(task: Task) -> tuple[str, ...]:
    """The steps that the simulated model cannot answer, of the task and of all that it may run."""
    own = tuple(f"`{step.name}`" for step in task.steps if step.reference is None)
    others = (one for one in task.outlines if one.task != task.name)
    return own + tuple(
        f"`{step.name}` of the task `{outline.task}`"
        for outline in others
        for step in outline.steps
        if not step.has_reference
    )


def require_references(task: Task) -> None:
    """Raise PermanentError, with what to do, if the simulated model cannot answer some step of the task."""
    missing = steps_without_reference(task)
    if not missing:
        return
    listed = ", ".join(missing)
    whose = f"task `{task.name}`" if all(" of " not in one for one in missing) else f"what `{task.name}` runs"
    raise PermanentError(
        f"the simulated model answers from a task's `reference`, and {whose} has none for step {listed}",
        kind="no_reference",
        help="choose a real provider with `--provider NAME`, or add `reference STEP { … }` to the task",
    )


class SimulatedModel:
    """Draws replies to one task's questions; `seed` stands above that of the rates; without either it is 0.

    Raises PermanentError if the task lacks a reference.
    """

    def __init__(self, task: Task, rates: Rates, seed: int | None = None) -> None:
        require_references(task)
        self.task = task
        self.rates = rates
        if seed is None:
            seed = rates.seed or 0
        self._chance = Chance(seed, "draw")
        self._faults = Chance(seed, "fault")
        self._answers_chance = Chance(seed, "answers")
        self._latency = rates.delay
        self._has_latency = not self._latency.is_zero
        wrong, malformed, overlong = rates.wrong, rates.malformed, rates.overlong
        self._below_wrong = threshold(wrong)
        self._below_malformed = threshold(wrong + malformed)
        self._below_overlong = threshold(wrong + malformed + overlong)
        self._below_truncated = threshold(wrong + malformed + overlong + rates.truncated)
        self._below_429 = threshold(rates.error_429)
        self._below_500 = threshold(rates.error_429 + rates.error_500)
        self._below_dropped = threshold(rates.error_429 + rates.error_500 + rates.dropped)
        self._below_agree = threshold(rates.agree)
        self.may_fault = self._below_dropped > 0
        self._remembered: dict[int, tuple[Answers, Drawn]] = {}

    def draw(self, question: Question, draw: Draw, max_tokens: int | None = None) -> Drawn:
        """The reply to a question of a run for one place of its ballot; cut at `max_tokens`. Raises TaskError."""
        key = question.index if question.key is None else question.key
        answers, right = self._found(question, key)
        numbers = self._chance.four(_DRAW.pack(key, draw.slot, draw.resample))
        if numbers[0] >= self._below_truncated and not self._has_latency:
            return right if max_tokens is None or right.reply.tokens <= max_tokens else _cut(right, max_tokens)
        return self._draw(answers, numbers, max_tokens)

    def draw_half(self, request: Request, draw: Draw) -> Drawn:
        """As `draw`, where a thought is put into form by a second call: the thought, or its form. Raises TaskError.

        A wrong, an overlong and a truncated sample are so in the thought, a malformed one in the form.
        """
        question = request.question
        key = question.index if question.key is None else question.key
        numbers = self._chance.four(_DRAW.pack(key, draw.slot, draw.resample))
        if request.phase == "thought":
            answers, _ = self._found(question, key)
            return self._think(answers, numbers, request.max_tokens)
        return self._form(question.step, answer_in(request.thought or ""), numbers, request.max_tokens)

    def answers(self, step: Step, state: State, key: bytes, task: Task | None = None) -> Answers:
        """What may be answered to a question; `key` names the question. `task` is the model's own unless given."""
        return Answers(task=task or self.task, step=step, state=state, generator=_Generators(self._answers_chance, key))

    def draw_by_key(self, answers: Answers, key: bytes, max_tokens: int | None = None) -> Drawn:
        """The reply that belongs to a key, for callers that know no steps and slots: a thought, if the step asks so."""
        draw = self._draw if answers.step.formatting is None else self._think
        return draw(answers, self._chance.four(key), max_tokens)

    def form_by_key(self, step: Step, answer: str, key: bytes, max_tokens: int | None = None) -> Drawn:
        """A thought's answer, put into a step's form."""
        return self._form(step, answer, self._chance.four(key), max_tokens)

    def fault(self, key: bytes) -> Fault | None:
        """How the call of that key fails before it brings a reply, if it does."""
        number = self._faults.four(key)[0]
        if number < self._below_429:
            return "error_429"
        if number < self._below_500:
            return "error_500"
        return "dropped" if number < self._below_dropped else None

    @property
    def retry_after_s(self) -> float:
        """After how many seconds a refused call may be repeated: the time of one reply."""
        return self._latency.median_s

    def _found(self, question: Question, key: int) -> tuple[Answers, Drawn]:
        found = self._remembered.get(key)
        if found is None or (found[0].state is not question.state and found[0].state != question.state):
            found = self._remember(question, key)
        return found

    def _remember(self, question: Question, key: int) -> tuple[Answers, Drawn]:
        answers = self.answers(question.step, question.state, _INDEX.pack(key), question.task)
        remembered = self._remembered
        remembered.pop(key, None)
        while len(remembered) >= _REMEMBERED_QUESTIONS:
            del remembered[next(iter(remembered))]
        found = remembered[key] = (answers, Drawn("right", answers.right, 0.0))
        return found

    def _draw(self, answers: Answers, numbers: tuple[int, int, int, int], max_tokens: int | None) -> Drawn:
        fate, choice, detail, speed = numbers
        kind: Kind
        if fate >= self._below_truncated:
            kind, reply = "right", answers.right
        elif fate < self._below_wrong:
            kind, reply = "wrong", answers.wrong(self._wrong_number(answers, choice, detail))
        elif fate < self._below_malformed:
            kind, reply = "malformed", answers.malformed(_generator(choice))
        elif fate < self._below_overlong:
            kind, reply = "overlong", answers.overlong(_generator(choice))
        else:
            kind, reply = "truncated", answers.truncated(_generator(choice))
        return self._arriving(kind, reply, speed, max_tokens)

    def _think(self, answers: Answers, numbers: tuple[int, int, int, int], max_tokens: int | None) -> Drawn:
        """A thought. One that is to be malformed is right: its form is not."""
        fate, choice, detail, speed = numbers
        kind: Kind = "right"
        if fate < self._below_wrong:
            kind, reply = "wrong", answers.thought(answers.wrong(self._wrong_number(answers, choice, detail)))
        elif self._below_malformed <= fate < self._below_overlong:
            kind, reply = "overlong", answers.overlong_thought(_generator(choice))
        elif self._below_overlong <= fate < self._below_truncated:
            kind, reply = "truncated", answers.truncated_thought(_generator(choice))
        else:
            reply = answers.thought(answers.right)
        return self._arriving(kind, reply, speed, max_tokens)

    def _form(
        self, step: Step, answer: str | None, numbers: tuple[int, int, int, int], max_tokens: int | None
    ) -> Drawn:
        """What a thought says, in form, right or wrong: nothing is solved here."""
        fate, choice, _, speed = numbers
        if answer is not None and self._below_wrong <= fate < self._below_malformed:
            return self._arriving("malformed", unreadable(step, answer, _generator(choice)), speed, max_tokens)
        text = NO_ANSWER if answer is None else answer
        return self._arriving("copied", Reply(text, "stop", estimate_tokens(text)), speed, max_tokens)

    def _arriving(self, kind: Kind, reply: Reply, speed: int, max_tokens: int | None) -> Drawn:
        latency_s = self._latency.at(quantile(speed)) if self._has_latency else 0.0
        drawn = Drawn(kind, reply, latency_s)
        return drawn if max_tokens is None or reply.tokens <= max_tokens else _cut(drawn, max_tokens)

    def _wrong_number(self, answers: Answers, choice: int, detail: int) -> int:
        """Number 0 with probability `agree`, else any other; with `agree` 0 all are alike."""
        if choice < self._below_agree:
            return 0
        first = 1 if self._below_agree else 0
        return first + detail * (answers.wrong_count - first) // FULL


class _Generators:
    """The generators of one question, by name."""

    __slots__ = ("_chance", "_key")

    def __init__(self, chance: Chance, key: bytes) -> None:
        self._chance = chance
        self._key = key

    def __call__(self, name: str) -> Random:
        return self._chance.generator(self._key + name.encode())


def _generator(number: int) -> Random:
    return Random(number)


def _cut(drawn: Drawn, max_tokens: int) -> Drawn:
    reply = Reply(cut_to_tokens(drawn.reply.text, max_tokens), "length", max_tokens)
    return Drawn(drawn.kind, reply, drawn.latency_s)
