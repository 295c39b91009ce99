"""Which state of the task a prompt belongs to: a server sees words alone.

The initial state's prompt is known from the start; whenever a reply would pass, the prompt of the state that it leads
to becomes known too, so every state that a client can reach from the replies it got is known. A prompt from elsewhere
(a resumed run, a restarted server) is looked for along the reference trajectory. Memory is bounded: the prompts used
least recently are forgotten, and found again by the same walk.

A prompt may belong to several states, where it does not show all of the state or differs from another one in white
space alone. The newest one is answered, if possible of those with exactly this prompt; all of them are followed.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from hashlib import blake2b

from maker_dsl.judging import Vote, judge
from maker_dsl.providers.port import Reply
from maker_dsl.simulation.answers import Answers
from maker_dsl.simulation.model import SimulatedModel
from maker_dsl.task import Prompt, RawReply, RunStep, State, Step, Task, TaskError
from maker_dsl.tokens import estimate_tokens

_REMEMBERED_PROMPTS = 10_000
_STATES_OF_A_PROMPT = 16
_FOLLOWED_TEXTS = 64
_LONGEST_WALK = 5_000_000
_STEPS_PER_TURN = 64
_PATIENCE_S = 20.0
_REMEMBERED_SEARCHES = 1024


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

    __slots__ = ("answers", "state", "step", "texts", "whole")

    def __init__(self, whole: bytes, step: Step, state: State) -> None:
        self.whole = whole
        self.step = step
        self.state = state
        self.answers: Answers | None = None
        self.texts: set[str] = set()


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
        self._walker: State = task.initial_state
        self._walked = 0
        self._lap = 0
        self._lap_length: int | None = None
        self.add(task.initial_state)

    def __len__(self) -> int:
        return len(self._places)

    def add(self, state: State) -> None:
        """Make the prompt of a state known."""
        try:
            if self._task.is_done(state):
                return
            step = self._task.next_step(state)
            if isinstance(step, RunStep):
                return
            local = step.state_locals(state)
            digests = [digest_prompt(wording.render(state, local)) for wording in step.wordings]
        except TaskError:
            return
        for digest in digests:
            self._add(digest, step, state)

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
                self.add(verdict.state)

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
        """Go one reference step on; from the end, back to the beginning."""
        self._walked += 1
        task, state = self._task, self._walker
        try:
            if task.is_done(state) or self._lap >= _LONGEST_WALK:
                self._start_lap()
                return
            step = task.next_step(state)
            if isinstance(step, RunStep):
                self._start_lap()
                return
            local = step.state_locals(state)
            for wording in step.wordings:
                digest = digest_prompt(wording.render(state, local))
                if digest.words in self._wanted:
                    self._add(digest, step, state)
            assert step.reference is not None
            text = step.reply.render(step.reference(state))
            verdict = judge(task, step, state, local, RawReply(text, estimate_tokens(text), "stop"))
        except TaskError:
            self._start_lap()
            return
        if isinstance(verdict, Vote):
            self._walker = verdict.state
            self._lap += 1
        else:
            self._start_lap()

    def _start_lap(self) -> None:
        self._lap_length = self._lap + 1
        self._lap = 0
        self._walker = self._task.initial_state

    def _add(self, digest: PromptDigest, step: Step, state: State) -> None:
        place = self._places.get(digest.words)
        if place is None:
            place = self._places[digest.words] = Place(digest.words)
            if len(self._places) > self._remembered:
                self._places.popitem(last=False)
        for followed in place.states:
            if followed.state == state:
                return
        place.states.append(_Followed(digest.whole, step, state))
        del place.states[:-_STATES_OF_A_PROMPT]

    def _answers(self, place: Place, followed: _Followed) -> Answers:
        if followed.answers is None:
            followed.answers = self._model.answers(followed.step, followed.state, place.words)
        return followed.answers
