"""The hardest steps of a run: those that took the most samples, with what was asked and what came.

Used by `gathering`. Texts are shortened, so that a report stays small whatever a model replied.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from heapq import heappush, heapreplace

from maker_dsl.engine.chronicle import StepEntry
from maker_dsl.engine.sample_story import SampleStory
from maker_dsl.reporting.facts import HardStep, ReplyGroup
from maker_dsl.task import Step, TaskError

MOST_STEPS = 10
MOST_REPLIES = 12
LONGEST_REPLY = 1_500
LONGEST_PROMPT = 5_000


@dataclass(slots=True)
class Hardest:
    """Keeps the hardest of the steps that it is shown, and those that are still open."""

    _heap: list[tuple[tuple[int, int, int], StepEntry]] = field(default_factory=list)
    _open: list[StepEntry] = field(default_factory=list)
    _seen: int = 0

    def look(self, entry: StepEntry, samples: int, votes: int, lost: int) -> None:
        """Take note of a step."""
        self._seen += 1
        if entry.stage == "open":
            if len(self._open) < MOST_STEPS:
                self._open.append(entry)
            return
        if samples == votes and not lost:
            return
        score = samples, lost, -self._seen
        if len(self._heap) < MOST_STEPS:
            heappush(self._heap, (score, entry))
        elif score > self._heap[0][0]:
            heapreplace(self._heap, (score, entry))

    def told(self) -> tuple[HardStep, ...]:
        """The open ones, then the hardest, the hardest first."""
        ranked = [entry for _, entry in sorted(self._heap, key=lambda one: one[0], reverse=True)]
        return tuple(_told(entry) for entry in [*self._open, *ranked])


def _told(entry: StepEntry) -> HardStep:
    samples = entry.samples()
    winner = None if entry.decision is None else entry.decision.value
    groups: dict[tuple[str | None, str | None, str | None, str | None], list[SampleStory]] = {}
    for sample in samples:
        thought = None if sample.thought is None else sample.thought.text
        flag = None if sample.flag is None else sample.flag.name
        groups.setdefault((sample.text, thought, sample.key, flag), []).append(sample)
    ranked = sorted(groups.values(), key=lambda group: (group[0].key is None, -len(group)))
    return HardStep(
        entry.address,
        entry.task_name,
        entry.kind,
        entry.stage,
        len(samples),
        sum(entry.votes.values()),
        sum(sample.flag is not None for sample in samples),
        None if entry.policy is None else int(entry.policy.ahead_by.value or 1),
        None if winner is None else shortened(winner, LONGEST_REPLY),
        _state(entry),
        _prompt(entry),
        tuple(_group(group, winner) for group in ranked[:MOST_REPLIES]),
        sum(map(len, ranked[MOST_REPLIES:])),
    )


def _group(group: list[SampleStory], winner: str | None) -> ReplyGroup:
    first = group[0]
    flag = first.flag
    verdict = "vote" if flag is None else f"flagged {flag.name}: {shortened(flag.detail, 300)}"
    return ReplyGroup(
        len(group),
        verdict,
        None if first.key is None else shortened(first.key, LONGEST_REPLY),
        winner is not None and first.key == winner,
        None if first.text is None else shortened(first.text, LONGEST_REPLY),
        None if first.thought is None else shortened(first.thought.text, LONGEST_REPLY),
        tuple(sorted({sample.wording for sample in group if sample.wording is not None})),
    )


def _state(entry: StepEntry) -> str | None:
    if entry.task is None or entry.state is None:
        return None
    return shortened(entry.task.state_codec.dump(entry.state).decode(), LONGEST_REPLY)


def _prompt(entry: StepEntry) -> str | None:
    """The first wording of the prompt, rendered again."""
    if entry.task is None or entry.state is None:
        return None
    try:
        step = entry.task.next_step(entry.state)
        if not isinstance(step, Step):
            return None
        prompt = step.render(entry.state, step.state_locals(entry.state))
    except TaskError as error:
        return f"(it can't be rendered: {error})"
    system = "" if prompt.system is None else f"{prompt.system}\n\n"
    return shortened(system + prompt.user, LONGEST_PROMPT)


def shortened(text: str, limit: int) -> str:
    """The beginning and the end of a text that is too long."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]} […{len(text) - 2 * half:,} characters left out…] {text[-half:]}"
