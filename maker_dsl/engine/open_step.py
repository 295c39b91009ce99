"""The step that is not decided yet: its distinct replies, their verdicts, and the ballot.

Part of a run's state; made and changed by `fold`, read by the step loop. Dropped when the step is decided.
"""

from __future__ import annotations

from maker_dsl.engine.ballot import Ballot
from maker_dsl.engine.records import ReplyRecord, ThoughtRecord
from maker_dsl.judging import Vote

FIRST_ASKED = (0, 0)


class Entry:
    """A distinct reply of the open step."""

    __slots__ = ("flag", "judged", "key", "record")

    def __init__(self, record: ReplyRecord, judged: Vote | None) -> None:
        self.record = record
        self.key = record.key
        self.flag = record.flag
        self.judged = judged
        """The vote, where this process has judged it."""


class OpenStep:
    """The replies and votes of the step that is not decided yet."""

    __slots__ = (
        "asked",
        "ballot",
        "entries",
        "first_of_key",
        "flagged_by_slot",
        "index",
        "pending",
        "samples",
        "thoughts",
        "votes_by_slot",
    )

    def __init__(self, index: int, ballot: Ballot) -> None:
        self.index = index
        self.ballot = ballot
        self.entries: list[Entry] = []
        self.flagged_by_slot: dict[int, int] = {}
        """Flagged samples by slot."""
        self.votes_by_slot: dict[int, int] = {}
        """The reply that filled a slot."""
        self.first_of_key: dict[str, int] = {}
        self.samples = 0
        self.thoughts: list[ThoughtRecord] = []
        """The distinct thoughts."""
        self.pending: dict[int, int] = {}
        """By slot, the thought that is to be put into form."""
        self.asked: dict[tuple[int, int], tuple[int, int]] = {}
        """By slot and resample, the voter and the wording of samples that are in, unless both are the first."""

    def asked_at(self, slot: int, resample: int) -> tuple[int, int]:
        """The voter that a sample was asked of, and the wording that it was asked in."""
        return self.asked.get((slot, resample), FIRST_ASKED)

    @property
    def is_contested(self) -> bool:
        """Whether replies were flagged or disagree."""
        return len(self.first_of_key) > 1 or bool(self.flagged_by_slot)

    def thought_of(self, entry: Entry) -> ThoughtRecord | None:
        """The thought that a reply is the form of; None where it is the whole answer."""
        number = entry.record.thought
        return None if number is None else self.thoughts[number]

    def winner(self) -> int:
        """The reply of the lowest slot that voted for the winning key; the ballot must be decided."""
        decision = self.ballot.decision
        assert decision is not None
        for slot in range(decision.prefix):
            entry = self.votes_by_slot[slot]
            if self.entries[entry].key == decision.key:
                return entry
        raise AssertionError("a decided ballot has a vote for its key")

    def counted_votes(self) -> tuple[tuple[int, int], ...]:
        """Votes as a decision's record shows them."""
        return tuple((self.first_of_key[key], count) for key, count in self.ballot.votes.items())
