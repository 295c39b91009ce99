"""What a step takes in: thoughts and replies are judged, told apart from those that it had before, and put on record.

Used by the step loop, one for each step that is being decided. Invariant: equal replies of a step are judged once; what
the run does not keep is written down all the same once the step turns out to be contested.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from maker_dsl.engine.fold import raw_thought
from maker_dsl.engine.open_step import OpenStep
from maker_dsl.engine.records import CallRecord, FlagRecord, ReplyRecord, ThoughtRecord
from maker_dsl.engine.settings import Keep
from maker_dsl.judging import Verdict, Vote, judge, judge_thought
from maker_dsl.providers.port import Reply
from maker_dsl.task import Locals, Prompt, RawReply, State, Step, Task


class Intake:
    """Takes the replies of one step in, going on from those that it has."""

    __slots__ = ("_forms", "_held", "_keep", "_locals", "_memo", "_opened", "_state", "_step", "_task", "_thoughts")

    def __init__(self, task: Task, step: Step, state: State, locals: Locals, opened: OpenStep, keep: Keep) -> None:
        self._task = task
        self._step = step
        self._state = state
        self._locals = locals
        self._opened = opened
        self._keep = keep
        self._forms: dict[int, Prompt] = {}
        """What puts a thought into form, by its number."""
        self._memo: dict[tuple[str, str, int, int | None], int] = {}
        self._thoughts: dict[tuple[str, str, int], int] = {}
        self._held: dict[int, str] = {}
        """Texts that are written only if the step becomes contested."""
        for number, entry in enumerate(opened.entries):
            record = entry.record
            if record.text is not None:
                self._memo[record.text, record.finish, record.tokens, record.thought] = number
        for number, thought in enumerate(opened.thoughts):
            self._thoughts[thought.text, thought.finish, thought.tokens] = number

    def add_thoughts(self, record: CallRecord, replies: Sequence[Reply]) -> None:
        """Put thoughts into the record of their call, each judged as far as it can be before it has a form."""
        known = self._thoughts
        numbers: list[int] = []
        new: list[ThoughtRecord] = []
        base = len(self._opened.thoughts)
        for reply in replies:
            text = _writable(reply.text)
            identity = (text, reply.finish, reply.tokens)
            number = known.get(identity)
            if number is None:
                number = known[identity] = base + len(new)
                raw = RawReply(text, reply.tokens, reply.finish)
                asked = judge_thought(self._step, self._state, self._locals, raw)
                flag = None
                if isinstance(asked, Prompt):
                    self._forms[number] = asked
                else:
                    flag = FlagRecord(asked.stage, asked.name, asked.detail, asked.offset)
                new.append(ThoughtRecord(reply.finish, reply.tokens, text, flag))
            numbers.append(number)
        record.new_thoughts = tuple(new)
        record.thoughts = tuple(numbers)

    def add_replies(self, record: CallRecord, replies: Sequence[Reply], thought: int | None) -> tuple[Vote | None, ...]:
        """Put replies into the record of their call; gives the votes of the new ones."""
        memo = self._memo
        numbers: list[int] = []
        new: list[tuple[str, ReplyRecord, Vote | None]] = []
        base = len(self._opened.entries)
        for reply in replies:
            identity = (reply.text, reply.finish, reply.tokens, thought)
            number = memo.get(identity)
            if number is None:
                number = memo[identity] = base + len(new)
                new.append(self._judge(reply, thought))
            numbers.append(number)
        records = [each for _, each, _ in new]
        if self._keep != "all" and new:
            records, record.texts = self._kept(base, new)
        record.new = tuple(records)
        record.replies = tuple(numbers)
        return tuple([vote for _, _, vote in new])

    def _judge(self, reply: Reply, thought: int | None) -> tuple[str, ReplyRecord, Vote | None]:
        text = _writable(reply.text)
        raw = RawReply(text, reply.tokens, reply.finish)
        thinking = None if thought is None else raw_thought(self._opened.thoughts[thought])
        verdict: Verdict = judge(self._task, self._step, self._state, self._locals, raw, thinking)
        if isinstance(verdict, Vote):
            return text, ReplyRecord(reply.finish, reply.tokens, text, verdict.key, thought=thought), verdict
        flag = FlagRecord(verdict.stage, verdict.name, verdict.detail, verdict.offset)
        return text, ReplyRecord(reply.finish, reply.tokens, text, None, flag, thought=thought), None

    def _kept(
        self, base: int, new: list[tuple[str, ReplyRecord, Vote | None]]
    ) -> tuple[list[ReplyRecord], tuple[tuple[int, str], ...]]:
        """The records of new replies without the texts that are not to be kept, and earlier texts that now are."""
        keys = {record.key for _, record, _ in new} | set(self._opened.first_of_key)
        if self._keep == "contested" and (self._opened.is_contested or len(keys) > 1 or None in keys):
            texts = tuple(self._held.items())
            self._held.clear()
            return [record for _, record, _ in new], texts
        dump = self._task.state_codec.dump
        records = []
        for number, (text, record, vote) in enumerate(new, base):
            if self._keep == "contested":
                self._held[number] = text
            state = None if vote is None else dump(vote.state).decode()
            records.append(replace(record, text=None, state=state))
        return records, ()

    def form_prompt(self, number: int) -> Prompt:
        """What puts a thought into form."""
        found = self._forms.get(number)
        if found is None:
            raw = raw_thought(self._opened.thoughts[number])
            assert raw is not None
            asked = judge_thought(self._step, self._state, self._locals, raw)
            assert isinstance(asked, Prompt), "a thought without a flag can be put into form"
            found = self._forms[number] = asked
        return found


def _writable(text: str) -> str:
    """A lone surrogate is in no file and in no JSON: what is judged must be what the journal can hold."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
