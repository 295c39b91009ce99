"""Calibrations: random states are put to a provider, several times each, and every sample is held against the truth.

Used by `maker calibrate`. Calls take the way of live tests (`examination`): gateway, retries, rates, budget, no
journal. The states go in batches; each beginning of their random order is a random sample, so that the calibration may
stop after any.

Invariant: a sample is a vote or flagged, and counts once; nothing is decided here about what that is worth
(`calibration_summary`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from maker_dsl.engine.budget import RunBudget
from maker_dsl.engine.exam_paper import Mark, Paper, PaperCall
from maker_dsl.engine.examination import Examiner, Spending
from maker_dsl.engine.settings import RunOptions
from maker_dsl.engine.start import ProviderSetup
from maker_dsl.engine.trajectory import Chosen
from maker_dsl.expressions.errors import EvaluationError
from maker_dsl.judging import Flag, judge
from maker_dsl.providers.clock import Clock
from maker_dsl.providers.gateway import Gateway
from maker_dsl.providers.ledger import Call
from maker_dsl.providers.port import Draw
from maker_dsl.task import Parsed, RawReply, ReplyValue, TaskTest

BATCH = 10
"""States between two looks at whether enough is known."""


class TruthRefused(Exception):
    """A reference's own reply is flagged: nobody knows what is right in that state."""

    def __init__(self, chosen: Chosen, flag: Flag) -> None:
        super().__init__(f"the reference's own reply is flagged in {chosen.origin}: {flag.detail}")
        self.chosen = chosen


@dataclass(slots=True)
class Metered:
    """What the calls of one state took: totals over its samples."""

    input_tokens: int = 0
    output_tokens: int = 0
    latency_s: float = 0.0
    """Of every sample as long as its calls took."""
    cost_usd: float = 0.0
    is_metered: bool = True
    """Whether all calls said their tokens."""
    is_costed: bool = True
    """Whether all calls have a known cost."""


class MeteredSpending(Spending):
    """What calls came to in all, and by state: the ledger of a calibration."""

    def __init__(self, states: int) -> None:
        super().__init__()
        self.by_state = [Metered() for _ in range(states)]

    def __call__(self, call: Call) -> None:
        """Take note of one attempt."""
        Spending.__call__(self, call)
        request = call.request
        if request.phase == "proof":
            return
        state = self.by_state[request.question.index]
        if call.cost_usd is None:
            state.is_costed = False
        else:
            state.cost_usd += call.cost_usd
        if call.outcome != "ok":
            return
        state.latency_s += call.latency_s * len(request.draws)
        if call.usage is None:
            state.is_metered = False
        else:
            state.input_tokens += call.usage.input_tokens
            state.output_tokens += call.usage.output_tokens


@dataclass(slots=True)
class Answer:
    """What was voted for in a state: its value, and by how many samples."""

    value: ReplyValue
    votes: int = 0


@dataclass(slots=True)
class StateResult:
    """What came of one state. `right_key` is None where the task has no reference for it."""

    chosen: Chosen
    right_key: str | None
    answers: dict[str, Answer] = field(default_factory=dict)
    """By key, in the order in which they came up."""
    flags: Counter[str] = field(default_factory=Counter)
    flagged_right: Counter[str] = field(default_factory=Counter)
    """Flagged replies that had the right answer all the same."""

    @property
    def votes(self) -> int:
        """Samples that passed."""
        return sum(answer.votes for answer in self.answers.values())

    @property
    def samples(self) -> int:
        """All samples."""
        return self.votes + self.flags.total()


@dataclass(frozen=True, slots=True)
class _Judged(Mark):
    """A sample's mark, with what it voted for, or whether it was flagged with the right answer in it."""

    key: str | None = None
    value: ReplyValue | None = None
    hit_right: bool = False


class _StatePaper(Paper):
    """A state as it is put to the provider."""

    def __init__(
        self,
        number: int,
        test: TaskTest,
        setup: ProviderSetup,
        gateway: Gateway,
        samples: int,
        options: RunOptions,
        result: StateResult,
    ) -> None:
        super().__init__(number, test, setup, gateway, samples, options)
        self._result = result
        # As many samples to a call as a run asks for at once: what a prompt costs is shared by so many.
        kind = self._kind
        draws = [Draw(slot, 0) for slot in range(samples)]
        groups = [draws[start : start + kind.margin] for start in range(0, samples, kind.margin)]
        asks = [ask for group in groups for ask in kind.grouped(group)]
        self.calls = [PaperCall(self, ask.temperature, ask.wording, ask.draws) for ask in asks]

    def _judge(self, raw: RawReply, thought: RawReply | None) -> Mark:
        test, step = self._test, self._step
        verdict = judge(test.task, step, test.state, self._locals, raw, thought)
        if not isinstance(verdict, Flag):
            return _Judged(key=verdict.key, value=verdict.value)
        hit = False
        if self._result.right_key is not None:
            read = step.reply.read(raw.text)
            if isinstance(read, Parsed):
                try:
                    hit = step.vote_key(read.value) == self._result.right_key
                except EvaluationError:
                    hit = False
        return _Judged(flag=verdict.name, hit_right=hit)

    def _count(self, mark: Mark, text: str) -> None:
        super()._count(mark, text)
        if mark.flag is not None:
            self._result.flags[mark.flag] += 1
            self._result.flagged_right[mark.flag] += isinstance(mark, _Judged) and mark.hit_right
        elif isinstance(mark, _Judged) and mark.key is not None and mark.value is not None:
            self._result.answers.setdefault(mark.key, Answer(mark.value)).votes += 1


class Calibrator(Examiner):
    """Puts states to a provider, batch by batch, until `is_enough` says so. Raises as Examiner, and TruthRefused."""

    def __init__(
        self,
        chosen: Sequence[Chosen],
        setup: ProviderSetup,
        samples: int,
        options: RunOptions,
        budget: RunBudget | None,
        clock: Clock,
        random: Random,
        is_enough: Callable[[Sequence[StateResult]], bool] | None = None,
    ) -> None:
        self.results = [StateResult(one, right_key_of(one)) for one in chosen]
        self.metered = MeteredSpending(len(chosen))
        self.stopped_early = False
        self._is_enough = is_enough
        tests = [TaskTest(one.origin, one.task, one.state, one.step.name, "", "accept", None, ()) for one in chosen]
        super().__init__(tests, [setup] * len(tests), samples, options, budget, clock, random, self.metered)

    def _paper(
        self,
        number: int,
        test: TaskTest,
        setup: ProviderSetup,
        gateway: Gateway,
        samples: int,
        options: RunOptions,
    ) -> Paper:
        return _StatePaper(number, test, setup, gateway, samples, options, self.results[number])

    async def _in_turn(self, calls: Sequence[PaperCall]) -> None:
        for batch in self._batches(calls):
            await super()._in_turn(batch)
            if self._is_over():
                return

    async def _side_by_side(self, calls: Sequence[PaperCall]) -> None:
        for batch in self._batches(calls):
            await super()._side_by_side(batch)
            # What did not fit beside calls under way at their worst may fit now: the next batch waits for it.
            if self._blocked and self._failure is None:
                blocked, self._blocked = self._blocked, []
                await super()._in_turn(blocked)
            if self._is_over():
                return

    def _batches(self, calls: Sequence[PaperCall]) -> list[list[PaperCall]]:
        """The calls of so many states at a time, in their order."""
        by_paper: dict[int, list[PaperCall]] = {}
        for call in calls:
            by_paper.setdefault(id(call.paper), []).append(call)
        papers = list(by_paper.values())
        at_once = len(papers) if self._is_enough is None else BATCH
        return [
            [call for paper in papers[start : start + at_once] for call in paper]
            for start in range(0, len(papers), max(1, at_once))
        ]

    def _is_over(self) -> bool:
        if self._failure is not None or self._blocked:
            return True
        asked = [result for result in self.results if result.samples]
        self.stopped_early = self._is_enough is not None and len(asked) < len(self.results) and self._is_enough(asked)
        return self.stopped_early


def right_key_of(chosen: Chosen) -> str | None:
    """What the reference votes for in a state; None without a reference. Raises TruthRefused, TaskError."""
    step, state = chosen.step, chosen.state
    if step.reference is None:
        return None
    text = step.reply.render(step.reference(state))
    verdict = judge(chosen.task, step, state, step.state_locals(state), RawReply(text, 1, "stop"))
    if isinstance(verdict, Flag):
        raise TruthRefused(chosen, verdict)
    return verdict.key
