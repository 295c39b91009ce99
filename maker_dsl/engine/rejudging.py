"""Judging anew what a journal has of a step: replies, thoughts, and the wordings that they were asked in.

Used by `verification`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from maker_dsl.engine.fold import raw_thought
from maker_dsl.engine.records import CallRecord, ReplyRecord, ThoughtRecord
from maker_dsl.engine.turns import Turns
from maker_dsl.judging import Vote, judge, judge_thought
from maker_dsl.task import Locals, Prompt, RawReply, State, Step, Task


class Broken(Exception):
    """A record says something else than what follows from those before it."""

    def __init__(self, what: str, expected: object, found: object) -> None:
        super().__init__(what)
        self.what = what
        self.expected = expected
        self.found = found


@dataclass(slots=True)
class PresentStep:
    """What is computed once for a frame's step under verification."""

    index: int
    step: Step
    state: State
    state_locals: Locals


def thought_of(record: ReplyRecord, thoughts: Sequence[ThoughtRecord]) -> ThoughtRecord | None:
    """The thought that a reply is the form of; None where it is the whole answer. Raises Broken."""
    if record.thought is None:
        return None
    if not 0 <= record.thought < len(thoughts):
        raise Broken("the number of a reply's thought", f"less than {len(thoughts)}", record.thought)
    return thoughts[record.thought]


def judge_again(
    task: Task, present: PresentStep, record: ReplyRecord, text: str, thought: ThoughtRecord | None
) -> Vote | None:
    """The vote of a reply, None if it is flagged; raises Broken if the journal has another verdict."""
    raw = RawReply(text, record.tokens, record.finish)
    verdict = judge(task, present.step, present.state, present.state_locals, raw, raw_thought(thought))
    if isinstance(verdict, Vote):
        if verdict.key != record.key:
            raise Broken("the verdict on a reply", _verdict(verdict.key), _verdict_of(record))
        return verdict
    if record.flag is None or (record.flag.stage, record.flag.name) != (verdict.stage, verdict.name):
        raise Broken("the verdict on a reply", f"flag “{verdict.name}” ({verdict.stage})", _verdict_of(record))
    return None


def judge_thought_again(present: PresentStep, thought: ThoughtRecord) -> None:
    """Raise Broken if a thought's flag, or that it has none, is not what follows from it."""
    raw = RawReply(thought.text, thought.tokens, thought.finish)
    if present.step.formatting is None:
        raise Broken("a thought", "none: the step puts no thoughts into form", repr(thought.text[:60]))
    asked = judge_thought(present.step, present.state, present.state_locals, raw)
    expected = None if isinstance(asked, Prompt) else (asked.stage, asked.name)
    found = None if thought.flag is None else (thought.flag.stage, thought.flag.name)
    if found != expected:
        raise Broken("the verdict on a thought", expected or "no flag", found or "no flag")


def check_asked(step: Step, call: CallRecord, turns: Turns, samples: int) -> None:
    """Raise Broken if a call was asked of another model, or in another wording, than its samples' places give them.

    `samples` are those that the step had drawn before. A form has no wording of its own.
    """
    rung = turns.rung_of(samples)
    is_form = step.formatting is not None and not call.thoughts
    wordings = {0} if is_form else {turns.wording_of(slot, resample, rung) for slot, resample in call.draws}
    if wordings != {call.wording}:
        raise Broken("the wording of a call", sorted(wordings), call.wording)
    voters = {turns.voter_of(slot, resample, rung) for slot, resample in call.draws}
    if voters != {call.voter}:
        raise Broken("the model that a call was asked of", sorted(voters), call.voter)


def _verdict(key: str | None) -> str:
    return f"a vote for {key}"


def _verdict_of(record: ReplyRecord) -> str:
    if record.flag is not None:
        return f"flag “{record.flag.name}” ({record.flag.stage})"
    return _verdict(record.key)
