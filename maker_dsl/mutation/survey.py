"""Corrupts right replies, judges what comes of it, and counts what is caught.

A corruption that votes for the right reply's own key is none and is left out; one that is flagged is caught; one that
passes as another vote got through. Deterministic for a seed, unless a case takes longer than it may.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from random import Random

from maker_dsl.judging import Vote, judge
from maker_dsl.mutation.cases import Case
from maker_dsl.mutation.texts import WHOLE_TEXT, corrupt_digits, corrupt_text
from maker_dsl.mutation.values import Corruption, Kind, corrupt_value
from maker_dsl.task import Parsed, RawReply, ReplyValue, State, ValueCodec
from maker_dsl.tokens import estimate_tokens
from maker_dsl.types.codec import codec
from maker_dsl.types.errors import ValueRefused

MOST_ALIKE = 24
"""So many corruptions of one kind in one field of one reply are tried, drawn by lot."""

MOST_PER_CASE = 400
"""So many corruptions of one reply are tried, drawn by lot."""

CASE_SECONDS = 10.0
"""One reply's corruptions may take so long; the rest is left out and noted."""

BY_THE_FORM = "the reply's form"
"""What catches a value that no reply can have: the bounds of its types."""


class NoText(Enum):
    """Why there is no reply that says a corrupted value."""

    OUT_OF_TYPE = "no reply can have this value"
    UNWRITABLE = "no text of the form was found for this value"


@dataclass(frozen=True, slots=True)
class Example:
    """A corruption that got through: of which reply, what it says, the state it leads to."""

    origin: str
    text: str
    value: ReplyValue
    right: ReplyValue
    state: State
    is_harmless: bool
    """Whether the right reply leads to the same state: then it only splits the vote."""


@dataclass(slots=True)
class Group:
    """The corruptions of one kind in one field of one step's reply."""

    step: str
    kind: Kind
    field: str
    tried: int = 0
    caught: int = 0
    example: Example | None = None

    @property
    def passed(self) -> int:
        """How many got through."""
        return self.tried - self.caught


@dataclass(slots=True)
class Survey:
    """What the mutation check of one task found."""

    groups: dict[tuple[str, Kind, str], Group] = field(default_factory=dict)
    caught_by: Counter[str] = field(default_factory=Counter)
    """Caught corruptions by the flag's name."""
    from_tests: int = 0
    from_reference: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def tried(self) -> int:
        """Corruptions that are some: those that vote as the right reply does are left out."""
        return sum(group.tried for group in self.groups.values())

    @property
    def caught(self) -> int:
        """How many of them were flagged."""
        return sum(group.caught for group in self.groups.values())

    @property
    def share_caught(self) -> float:
        """The share that was flagged; all, where there was nothing to corrupt."""
        return self.caught / self.tried if self.tried else 1.0

    def by_kind(self) -> dict[Kind, tuple[int, int]]:
        """Tried and caught, by the kind of corruption."""
        found: dict[Kind, tuple[int, int]] = {}
        for group in self.groups.values():
            tried, caught = found.get(group.kind, (0, 0))
            found[group.kind] = (tried + group.tried, caught + group.caught)
        return found

    @property
    def leaks(self) -> list[Group]:
        """The groups of which some got through, the leakiest first."""
        return sorted((group for group in self.groups.values() if group.passed), key=lambda group: -group.passed)


def survey(cases: Sequence[Case], seed: int, now_s: Callable[[], float], notes: Sequence[str] = ()) -> Survey:
    """Corrupt every case's reply and count; `notes` are what is known beforehand."""
    found = Survey(notes=list(notes))
    for number, case in enumerate(cases):
        found.from_tests += case.is_from_test
        found.from_reference += not case.is_from_test
        _survey_case(case, Random(f"{seed} {number}"), found, now_s)
    return found


def _survey_case(case: Case, random: Random, found: Survey, now_s: Callable[[], float]) -> None:
    read = case.step.reply.read(case.text)
    assert isinstance(read, Parsed)
    attempts = list(_attempts(case, read, random, found))
    if len(attempts) > MOST_PER_CASE:
        found.notes.append(f"{case.origin}: {MOST_PER_CASE} of {len(attempts):,} corruptions were tried")
        attempts = random.sample(attempts, MOST_PER_CASE)
    until_s = now_s() + CASE_SECONDS
    seen = {case.text}
    unwritable = 0
    for tried, attempt in enumerate(attempts):
        if now_s() > until_s:
            found.notes.append(
                f"{case.origin}: only {tried} of {len(attempts)} corruptions were tried in {CASE_SECONDS:g} s"
            )
            return
        text = attempt.text()
        if text is NoText.UNWRITABLE:
            unwritable += 1
        elif isinstance(text, NoText):
            _count(found, case, attempt).caught += 1
            found.caught_by[BY_THE_FORM] += 1
        elif text not in seen:
            seen.add(text)
            _judge(case, attempt, text, found)
    if unwritable:
        found.notes.append(f"{case.origin}: left out, since no text of the form was found for them: {unwritable}")


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One corruption; `text` gives the reply's text with it."""

    kind: Kind
    field: str
    text: Callable[[], str | NoText]


def _attempts(case: Case, read: Parsed, random: Random, found: Survey) -> Iterator[_Attempt]:
    """What to try on one reply, at most so many alike."""
    spoilt_texts = list(corrupt_text(case.text, read.start, read.end, random))
    values = codec(case.step.reply.type)
    if isinstance(_spliced(case, read, read.value, values), NoText):
        spoilt_texts += corrupt_digits(case.text, read.start, read.end, random)
        found.notes.append(f"{case.origin}: its value can't be written again, so only its text was corrupted")
    else:
        alike: dict[tuple[Kind, str], list[Corruption]] = {}
        for corruption in corrupt_value(case.step.reply.type, read.value, random):
            alike.setdefault((corruption.kind, corruption.field), []).append(corruption)
        for group in alike.values():
            chosen = group if len(group) <= MOST_ALIKE else random.sample(group, MOST_ALIKE)
            for one in chosen:
                yield _Attempt(one.kind, one.field, lambda one=one: _spliced(case, read, one.make(), values))  # type: ignore[misc]
    for spoilt in spoilt_texts:
        yield _Attempt(spoilt.kind, WHOLE_TEXT, lambda spoilt=spoilt: spoilt.text)  # type: ignore[misc]


def _spliced(case: Case, read: Parsed, value: ReplyValue, values: ValueCodec) -> str | NoText:
    """The reply's text with another value in the place of its own."""
    reply = case.step.reply
    try:
        values.validate(value)
    except ValueRefused:
        return NoText.OUT_OF_TYPE
    try:
        rendered = reply.render(value)
    except ValueRefused:
        return NoText.UNWRITABLE
    again = reply.read(rendered)
    if not isinstance(again, Parsed):
        return NoText.UNWRITABLE
    return case.text[: read.start] + rendered[again.start : again.end] + case.text[read.end :]


def _judge(case: Case, attempt: _Attempt, text: str, found: Survey) -> None:
    raw = RawReply(text, estimate_tokens(text), "stop")
    verdict = judge(case.task, case.step, case.state, case.state_locals, raw)
    if not isinstance(verdict, Vote):
        _count(found, case, attempt).caught += 1
        found.caught_by[verdict.name] += 1
        return
    if verdict.key == case.right.key:
        return
    group = _count(found, case, attempt)
    is_harmless = verdict.state == case.right.state
    if group.example is None or (group.example.is_harmless and not is_harmless):
        group.example = Example(case.origin, text, verdict.value, case.right.value, verdict.state, is_harmless)


def _count(found: Survey, case: Case, attempt: _Attempt) -> Group:
    key = (case.step.name, attempt.kind, attempt.field)
    group = found.groups.get(key)
    if group is None:
        group = found.groups[key] = Group(*key)
    group.tried += 1
    return group
