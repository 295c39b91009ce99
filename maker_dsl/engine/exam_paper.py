"""One test as it is put to a provider: its prompt in every wording, its samples, and what they are worth.

Used by `examination`. A sample that is a thought is put into form by the same provider.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from maker_dsl.engine.constraints import Constraints, unwritable_steps
from maker_dsl.engine.gateways import Gateways
from maker_dsl.engine.kind import Kind
from maker_dsl.engine.origin import policy_records
from maker_dsl.engine.settings import RunOptions, SettingsRefused, resolve
from maker_dsl.engine.start import ProviderSetup
from maker_dsl.engine.theory import Interval, wilson_interval
from maker_dsl.engine.voting import MOST_EMPTY_ANSWERS
from maker_dsl.errors import InternalError
from maker_dsl.judging import Flag, judge, judge_thought
from maker_dsl.providers.gateway import Gateway
from maker_dsl.providers.port import Draw, PermanentError, Phase, Question, Reply, Request
from maker_dsl.task import Locals, Prompt, RawReply, Step, TaskError, TaskTest


@dataclass(slots=True)
class Marks:
    """How a provider did on one test: every sample is right, flagged, or fails a `then`."""

    test: TaskTest
    asked: int
    right: int = 0
    flags: Counter[str] = field(default_factory=Counter)
    """Flagged samples by the flag's name."""
    unmet: Counter[str] = field(default_factory=Counter)
    """Samples that passed, but after which a `then` does not hold, by its text."""
    first_wrong: str | None = None
    """The first reply that was not right."""

    @property
    def drawn(self) -> int:
        """How many samples there are; fewer than asked where something stopped them."""
        return self.right + self.flags.total() + self.unmet.total()

    @property
    def rate(self) -> float | None:
        """The share of right samples; None without any."""
        return self.right / self.drawn if self.drawn else None

    @property
    def interval(self) -> Interval:
        """Where the chance of a right sample lies, at 95 %."""
        return wilson_interval(self.right, self.drawn)


@dataclass(slots=True)
class PaperCall:
    """Samples of one test that one request asks for; `draws` are those that are still out."""

    paper: Paper
    temperature: float | None
    wording: int
    draws: tuple[Draw, ...]
    thoughts: list[_Thought] = field(default_factory=list)
    """Those that are in and have still to be put into form."""


@dataclass(frozen=True, slots=True)
class _Thought:
    """A thought, and what is asked to put it into form."""

    draw: Draw
    raw: RawReply
    prompt: Prompt


@dataclass(frozen=True, slots=True)
class Mark:
    """What one sample is worth: neither for a right one."""

    flag: str | None = None
    unmet: str | None = None


class Paper:
    """One test as it is put to the provider. Thoughts are put into form by the same provider."""

    def __init__(
        self,
        number: int,
        test: TaskTest,
        setup: ProviderSetup,
        gateway: Gateway,
        samples: int,
        options: RunOptions,
    ) -> None:
        step = test.task.next_step(test.state) if test.step is None else test.task.step(test.step)
        if not isinstance(step, Step):
            raise InternalError(f"the test {test.name!r} is of a step that asks no model")
        settings = resolve(test.task, setup.provider, options, setup.options)
        unwritable = unwritable_steps([step], setup.provider)
        if unwritable:
            raise SettingsRefused(*unwritable)
        policy = policy_records(settings.steps)[step.name]
        self._test = test
        self._step = step
        self._kind = Kind(step, policy, Gateways(gateway), None, settings.max_tokens)
        self.gateway = gateway
        self._locals: Locals = step.state_locals(test.state)
        self._prompts = [wording.render(test.state, self._locals) for wording in step.wordings]
        self._question = Question(number, step, test.state, test.task)
        self._judged: dict[tuple[RawReply, RawReply | None], Mark] = {}
        self.marks = Marks(test, samples)
        asks = self._kind.grouped([Draw(slot, 0) for slot in range(samples)])
        self.calls = [PaperCall(self, ask.temperature, ask.wording, ask.draws) for ask in asks]

    @property
    def most_tokens(self) -> int:
        """The longest reply that a sample may have; 0 where nothing bounds it."""
        return max(self._kind.max_tokens or 0, self._kind.form_max_tokens or 0)

    def hold_to(self, constraints: Constraints) -> None:
        """Constrain the replies as far as that was proved; raises PermanentError."""
        self._kind.hold_to(constraints)

    async def ask(self, call: PaperCall) -> None:
        """Draw the samples of a call; a provider that brings fewer replies is asked for the others again."""
        await self._put_into_form(call)
        empty = 0
        while call.draws:
            phase: Phase = "answer" if self._step.formatting is None else "thought"
            prompt = self._prompts[call.wording]
            most = self._kind.max_tokens
            request = Request(
                self._question,
                prompt,
                call.temperature,
                most,
                call.draws,
                call.wording,
                phase,
                grammar=self._kind.grammars[0],
            )
            completion = await self._kind.sample(request)
            answered, call.draws = call.draws, call.draws[len(completion.replies) :]
            for draw, reply in zip(answered, completion.replies, strict=False):
                if phase == "answer":
                    self._mark(_raw(reply), None)
                else:
                    self._take_thought(call, draw, _raw(reply))
            empty = 0 if completion.replies else empty + 1
            if empty >= MOST_EMPTY_ANSWERS:
                raise _nothing_came()
            await self._put_into_form(call)

    def _take_thought(self, call: PaperCall, draw: Draw, raw: RawReply) -> None:
        asked = judge_thought(self._step, self._test.state, self._locals, raw)
        if isinstance(asked, Flag):
            self._count(Mark(asked.name), raw.text)
        else:
            call.thoughts.append(_Thought(draw, raw, asked))

    async def _put_into_form(self, call: PaperCall) -> None:
        """Ask for the form of the thoughts that are in. What isn't done when a call fails stays in `call`."""
        kind = self._kind
        empty = 0
        while call.thoughts:
            thought = call.thoughts[0]
            request = Request(
                self._question,
                thought.prompt,
                kind.form_temperature,
                kind.form_max_tokens,
                (thought.draw,),
                phase="form",
                thought=thought.raw.text,
                grammar=kind.form_grammar,
            )
            completion = await kind.sample(request)
            for reply in completion.replies:
                self._mark(_raw(reply), thought.raw)
                del call.thoughts[0]
            empty = 0 if completion.replies else empty + 1
            if empty >= MOST_EMPTY_ANSWERS:
                raise _nothing_came()

    def _mark(self, raw: RawReply, thought: RawReply | None) -> None:
        """Count a sample; equal ones are judged once."""
        mark = self._judged.get((raw, thought))
        if mark is None:
            mark = self._judged[raw, thought] = self._judge(raw, thought)
        self._count(mark, raw.text)

    def _count(self, mark: Mark, text: str) -> None:
        marks = self.marks
        if mark.flag is not None:
            marks.flags[mark.flag] += 1
        elif mark.unmet is not None:
            marks.unmet[mark.unmet] += 1
        else:
            marks.right += 1
            return
        if marks.first_wrong is None:
            marks.first_wrong = text

    def _judge(self, raw: RawReply, thought: RawReply | None) -> Mark:
        """The flag's name, else the first `then` that does not hold."""
        test = self._test
        verdict = judge(test.task, self._step, test.state, self._locals, raw, thought)
        if isinstance(verdict, Flag):
            return Mark(flag=verdict.name)
        for condition, holds in test.then:
            try:
                if not holds(verdict.state):
                    return Mark(unmet=condition)
            except TaskError:
                return Mark(unmet=condition)
        return Mark()


def _raw(reply: Reply) -> RawReply:
    """A reply as it is judged in runs: what no file can hold is replaced."""
    return RawReply(reply.text.encode("utf-8", "replace").decode("utf-8"), reply.tokens, reply.finish)


def _nothing_came() -> PermanentError:
    return PermanentError("the provider answers, but without any reply", kind="empty")
