"""One step: draw, judge, vote, until one key leads by the margin or the cap on samples is reached.

Used by the run loop; `Decider` holds what is the same for all steps, `_StepVote` what belongs to one. The slots that
are opened are always as few as could decide the step at best, so that no sample is drawn in vain; what a caller asked
to have in flight beyond them is cancelled at the decision and accounted for.

Invariant: a transport failure is neither flag nor vote; a flagged reply is replaced in its slot by a fresh sample; a
passing reply is one vote.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from maker_dsl.engine.ballot import Ballot
from maker_dsl.engine.constraints import Constraints
from maker_dsl.engine.fold import raw_thought, state_after
from maker_dsl.engine.frame import Frame
from maker_dsl.engine.gateways import Gateways
from maker_dsl.engine.kind import Ask, Kind
from maker_dsl.engine.ledger import RunLedger
from maker_dsl.engine.open_step import OpenStep
from maker_dsl.engine.recorder import Recorder
from maker_dsl.engine.records import CallRecord, DecisionRecord, FlagRecord, ReplyRecord, ThoughtRecord
from maker_dsl.engine.run_state import hash_state
from maker_dsl.engine.settings import Keep
from maker_dsl.judging import Verdict, Vote, judge, judge_thought
from maker_dsl.providers.ledger import BudgetExhausted
from maker_dsl.providers.port import Completion, Draw, PermanentError, Phase, Question, Reply, Request
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
        gateways: Gateways,
        constraints: Constraints,
        ledger: RunLedger,
        recorder: Recorder,
        *,
        max_tokens: int | None,
        keep: Keep,
        in_flight: int | None = None,
    ) -> None:
        self.gateways = gateways
        self.constraints = constraints
        self.ledger = ledger
        self.recorder = recorder
        self.max_tokens = max_tokens
        self.keep = keep
        self.answers_at_once = gateways.answer_at_once
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
                step.name: Kind(
                    step, frame.policies[step.name], self.gateways, self._in_flight, self.max_tokens
                ).hold_to(self.constraints)
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
        following = state_after(task, step, state, opened, number)
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
        "_forms",
        "_held",
        "_index",
        "_kind",
        "_locals",
        "_memo",
        "_open_slots",
        "_prompts",
        "_question",
        "_state",
        "_sub",
        "_task",
        "_tasks",
        "_thoughts",
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
        self._prompts: dict[int, Prompt] = {0: kind.step.render(state, self._locals)}
        """By wording."""
        self._forms: dict[int, Prompt] = {}
        """What puts a thought into form, by its number."""
        self._question = Question(index, kind.step, state, task, frame.draw_key(index), frame.number, frame.order)
        self.opened: OpenStep = decider.recorder.fold.open_step(frame, kind.margin)
        self._memo: dict[tuple[str, str, int, int | None], int] = {}
        self._thoughts: dict[tuple[str, str, int], int] = {}
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
            record = entry.record
            if record.text is not None:
                self._memo[record.text, record.finish, record.tokens, record.thought] = number
        for number, thought in enumerate(self.opened.thoughts):
            self._thoughts[thought.text, thought.finish, thought.tokens] = number

    async def draw_in_turn(self) -> None:
        """For providers that answer without waiting: one call after the other, without tasks."""
        calls = self._next_calls()
        while calls:
            for ask in calls:
                self._take(ask, await self._sample(ask))
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
        for ask in self._next_calls():
            self._calling.update(draw.slot for draw in ask.draws)
            task = group.create_task(self._call(group, ask))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _call(self, group: asyncio.TaskGroup, ask: Ask) -> None:
        try:
            self._take(ask, await self._sample(ask))
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
            self._calling.difference_update(draw.slot for draw in ask.draws)
        if self.opened.ballot.decision is not None:
            self._cancel_calls()
        elif self._failure is None:
            self._start_calls(group)

    def _cancel_calls(self) -> None:
        current = asyncio.current_task()
        for task in self._tasks:
            if task is not current:
                task.cancel()

    def _next_calls(self) -> tuple[Ask, ...]:
        """What to draw now: flagged slots again, and as many further slots as could decide the step at best.

        Thoughts that are in are put into form first.
        """
        kind, opened = self._kind, self.opened
        if self._open_slots == 0 and not opened.samples and not opened.pending:
            self._open_slots = kind.slots
            return kind.opening
        ballot: Ballot = opened.ballot
        filled, flagged_by_slot, calling = opened.votes_by_slot, opened.flagged_by_slot, self._calling
        pending = opened.pending
        if self._open_slots == 0:
            # Resumed: as many slots as had been opened with what is known, at least.
            self._open_slots = max(kind.slots, 1 + max([*filled, *flagged_by_slot, *pending]))
        self._open_slots += ballot.further_slots_needed(self._open_slots)
        missing = [slot for slot in range(self._open_slots) if slot not in filled and slot not in calling]
        forms: tuple[Ask, ...] = ()
        begun = len(calling)
        if pending:
            begun = len(calling | pending.keys())
            due = [(Draw(slot, flagged_by_slot.get(slot, 0)), pending[slot]) for slot in missing if slot in pending]
            forms = kind.forms(due)
            missing = [slot for slot in missing if slot not in pending]
        allowed = max(0, kind.max_samples - opened.samples - begun)
        draws = [Draw(slot, flagged_by_slot.get(slot, 0)) for slot in missing[:allowed]]
        return (*forms, *kind.grouped(draws)) if draws else forms

    async def _sample(self, ask: Ask) -> Completion:
        """The provider's answer to a call."""
        kind = self._kind
        if ask.thought is not None and kind.form_gateway is not None:
            thought = self.opened.thoughts[ask.thought].text
            prompt, most = self._form_prompt(ask.thought), kind.form_max_tokens
            request = Request(
                self._question, prompt, ask.temperature, most, ask.draws, 0, "form", thought, kind.form_grammar
            )
            return await kind.form_gateway.sample(request)
        phase: Phase = "answer" if kind.form_gateway is None else "thought"
        prompt = self._prompt(ask.wording)
        request = Request(
            self._question,
            prompt,
            ask.temperature,
            kind.max_tokens,
            ask.draws,
            ask.wording,
            phase,
            grammar=kind.grammar,
        )
        return await kind.gateway.sample(request)

    def _prompt(self, wording: int) -> Prompt:
        found = self._prompts.get(wording)
        if found is None:
            found = self._prompts[wording] = self._kind.wordings[wording].render(self._state, self._locals)
        return found

    def _form_prompt(self, number: int) -> Prompt:
        found = self._forms.get(number)
        if found is None:
            raw = raw_thought(self.opened.thoughts[number])
            assert raw is not None
            asked = judge_thought(self._kind.step, self._state, self._locals, raw)
            assert isinstance(asked, Prompt), "a thought without a flag can be put into form"
            found = self._forms[number] = asked
        return found

    def _take(self, ask: Ask, completion: Completion) -> None:
        """Judge the replies of a call, journal them with what they cost, and count their votes."""
        call, reserved = self._decider.ledger.take_answered()
        replies = completion.replies
        if not replies:
            self._empty += 1
            if self._empty >= MOST_EMPTY_ANSWERS:
                raise PermanentError("the provider answers, but without any reply", kind="empty")
        else:
            self._empty = 0
        usage = completion.usage
        record = CallRecord(
            self._index,
            tuple([(draw.slot, draw.resample) for draw in ask.draws]),
            ask.temperature,
            usage=None if usage is None else (usage.input_tokens, usage.output_tokens, usage.cached_input_tokens),
            cost_usd=call.cost_usd,
            reserved=reserved,
            latency_s=round(call.latency_s, 3),
            sub=self._sub,
            wording=ask.wording,
        )
        votes: tuple[Vote | None, ...] = ()
        if self._kind.form_gateway is not None and ask.thought is None:
            self._add_thoughts(record, replies)
        else:
            votes = self._add_replies(record, replies, ask.thought)
        self._decider.recorder.call(record, votes)

    def _add_thoughts(self, record: CallRecord, replies: Sequence[Reply]) -> None:
        """Put thoughts into the record of their call, each judged as far as it can be before it has a form."""
        known = self._thoughts
        numbers: list[int] = []
        new: list[ThoughtRecord] = []
        base = len(self.opened.thoughts)
        for reply in replies:
            text = _writable(reply.text)
            identity = (text, reply.finish, reply.tokens)
            number = known.get(identity)
            if number is None:
                number = known[identity] = base + len(new)
                raw = RawReply(text, reply.tokens, reply.finish)
                asked = judge_thought(self._kind.step, self._state, self._locals, raw)
                flag = None
                if isinstance(asked, Prompt):
                    self._forms[number] = asked
                else:
                    flag = FlagRecord(asked.stage, asked.name, asked.detail, asked.offset)
                new.append(ThoughtRecord(reply.finish, reply.tokens, text, flag))
            numbers.append(number)
        record.new_thoughts = tuple(new)
        record.thoughts = tuple(numbers)

    def _add_replies(
        self, record: CallRecord, replies: Sequence[Reply], thought: int | None
    ) -> tuple[Vote | None, ...]:
        """Put replies into the record of their call; gives the votes of the new ones."""
        memo = self._memo
        numbers: list[int] = []
        new: list[tuple[str, ReplyRecord, Vote | None]] = []
        base = len(self.opened.entries)
        for reply in replies:
            identity = (reply.text, reply.finish, reply.tokens, thought)
            number = memo.get(identity)
            if number is None:
                number = memo[identity] = base + len(new)
                new.append(self._judge(reply, thought))
            numbers.append(number)
        records = [each for _, each, _ in new]
        if self._decider.keep != "all" and new:
            records, record.texts = self._kept(base, new)
        record.new = tuple(records)
        record.replies = tuple(numbers)
        return tuple([vote for _, _, vote in new])

    def _judge(self, reply: Reply, thought: int | None) -> tuple[str, ReplyRecord, Vote | None]:
        text = _writable(reply.text)
        raw = RawReply(text, reply.tokens, reply.finish)
        thinking = None if thought is None else raw_thought(self.opened.thoughts[thought])
        verdict: Verdict = judge(self._task, self._kind.step, self._state, self._locals, raw, thinking)
        if isinstance(verdict, Vote):
            return text, ReplyRecord(reply.finish, reply.tokens, text, verdict.key, thought=thought), verdict
        flag = FlagRecord(verdict.stage, verdict.name, verdict.detail, verdict.offset)
        return text, ReplyRecord(reply.finish, reply.tokens, text, None, flag, thought=thought), None

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
            records.append(replace(record, text=None, state=state))
        return records, ()


def _writable(text: str) -> str:
    """A lone surrogate is in no file and in no JSON: what is judged must be what the journal can hold."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _shortened(key: str, limit: int = 60) -> str:
    return key if len(key) <= limit else key[: limit - 1] + "…"
