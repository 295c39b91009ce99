"""Which state of the task a prompt belongs to: a server sees words alone.

The initial state's prompt is known from the start; whenever a reply would pass, the prompt of the state that it leads
to becomes known too, so every state that a client can reach from the replies it got is known; where a step runs tasks,
those are the first states of what it runs. A prompt from elsewhere (a resumed run, a restarted server, a step that
comes when all sub-runs are done) is looked for along the reference trajectory, which leads through sub-runs as well.
Memory is bounded: the prompts used least recently are forgotten, and found again by the same walk.

A prompt may belong to several states, where it does not show all of the state or differs from another one in white
space alone. The newest one is answered, if possible of those with exactly this prompt; all of them are followed.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b

from maker_dsl.judging import Vote, judge
from maker_dsl.providers.port import Reply
from maker_dsl.simulation.answers import Answers
from maker_dsl.simulation.model import SimulatedModel
from maker_dsl.task import Locals, Prompt, RawReply, RunStep, State, Step, Task, TaskError, Value
from maker_dsl.tokens import estimate_tokens

_REMEMBERED_PROMPTS = 10_000
_STATES_OF_A_PROMPT = 16
_FOLLOWED_TEXTS = 64
_LONGEST_WALK = 5_000_000
_STEPS_PER_TURN = 64
_PATIENCE_S = 20.0
_REMEMBERED_SEARCHES = 1024
_STARTED_RUNS = 64
_DEEPEST_WALK = 64


class StillSearching(Exception):
    """The walk has not found the prompt yet; it goes on with the next call."""

    def __init__(self, steps: int) -> None:
        super().__init__(f"still looking for the state of this prompt; {steps} steps searched so far")


@dataclass(frozen=True, slots=True)
class PromptDigest:
    """The identity of a prompt: of its words alone, since adapters trim and join its parts, and of the whole."""

    words: bytes
    whole: bytes


def digest_prompt(prompt: Prompt) -> PromptDigest:
    """What a prompt is known by."""
    text = f"{prompt.system or ''}\n\n{prompt.user}"
    return PromptDigest(_digest("".join(text.split())), _digest(text))


def _digest(text: str) -> bytes:
    return blake2b(text.encode(errors="surrogatepass"), digest_size=16).digest()


class _Followed:
    """One state of a prompt: what may be answered, and the replies whose new state is known already."""

    __slots__ = ("answers", "state", "step", "task", "texts", "whole")

    def __init__(self, whole: bytes, task: Task, step: Step, state: State) -> None:
        self.whole = whole
        self.task = task
        self.step = step
        self.state = state
        self.answers: Answers | None = None
        self.texts: set[str] = set()


@dataclass(frozen=True, slots=True)
class _At:
    """A step on the way; `step` is None where it runs tasks, which are on the way themselves."""

    task: Task
    step: Step | None
    state: State
    local: Locals


class _Lost(Exception):
    """The reference leads no further."""


def _follow_reference(task: Task) -> Iterator[_At]:
    """All steps on the way of the reference, those of sub-runs among them, as far as it leads."""
    with suppress(_Lost, TaskError):
        yield from _steps_of(task, 0)


def _steps_of(task: Task, depth: int) -> Generator[_At, None, Value]:
    """The steps of one task; gives its result in the end. Raises _Lost and TaskError."""
    state = task.initial_state
    while not task.is_done(state):
        step = task.next_step(state)
        local = step.state_locals(state)
        if isinstance(step, Step):
            yield _At(task, step, state, local)
            assert step.reference is not None
            text = step.reply.render(step.reference(state))
            verdict = judge(task, step, state, local, RawReply(text, estimate_tokens(text), "stop"))
            if not isinstance(verdict, Vote):
                raise _Lost
            state = verdict.state
            continue
        yield _At(task, None, state, local)
        if depth >= _DEEPEST_WALK:
            raise _Lost
        results: dict[str, Value] = {}
        for run in step.runs:
            found: list[Value] = []
            for inputs in run.inputs(state, local):
                found.append((yield from _steps_of(run.bind(inputs), depth + 1)))
            results[run.name] = found if run.is_many else found[0]
        state = step.update(state, local, results)
    return task.result(state)


class Place:
    """The words of a known prompt: its states, and how many calls and replies it has had."""

    __slots__ = ("calls", "replies", "states", "words")

    def __init__(self, words: bytes) -> None:
        self.words = words
        self.calls = 0
        self.replies = 0
        self.states: list[_Followed] = []


class Places:
    """The known prompts of one task. Raises TaskError if the task's first prompt cannot be made."""

    def __init__(self, task: Task, model: SimulatedModel, remembered: int = _REMEMBERED_PROMPTS) -> None:
        self._task = task
        self._model = model
        self._remembered = remembered
        self._places: OrderedDict[bytes, Place] = OrderedDict()
        self._walking = asyncio.Lock()
        self._wanted: dict[bytes, int] = {}
        """The prompts being looked for, and how many steps had been walked when each search began."""
        self._unknown: OrderedDict[bytes, None] = OrderedDict()
        self._walker = _follow_reference(task)
        self._walked = 0
        self._lap = 0
        self._lap_length: int | None = None
        self._forming = {(task.name, step.name): step for step in task.steps if step.formatting is not None}
        self.add(task.initial_state)

    def __len__(self) -> int:
        return len(self._places)

    @property
    def forming_steps(self) -> tuple[Step, ...]:
        """The known steps that have a thought put into form by a second call."""
        return tuple(self._forming.values())

    def add(self, state: State, task: Task | None = None) -> None:
        """Make the prompt of a state known, or the first prompts of the tasks that are run in it."""
        waiting = [(self._task if task is None else task, state)]
        for task, state in waiting:
            try:
                if task.is_done(state):
                    continue
                step = task.next_step(state)
                local = step.state_locals(state)
                if isinstance(step, RunStep):
                    for run in step.runs:
                        for inputs in run.inputs(state, local)[: max(0, _STARTED_RUNS - len(waiting))]:
                            sub_task = run.bind(inputs)
                            waiting.append((sub_task, sub_task.initial_state))
                    continue
                digests = [digest_prompt(wording.render(state, local)) for wording in step.wordings]
            except TaskError:
                continue
            for digest in digests:
                self._add(digest, task, step, state)

    def find(self, digest: PromptDigest) -> Place | None:
        """The place of a prompt that is known."""
        place = self._places.get(digest.words)
        if place is not None:
            self._places.move_to_end(digest.words)
        return place

    def answers(self, place: Place, digest: PromptDigest) -> Answers:
        """What may be answered to a prompt at its place."""
        newest_first = reversed(place.states)
        followed = next((one for one in newest_first if one.whole == digest.whole), place.states[-1])
        return self._answers(place, followed)

    def follow(self, place: Place, reply: Reply) -> None:
        """Make known where a reply leads, if it passes."""
        for followed in tuple(place.states):
            if reply.text in followed.texts:
                continue
            if len(followed.texts) >= _FOLLOWED_TEXTS:
                followed.texts.clear()
            followed.texts.add(reply.text)
            answers = self._answers(place, followed)
            verdict = answers.judge(reply) if followed.step.formatting is None else answers.judge_thought(reply)
            if isinstance(verdict, Vote):
                self.add(verdict.state, followed.task)

    async def search(self, digest: PromptDigest) -> Place | None:
        """Look for a prompt along the reference trajectory; None if it is nowhere. Raises StillSearching."""
        words = digest.words
        if words in self._unknown:
            return None
        if words not in self._wanted and len(self._wanted) >= _REMEMBERED_SEARCHES:
            del self._wanted[next(iter(self._wanted))]
        began = self._wanted.setdefault(words, self._walked)
        async with self._walking:
            deadline = asyncio.get_running_loop().time() + _PATIENCE_S
            while True:
                place = self.find(digest)
                if place is not None:
                    self._wanted.pop(words, None)
                    return place
                if self._lap_length is not None and self._walked - began >= self._lap_length:
                    self._wanted.pop(words, None)
                    self._unknown[words] = None
                    if len(self._unknown) > _REMEMBERED_SEARCHES:
                        self._unknown.popitem(last=False)
                    return None
                for _ in range(_STEPS_PER_TURN):
                    self._walk()
                if asyncio.get_running_loop().time() > deadline:
                    raise StillSearching(self._walked - began)
                await asyncio.sleep(0)

    def _walk(self) -> None:
        """Go one step on along the reference trajectory; from the end, back to the beginning."""
        self._walked += 1
        at = next(self._walker, None) if self._lap < _LONGEST_WALK else None
        if at is None:
            self._start_lap()
            return
        self._lap += 1
        if at.step is None:
            return
        try:
            for wording in at.step.wordings:
                digest = digest_prompt(wording.render(at.state, at.local))
                if digest.words in self._wanted:
                    self._add(digest, at.task, at.step, at.state)
        except TaskError:
            self._start_lap()

    def _start_lap(self) -> None:
        self._lap_length = self._lap + 1
        self._lap = 0
        self._walker = _follow_reference(self._task)

    def _add(self, digest: PromptDigest, task: Task, step: Step, state: State) -> None:
        if step.formatting is not None:
            self._forming[task.name, step.name] = step
        place = self._places.get(digest.words)
        if place is None:
            place = self._places[digest.words] = Place(digest.words)
            if len(self._places) > self._remembered:
                self._places.popitem(last=False)
        for followed in place.states:
            if followed.state == state and followed.task.name == task.name and followed.task.inputs == task.inputs:
                return
        place.states.append(_Followed(digest.whole, task, step, state))
        del place.states[:-_STATES_OF_A_PROMPT]

    def _answers(self, place: Place, followed: _Followed) -> Answers:
        if followed.answers is None:
            followed.answers = self._model.answers(followed.step, followed.state, place.words, followed.task)
        return followed.answers
