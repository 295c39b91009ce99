"""The samples of a step told in full: what was asked, what came, and its verdict.

Used by `story`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from maker_dsl.engine.open_step import OpenStep
from maker_dsl.engine.records import CallRecord, FlagRecord, PolicyRecord
from maker_dsl.engine.turns import turns_of
from maker_dsl.task import Finish


@dataclass(frozen=True, slots=True)
class ThoughtStory:
    """What a sample was before it was put into form."""

    text: str
    finish: Finish
    tokens: int
    temperature: float | None


@dataclass(frozen=True, slots=True)
class SampleStory:
    """One sample of a step: where it stood, what came, and its verdict. `text` is None where the run didn't keep it.

    Of a sample that was a thought first, `text`, `finish`, `tokens` and `temperature` are those of its form; without
    one, since the thought was flagged, they are the thought's, and `text` is None.
    """

    slot: int
    resample: int
    temperature: float | None
    text: str | None
    finish: Finish
    tokens: int
    key: str | None
    flag: FlagRecord | None
    counted: bool
    """Whether the sample is one of the votes that were counted."""
    wording: str | None = None
    """The wording it was asked in, where the step has several."""
    thought: ThoughtStory | None = None
    is_formed: bool = True
    """False for a thought that was flagged before it was put into form."""
    voter: str | None = None
    """What the model is called that was asked, where several vote; "" for the run's own where nobody said."""


def sample_stories(
    calls: Iterable[CallRecord], opened: OpenStep, policy: PolicyRecord, own: str = ""
) -> list[SampleStory]:
    """The samples that the calls of a step brought, in the order in which they were complete; `own` is what the run's
    own model is called.
    """
    samples = []
    thinking: dict[tuple[int, int], tuple[ThoughtStory, str | None]] = {}
    profiles = turns_of(policy).profiles
    for call in calls:
        voter = (profiles[call.voter] or own) if 1 < len(profiles) > call.voter else None
        wording = policy.wordings[call.wording] if call.wording < len(policy.wordings) else None
        for draw, number in zip(call.draws, call.thoughts, strict=False):
            thought = opened.thoughts[number]
            told = ThoughtStory(thought.text, thought.finish, thought.tokens, call.temperature)
            thinking[draw] = told, wording
            if thought.flag is not None:
                samples.append(
                    SampleStory(
                        *draw,
                        call.temperature,
                        None,
                        thought.finish,
                        thought.tokens,
                        None,
                        thought.flag,
                        False,
                        wording,
                        told,
                        False,
                        voter,
                    )
                )
        for draw, number in zip(call.draws, call.replies, strict=False):
            record = opened.entries[number].record
            before, asked_in = thinking.get(draw, (None, wording))
            samples.append(
                SampleStory(
                    *draw,
                    call.temperature,
                    record.text,
                    record.finish,
                    record.tokens,
                    record.key,
                    record.flag,
                    record.key is not None and draw[0] < opened.ballot.counted,
                    asked_in,
                    before,
                    True,
                    voter,
                )
            )
    return samples
