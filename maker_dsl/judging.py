"""What one reply goes through: finish → locate → parse → typed value → flags, rules → new state → invariants → key.

Pure. The first thing that fails names the red flag. Used by the engine, `maker validate`, `maker test`, `maker verify`
and the simulated model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from maker_dsl.errors import InternalError
from maker_dsl.expressions.errors import CheckerTimeout, EvaluationError
from maker_dsl.task import Locals, Prompt, RawReply, Refused, ReplyValue, State, Step, Task
from maker_dsl.types.errors import ValueRefused

Stage = Literal["finish", "form", "locate", "parse", "type", "let", "flag", "rule", "update", "state", "invariant"]


@dataclass(frozen=True, slots=True)
class Vote:
    """A reply that passed: the key it votes for, its value, and the state it would lead to."""

    key: str
    value: ReplyValue
    state: State


@dataclass(frozen=True, slots=True)
class Flag:
    """Why a reply was discarded.

    `name` is what reports count: the author's words for a rule, flag or invariant, else one of `truncated`,
    `filtered`, `overlong`, `missing`, `malformed`, `out of range`, `timed out`, `error`. `detail` says it in full;
    `offset` is a character offset in the reply's text.
    """

    stage: Stage
    name: str
    detail: str
    offset: int | None = None


Verdict = Vote | Flag

TIMED_OUT = "timed out"
"""The flag of a reply that a checker of a plug-in had no time for."""

_REFUSALS: dict[str, str] = {"locate": "missing", "parse": "malformed", "type": "out of range"}


def judge(
    task: Task, step: Step, state: State, state_locals: Locals, raw: RawReply, thought: RawReply | None = None
) -> Verdict:
    """Judge one reply to `step` in `state`; `state_locals` is `step.state_locals(state)`, computed once per step.

    Where the reply is a thought that was put into form, `raw` is the form; what flags and rules see as the raw reply is
    the `thought`, since confusion shows where the problem was solved.
    """
    unfinished = _unfinished(raw, "reply")
    if unfinished is not None:
        return unfinished
    most = step.overlong_above
    if most is not None and _has_more_tokens(raw, most):
        return Flag("finish", "overlong", f"the reply is longer than the {most:,} tokens that a right one can have")
    read = step.reply.read(raw.text)
    if isinstance(read, Refused):
        return flag_of(read)
    value = read.value
    raw = thought or raw
    where: tuple[Stage, str] = ("let", "a `let`")
    try:
        local = state_locals if step.reply_locals is None else step.reply_locals(state, state_locals, value, raw)
        for check in step.checks:
            where = (check.kind, f"{check.kind} “{check.why}”")
            if not check.passes(state, local, value, raw):
                return Flag(check.kind, check.why, _failed(check.kind, check.why))
        where = ("update", "`update`")
        new_state = step.update(state, local, value, raw)
        where = ("state", "the new state")
        new_state = task.state_codec.validate(new_state)
        for invariant in task.invariants:
            where = ("invariant", f"invariant “{invariant.why}”")
            if not invariant.holds(new_state):
                return Flag("invariant", invariant.why, f"the new state breaks the invariant “{invariant.why}”")
    except CheckerTimeout as error:
        return Flag(where[0], TIMED_OUT, f"{where[1]} could not be checked: {error}")
    except EvaluationError as error:
        return Flag(where[0], "error", f"{where[1]} could not be computed: {error}")
    except ValueRefused as error:
        return Flag("state", "out of range", f"the new state does not fit its type: {error}")
    return Vote(step.vote_key(value), value, new_state)


def judge_thought(step: Step, state: State, state_locals: Locals, thought: RawReply) -> Prompt | Flag:
    """What is asked to put a thought into form; a flag where it can't be, and no second call is made."""
    unfinished = _unfinished(thought, "thought")
    if unfinished is not None:
        return unfinished
    if not thought.text.strip():
        return Flag("locate", "missing", "the thought is empty", 0)
    if step.formatting is None:
        raise InternalError(f"the step {step.name!r} puts no thoughts into form")
    try:
        return step.formatting.render(state, state_locals, thought.text)
    except EvaluationError as error:
        return Flag("form", "error", f"the prompt of `then format with` could not be written: {error}")


def _unfinished(raw: RawReply, what: str) -> Flag | None:
    if raw.finish == "length":
        return Flag("finish", "truncated", f"the {what} was cut off at the token limit", len(raw.text))
    if raw.finish == "filtered":
        return Flag("finish", "filtered", f"the provider's content filter stopped the {what}", len(raw.text))
    return None


def _has_more_tokens(raw: RawReply, most: int) -> bool:
    """Whether the text itself has more: a token is at least a byte, and some providers count hidden thinking too."""
    return raw.tokens > most and len(raw.text.encode(errors="replace")) > most


def flag_of(refused: Refused) -> Flag:
    """The flag that a reply gets which can't be read."""
    return Flag(refused.stage, _REFUSALS[refused.stage], refused.message, refused.offset)


def _failed(kind: str, why: str) -> str:
    return f"the rule “{why}” does not hold" if kind == "rule" else f"the flag “{why}” is raised"
