"""The vote on one step: which samples to draw when, and what to do with what comes.

Used by `step`. The slots that are opened are always as few as could decide the step at best, so that no sample is drawn
in vain; what a caller asked to have in flight beyond them is cancelled at the decision and accounted for.

Invariant: a transport failure is neither flag nor vote; a flagged reply is replaced in its slot by a fresh sample; a
passing reply is one vote.
"""

from __future__ import annotations

import asyncio

from maker_dsl.engine.ballot import Ballot
from maker_dsl.engine.frame import Frame
from maker_dsl.engine.intake import Intake
from maker_dsl.engine.kind import Ask, Kind
from maker_dsl.engine.ledger import RunLedger
from maker_dsl.engine.open_step import OpenStep
from maker_dsl.engine.recorder import Recorder
from maker_dsl.engine.records import CallRecord
from maker_dsl.engine.settings import Keep
from maker_dsl.judging import Vote
from maker_dsl.providers.ledger import BudgetExhausted
from maker_dsl.providers.port import Completion, Draw, PermanentError, Phase, Question, Request
from maker_dsl.task import Locals, Prompt, State, Task

MOST_EMPTY_ANSWERS = 5
"""Answers without any reply that a step puts up with, one after the other."""


class StepVote:
    """The vote on one step."""

    __slots__ = (
        "_blocked",
        "_calling",
        "_empty",
        "_failure",
        "_index",
        "_intake",
        "_kind",
        "_ledger",
        "_locals",
        "_open_slots",
        "_prompts",
        "_question",
        "_recorder",
        "_state",
        "_sub",
        "_tasks",
        "opened",
    )

    def __init__(
        self, kind: Kind, frame: Frame, task: Task, state: State, recorder: Recorder, ledger: RunLedger, keep: Keep
    ) -> None:
        self._recorder = recorder
        self._ledger = ledger
        self._kind = kind
        self._index = index = frame.index
        self._sub = frame.number
        self._state = state
        self._locals: Locals = kind.step.state_locals(state)
        self._prompts: dict[int, Prompt] = {0: kind.step.render(state, self._locals)}
        """By wording."""
        self._question = Question(index, kind.step, state, task, frame.draw_key(index), frame.number, frame.order)
        self.opened: OpenStep = recorder.fold.open_step(frame, kind.turns.new_ballot(kind.table))
        self._intake = Intake(task, kind.step, state, self._locals, self.opened, keep)
        self._calling: set[int] = set()
        """Slots that a call under way is to fill."""
        self._open_slots = 0
        self._empty = 0
        self._failure: BaseException | None = None
        self._blocked: BudgetExhausted | None = None
        self._tasks: set[asyncio.Task[None]] = set()

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
            self._recorder.flush()
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
        rung = kind.turns.rung_of(opened.samples)
        forms: tuple[Ask, ...] = ()
        begun = len(calling)
        if pending:
            begun = len(calling | pending.keys())
            due = [(Draw(slot, flagged_by_slot.get(slot, 0)), pending[slot]) for slot in missing if slot in pending]
            forms = kind.forms(due, rung)
            missing = [slot for slot in missing if slot not in pending]
        allowed = max(0, kind.turns.cap_of(rung) - opened.samples - begun)
        draws = [Draw(slot, flagged_by_slot.get(slot, 0)) for slot in missing[:allowed]]
        return (*forms, *kind.grouped(draws, rung)) if draws else forms

    async def _sample(self, ask: Ask) -> Completion:
        """The provider's answer to a call."""
        kind = self._kind
        if ask.thought is not None and kind.form_gateway is not None:
            thought = self.opened.thoughts[ask.thought].text
            prompt, most = self._intake.form_prompt(ask.thought), kind.form_max_tokens
            request = Request(
                self._question,
                prompt,
                ask.temperature,
                most,
                ask.draws,
                0,
                "form",
                thought,
                kind.form_grammar,
                ask.voter,
            )
            return await kind.sample(request)
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
            grammar=kind.grammars[ask.voter],
            voter=ask.voter,
        )
        return await kind.sample(request)

    def _prompt(self, wording: int) -> Prompt:
        found = self._prompts.get(wording)
        if found is None:
            found = self._prompts[wording] = self._kind.wordings[wording].render(self._state, self._locals)
        return found

    def _take(self, ask: Ask, completion: Completion) -> None:
        """Judge the replies of a call, journal them with what they cost, and count their votes."""
        call, reserved = self._ledger.take_answered()
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
            voter=ask.voter,
        )
        votes: tuple[Vote | None, ...] = ()
        if self._kind.form_gateway is not None and ask.thought is None:
            self._intake.add_thoughts(record, replies)
        else:
            votes = self._intake.add_replies(record, replies, ask.thought)
        self._recorder.call(record, votes)
