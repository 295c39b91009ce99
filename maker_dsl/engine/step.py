"""One step: draw, judge, vote, until one key leads by the margin or the cap on samples is reached.

Used by the run loop; `Decider` holds what is the same for all steps, `_StepVote` what belongs to one. The slots that
are opened are always as few as could decide the step at best, so that no sample is drawn in vain; what a caller asked
to have in flight beyond them is cancelled at the decision and accounted for.

Invariant: a transport failure is neither flag nor vote; a flagged reply is replaced in its slot by a fresh sample; a
passing reply is one vote.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from maker_dsl.engine.ballot import Ballot
from maker_dsl.engine.fold import state_after
from maker_dsl.engine.frame import Frame
from maker_dsl.engine.kind import Draws, Kind
from maker_dsl.engine.ledger import RunLedger
from maker_dsl.engine.open_step import OpenStep
from maker_dsl.engine.recorder import Recorder
from maker_dsl.engine.records import CallRecord, DecisionRecord, FlagRecord, ReplyRecord
from maker_dsl.engine.run_state import hash_state
from maker_dsl.engine.settings import Keep
from maker_dsl.judging import Verdict, Vote, judge
from maker_dsl.providers.gateway import Gateway
from maker_dsl.providers.ledger import BudgetExhausted
from maker_dsl.providers.port import Completion, Draw, PermanentError, Question, Reply, Request
from maker_dsl.task import Locals, Prompt, RawReply, State, Step, Task

MOST_EMPTY_ANSWERS = 5
"""Answers without any reply that a step puts up with, one after the other."""


@dataclass(frozen=True, slots=True)
class Undecided:
    """A step whose samples are used up. Nothing won, and nothing may be passed off as having won."""

    step: int
    kind: str
    samples: int
    votes: Mapping[str, int]
    flagged: int
    place: str = ""
    """In words, the sub-run that the step is of."""

    @property
    def reason(self) -> str:
        """For the report: the votes as they stand."""
        ranked = sorted(self.votes.items(), key=lambda vote: -vote[1])
        shown = ", ".join(f"{count} for {_shortened(key)}" for key, count in ranked[:4]) or "none"
        more = f" and {len(ranked) - 4} more" if len(ranked) > 4 else ""
        return (
            f"{self.place}step {self.step + 1:,} ({self.kind}) is undecided after {self.samples} samples: "
            f"votes {shown}{more}; {self.flagged} replies flagged"
        )


class Decider:
    """Decides steps, of the run and of its sub-runs, each frame's one at a time.

    `in_flight` keeps at least so many slots of a step open at once; the margin by default.
    """

    def __init__(
        self,
        gateway: Gateway,
        ledger: RunLedger,
        recorder: Recorder,
        *,
        max_tokens: int | None,
        keep: Keep,
        in_flight: int | None = None,
    ) -> None:
        self.gateway = gateway
        self.ledger = ledger
        self.recorder = recorder
        self.max_tokens = max_tokens
        self.keep = keep
        self.samples_per_call = max(1, gateway.provider.samples_per_call)
        self.answers_at_once = gateway.provider.answers_at_once
        self._in_flight = in_flight
        self._kinds: dict[int, dict[str, Kind]] = {}
        """Of each frame that has decided a step."""

    def forget(self, frame: Frame) -> None:
        """A frame decides no further steps."""
        self._kinds.pop(frame.number, None)

    def _kinds_of(self, frame: Frame) -> dict[str, Kind]:
        kinds = self._kinds.get(frame.number)
        if kinds is None:
            assert frame.task is not None
            kinds = self._kinds[frame.number] = {
                step.name: Kind(step, frame.policies[step.name], self.samples_per_call, self._in_flight)
                for step in frame.task.steps
            }
        return kinds

    async def decide(self, frame: Frame, step: Step, state: State) -> DecisionRecord | Undecided:
        """Decide the step that a frame stands at, going on from what is already drawn, and fold the decision.

        Raises BudgetExhausted, ProviderError, TaskError and what the journal raises. A cancellation abandons the calls
        under way; the replies that are in stay in the journal.
        """
        task, index = frame.task, frame.index
        assert task is not None
        vote = _StepVote(self, self._kinds_of(frame)[step.name], frame, task, state)
        opened = vote.opened
        if opened.ballot.decision is None:
            if self.answers_at_once:
                await vote.draw_in_turn()
            else:
                await vote.draw_together()
        won = opened.ballot.decision
        if won is None:
            flagged = sum(opened.flagged_by_slot.values())
            votes = dict(opened.ballot.votes)
            return Undecided(index, step.name, opened.samples, votes, flagged, frame.place())
        number = opened.winner()
        following = state_after(task, step, state, opened.entries[number])
        decision = DecisionRecord(
            index,
            step.name,
            won.key,
            number,
            opened.counted_votes(),
            opened.samples,
            hash_state(task.state_codec.dump(following)),
            frame.number,
        )
        self.recorder.decision(decision, following)
        return decision


class _StepVote:
    """The vote on one step."""

    __slots__ = (
        "_blocked",
        "_calling",
        "_decider",
        "_empty",
        "_failure",
        "_held",
        "_index",
        "_kind",
        "_locals",
        "_memo",
        "_open_slots",
        "_prompt",
        "_question",
        "_state",
        "_sub",
        "_task",
        "_tasks",
        "opened",
    )

    def __init__(self, decider: Decider, kind: Kind, frame: Frame, task: Task, state: State) -> None:
        self._decider = decider
        self._kind = kind
        self._index = index = frame.index
        self._sub = frame.number
        self._task = task
        self._state = state
        self._locals: Locals = kind.step.state_locals(state)
        self._prompt: Prompt = kind.step.render(state, self._locals)
        self._question = Question(index, kind.step, state, task, frame.draw_key(index), frame.number, frame.order)
        self.opened: OpenStep = decider.recorder.fold.open_step(frame, kind.margin)
        self._memo: dict[tuple[str, str, int], int] = {}
        self._held: dict[int, str] = {}
        """Texts that are written only if the step becomes contested."""
        self._calling: set[int] = set()
        """Slots that a call under way is to fill."""
        self._open_slots = 0
        self._empty = 0
        self._failure: BaseException | None = None
        self._blocked: BudgetExhausted | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        for number, entry in enumerate(self.opened.entries):
            if entry.record.text is not None:
                self._memo[entry.record.text, entry.record.finish, entry.record.tokens] = number

    async def draw_in_turn(self) -> None:
        """For providers that answer without waiting: one call after the other, without tasks."""
        sample = self._decider.gateway.sample
        calls = self._next_calls()
        while calls:
            for temperature, draws in calls:
                completion = await sample(self._request(temperature, draws))
                self._take(draws, temperature, completion)
                if self.opened.ballot.decision is not None:
                    return
            calls = self._next_calls()

    async def draw_together(self) -> None:
        """All calls side by side; what is still under way at the decision is cancelled."""
        async with asyncio.TaskGroup() as group:
            self._start_calls(group)
        if self.opened.ballot.decision is not None:
            return
        if self._failure is not None:
            raise self._failure
        if self._blocked is not None:
            raise self._blocked

    def _start_calls(self, group: asyncio.TaskGroup) -> None:
        self._blocked = None
        for temperature, draws in self._next_calls():
            self._calling.update(draw.slot for draw in draws)
            task = group.create_task(self._call(group, temperature, draws))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _call(self, group: asyncio.TaskGroup, temperature: float | None, draws: tuple[Draw, ...]) -> None:
        try:
            completion = await self._decider.gateway.sample(self._request(temperature, draws))
            self._take(draws, temperature, completion)
            self._decider.recorder.flush()
        except BudgetExhausted as error:
            # Calls under way may leave something over when they settle; then these draws are tried again.
            self._blocked = error
            return
        except Exception as error:
            self._failure = error
            self._cancel_calls()
            return
        finally:
            self._calling.difference_update(draw.slot for draw in draws)
        if self.opened.ballot.decision is not None:
            self._cancel_calls()
        elif self._failure is None:
            self._start_calls(group)

    def _cancel_calls(self) -> None:
        current = asyncio.current_task()
        for task in self._tasks:
            if task is not current:
                task.cancel()

    def _next_calls(self) -> tuple[Draws, ...]:
        """What to draw now: flagged slots again, and as many further slots as could decide the step at best."""
        kind, opened = self._kind, self.opened
        if self._open_slots == 0 and not opened.samples:
            self._open_slots = kind.slots
            return kind.opening
        ballot: Ballot = opened.ballot
        filled, flagged_by_slot, calling = opened.votes_by_slot, opened.flagged_by_slot, self._calling
        if self._open_slots == 0:
            # Resumed: as many slots as had been opened with what is known, at least.
            self._open_slots = max(kind.slots, 1 + max([*filled, *flagged_by_slot]))
        self._open_slots += ballot.further_slots_needed(self._open_slots)
        missing = [slot for slot in range(self._open_slots) if slot not in filled and slot not in calling]
        allowed = max(0, kind.max_samples - opened.samples - len(calling))
        draws = [Draw(slot, flagged_by_slot.get(slot, 0)) for slot in missing[:allowed]]
        return kind.grouped(draws, self._decider.samples_per_call) if draws else ()

    def _request(self, temperature: float | None, draws: tuple[Draw, ...]) -> Request:
        max_tokens = self._kind.max_tokens or self._decider.max_tokens
        return Request(self._question, self._prompt, temperature, max_tokens, draws)

    def _take(self, draws: tuple[Draw, ...], temperature: float | None, completion: Completion) -> None:
        """Judge the replies of a call, journal them with what they cost, and count their votes."""
        call, reserved = self._decider.ledger.take_answered()
        replies = completion.replies
        if not replies:
            self._empty += 1
            if self._empty >= MOST_EMPTY_ANSWERS:
                raise PermanentError("the provider answers, but without any reply", kind="empty")
        else:
            self._empty = 0
        memo = self._memo
        numbers: list[int] = []
        new: list[tuple[str, ReplyRecord, Vote | None]] = []
        base = len(self.opened.entries)
        for reply in replies:
            identity = (reply.text, reply.finish, reply.tokens)
            number = memo.get(identity)
            if number is None:
                number = memo[identity] = base + len(new)
                new.append(self._judge(reply))
            numbers.append(number)
        records = [record for _, record, _ in new]
        texts: tuple[tuple[int, str], ...] = ()
        if self._decider.keep != "all" and new:
            records, texts = self._kept(base, new)
        usage = completion.usage
        self._decider.recorder.call(
            CallRecord(
                self._index,
                tuple([(draw.slot, draw.resample) for draw in draws]),
                temperature,
                "ok",
                tuple(records),
                tuple(numbers),
                None if usage is None else (usage.input_tokens, usage.output_tokens, usage.cached_input_tokens),
                call.cost_usd,
                reserved,
                round(call.latency_s, 3),
                None,
                texts,
                self._sub,
            ),
            tuple([vote for _, _, vote in new]),
        )

    def _judge(self, reply: Reply) -> tuple[str, ReplyRecord, Vote | None]:
        text = reply.text
        if not text.isascii():
            # A lone surrogate is in no file and in no JSON: what is judged must be what the journal can hold.
            text = text.encode("utf-8", "replace").decode("utf-8")
        verdict: Verdict = judge(
            self._task, self._kind.step, self._state, self._locals, RawReply(text, reply.tokens, reply.finish)
        )
        if isinstance(verdict, Vote):
            return text, ReplyRecord(reply.finish, reply.tokens, text, verdict.key), verdict
        flag = FlagRecord(verdict.stage, verdict.name, verdict.detail, verdict.offset)
        return text, ReplyRecord(reply.finish, reply.tokens, text, None, flag), None

    def _kept(
        self, base: int, new: list[tuple[str, ReplyRecord, Vote | None]]
    ) -> tuple[list[ReplyRecord], tuple[tuple[int, str], ...]]:
        """The records of new replies without the texts that are not to be kept, and earlier texts that now are."""
        keys = {record.key for _, record, _ in new} | set(self.opened.first_of_key)
        if self._decider.keep == "contested" and (self.opened.is_contested or len(keys) > 1 or None in keys):
            texts = tuple(self._held.items())
            self._held.clear()
            return [record for _, record, _ in new], texts
        dump = self._task.state_codec.dump
        records = []
        for number, (text, record, vote) in enumerate(new, base):
            if self._decider.keep == "contested":
                self._held[number] = text
            state = None if vote is None else dump(vote.state).decode()
            records.append(ReplyRecord(record.finish, record.tokens, None, record.key, record.flag, state))
        return records, ()


def _shortened(key: str, limit: int = 60) -> str:
    return key if len(key) <= limit else key[: limit - 1] + "…"
