"""All that the simulated model may answer to one question: the right reply, the wrong ones, and the unusable ones.

Made from the task's `reference`, its `mistake`s and the reply's format; used by the simulated model, which keeps one
`Answers` per question and draws from it. Replies that can come more than once are made once.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from maker_dsl.judging import Verdict, Vote, judge
from maker_dsl.providers.port import PermanentError, Reply
from maker_dsl.replies.sampling import corrupt, perturb
from maker_dsl.simulation.thinking import answer_in, think_aloud
from maker_dsl.task import Locals, RawReply, Refused, ReplyValue, State, Step, Task
from maker_dsl.tokens import cut_to_tokens, estimate_tokens
from maker_dsl.types.errors import ValueRefused

_SPREAD = 8
_TRIES = 12
_HOPELESS_TRIES = 2
_UNWRITABLE_TRIES = 3
"""How many values may have no text in a step's grammar before no more are tried: looking for one takes a while."""
_USUAL_ROOM = 750
_OVERLONG_TOKENS = range(10, 351)
"""How many more tokens of rambling there are than a reply of the step may have, or than usual."""

_RAMBLING = (
    "Let us think about this once more, slowly and from the beginning. ",
    "The rules say what may be done, but they could also be read in another way. ",
    "Perhaps the last step was not the one that we believe it was. ",
    "On the other hand, nothing speaks against the opposite. ",
    "Wait, that cannot be right; let us check it again before going on. ",
    "Having checked it, we are no longer sure what we wanted to check. ",
    "Everything depends on how the strategy is meant, and it is meant in general. ",
    "In general, however, this case is a special one. ",
)


class Answers:
    """The replies to one question; `generator(name)` gives randomness that depends on seed, question and name alone."""

    __slots__ = (
        "_generator",
        "_locals",
        "_mistakes",
        "_right_thought",
        "_right_value",
        "_task",
        "_wrong",
        "right",
        "state",
        "step",
    )

    def __init__(self, task: Task, step: Step, state: State, generator: Callable[[str], Random]) -> None:
        if step.reference is None:
            raise LookupError(f"step `{step.name}` has no reference")
        self._task = task
        self._generator = generator
        self.step = step
        self.state = state
        self._right_value: ReplyValue = step.reference(state)
        self.right = _whole(_rendered(step, self._right_value, "reference"))
        self._right_thought: Reply | None = None
        self._locals: Locals | None = None
        self._mistakes: tuple[str, ...] | None = None
        self._wrong: dict[int, Reply] = {}

    def judge(self, reply: Reply, thought: Reply | None = None) -> Verdict:
        """The verdict on one of the replies, or on the form of one of the thoughts."""
        if self._locals is None:
            self._locals = self.step.state_locals(self.state)
        thinking = None if thought is None else _raw(thought)
        return judge(self._task, self.step, self.state, self._locals, _raw(reply), thinking)

    def judge_thought(self, thought: Reply) -> Verdict | None:
        """The verdict on a thought if its answer is put into form well; None where it comes to none."""
        answer = answer_in(thought.text)
        return None if answer is None else self.judge(_whole(answer), thought)

    @property
    def wrong_count(self) -> int:
        """How many wrong answers there are to choose from; small reply types may repeat some.

        Two mistakes or more are all there is: they are what the author thinks likely, and more of them pass the checks.
        """
        mistakes = len(self.mistakes)
        return mistakes if mistakes > 1 else _SPREAD

    @property
    def mistakes(self) -> tuple[str, ...]:
        """The texts of the task's mistakes that are mistakes here: different, and no votes for the right reply."""
        if self._mistakes is None:
            step, state = self.step, self.state
            texts = dict.fromkeys(_rendered(step, mistake(state), "mistake") for mistake in step.mistakes)
            right_key = self._key(self.right.text) if texts else None
            self._mistakes = tuple(
                text
                for text in texts
                if text != self.right.text and (right_key is None or self._key(text) != right_key)
            )
        return self._mistakes

    def wrong(self, number: int) -> Reply:
        """Wrong answer `number` (from 0): the task's mistakes first. Number 0 is the one that `agree` is about."""
        found = self._wrong.get(number)
        if found is None:
            mistakes = self.mistakes
            text = mistakes[number] if number < len(mistakes) else self._perturbed(number)
            found = self._wrong[number] = _whole(text)
        return found

    def _perturbed(self, number: int) -> str:
        """A wrong answer near the right one, if possible one that passes the task's own checks."""
        step = self.step
        taken = [self.right.text, *self.mistakes] if number == 0 else [self.right.text, self.wrong(0).text]
        keys = [self._key(text) for text in taken]
        tries = _TRIES if number == 0 or keys[1] is not None else _HOPELESS_TRIES
        generator = self._generator(f"wrong {number}")
        second_best: str | None = None
        unwritable = 0
        for _ in range(tries):
            value = self._right_value
            for _ in range(1 + number):  # the neighbours of a value may be few: higher numbers go further away
                value = perturb(step.reply.type, value, generator)
            try:
                text = step.reply.render(value)
            except ValueRefused:  # not every value has a text in a grammar
                unwritable += 1
                if unwritable >= _UNWRITABLE_TRIES:
                    break
                continue
            if text in taken:
                continue
            key = self._key(text)
            if key is None:
                second_best = second_best or text
            elif key not in keys:
                return text
        if second_best is not None:
            return second_best
        return self.wrong(0).text if number else self.malformed(generator).text

    def _key(self, text: str) -> str | None:
        """The key that a reply would vote for; None if it is flagged."""
        verdict = self.judge(_whole(text))
        return verdict.key if isinstance(verdict, Vote) else None

    def malformed(self, generator: Random) -> Reply:
        """A reply that cannot be read."""
        return unreadable(self.step, self.right.text, generator)

    def overlong(self, generator: Random) -> Reply:
        """The right reply after more rambling than a reply may have tokens."""
        before, tokens = _ramble(generator, self.step.max_tokens)
        return Reply(f"{before}\n\n{self.right.text}", "stop", tokens + self.right.tokens)

    def overlong_thought(self, generator: Random) -> Reply:
        """A thought that comes to the right answer after more rambling than a reply may have tokens."""
        before, tokens = _ramble(generator, self.step.max_tokens)
        text = think_aloud(self.right.text, before)
        return Reply(text, "stop", max(estimate_tokens(text), tokens))

    def thought(self, reply: Reply) -> Reply:
        """A thought that comes to one of the replies."""
        if reply is not self.right:
            return _whole(think_aloud(reply.text))
        if self._right_thought is None:
            self._right_thought = _whole(think_aloud(reply.text))
        return self._right_thought

    def truncated_thought(self, generator: Random) -> Reply:
        """The beginning of a thought, as if cut off at the token limit."""
        return _cut_somewhere(self.thought(self.right), generator)

    def truncated(self, generator: Random) -> Reply:
        """The beginning of the right reply, as if cut off at the token limit."""
        return _cut_somewhere(self.right, generator)


def unreadable(step: Step, text: str, generator: Random) -> Reply:
    """A reply like the text, but such that the step can't read it."""
    for _ in range(_TRIES):
        corrupted = corrupt(text, generator)
        if isinstance(step.reply.read(corrupted), Refused):
            return _whole(corrupted)
    return _whole(_RAMBLING[generator.randrange(len(_RAMBLING))].rstrip())


def _ramble(generator: Random, may_have: int | None) -> tuple[str, int]:
    """More tokens of nothing than a reply may have, and how many."""
    wanted = max(_USUAL_ROOM, may_have or 0) + generator.choice(_OVERLONG_TOKENS)
    at = generator.randrange(len(_RAMBLING))
    parts: list[str] = []
    tokens = 0
    while tokens < wanted:
        sentence = _RAMBLING[at % len(_RAMBLING)]
        parts.append(sentence)
        tokens += estimate_tokens(sentence)
        at += 1
    return "".join(parts).rstrip(), tokens


def _cut_somewhere(reply: Reply, generator: Random) -> Reply:
    tokens = generator.randrange(1, max(2, reply.tokens))
    return Reply(cut_to_tokens(reply.text, tokens), "length", tokens)


def _rendered(step: Step, value: ReplyValue, what: str) -> str:
    """The text of a reply that the task's own expressions gave; raises PermanentError where it has none."""
    try:
        return step.reply.render(value)
    except ValueRefused as error:
        raise PermanentError(
            f"the {what} of step `{step.name}` gives no reply of the step's form: {error}",
            kind="bad_reference",
            help=f"mend the `{what}`, or the type that its value doesn't fit",
        ) from error


def _raw(reply: Reply) -> RawReply:
    return RawReply(reply.text, reply.tokens, reply.finish)


def _whole(text: str) -> Reply:
    return Reply(text, "stop", estimate_tokens(text))
