"""What the journal of a run says: the payloads of its records, written by the engine and read by everything else.

Payloads are JSON. They are read through pydantic, which refuses what this version doesn't know, and written by hand,
since two or three are written for every step: members that say nothing are left out. Typed values (inputs, states)
stand in their own canonical JSON text as strings, so that exact numbers survive any reader.

Invariant: `decode(encode(event)) == event`. The records of a step are not frozen for speed alone: nobody changes them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal, assert_never

import orjson
from pydantic import ConfigDict, TypeAdapter, ValidationError

from maker_dsl.task import Finish

FORMAT = 1
"""The version of the payloads."""

RUN, CALL, DECISION, GRANT, RESUMED, END = 1, 2, 3, 4, 5, 6
"""The types of records in the log."""

RunStatus = Literal["done", "undecided", "limit", "interrupted", "failed"]

_STRICT = ConfigDict(extra="forbid")


class RecordUnreadable(Exception):
    """A record is whole but says something that this version of maker doesn't know."""


@dataclass(frozen=True, slots=True)
class SettingRecord:
    """A setting and where it came from."""

    value: float | int | None
    origin: str


@dataclass(frozen=True, slots=True)
class PolicyRecord:
    """How a kind of step is decided."""

    ahead_by: SettingRecord
    max_samples: SettingRecord
    first_temperature: SettingRecord
    temperature: SettingRecord


@dataclass(frozen=True, slots=True)
class CapsRecord:
    """Limits of the whole run."""

    max_steps: int | None = None
    max_cost_usd: float | None = None
    max_samples: int | None = None
    max_tokens: int | None = None
    max_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class PriceRecord:
    """USD per million tokens."""

    input: float
    output: float
    cached_input: float | None = None


@dataclass(frozen=True, slots=True)
class RunRecord:
    """The first record: what runs, on what, set to what. Never a secret."""

    __pydantic_config__ = _STRICT

    format: int
    maker: str
    """The version of maker that started the run."""
    run: str
    started: str
    """ISO 8601, UTC."""
    task: str
    source: str
    """The name of the task's file."""
    task_sha256: str
    inputs: str
    inputs_sha256: str
    initial_hash: str
    """The hash of the initial state."""
    expected_steps: int | None
    provider: str
    profile: dict[str, Any]
    """The resolved profile without secrets."""
    price: PriceRecord | None
    policies: dict[str, PolicyRecord]
    max_tokens: int | None
    caps: CapsRecord
    seed: int
    keep: Literal["all", "contested", "none"]


@dataclass(frozen=True, slots=True)
class FlagRecord:
    """Why a reply was discarded."""

    stage: str
    name: str
    detail: str
    offset: int | None = None


@dataclass(slots=True)
class ReplyRecord:
    """A reply that the step had not had before, and its verdict: a key, or a flag.

    `text` is None where the run doesn't keep it; then `state` is the state that a passing reply leads to, as
    canonical JSON.
    """

    finish: Finish
    tokens: int
    text: str | None = None
    key: str | None = None
    flag: FlagRecord | None = None
    state: str | None = None


@dataclass(slots=True)
class CallRecord:
    """One attempt: the draws it asked for and what came of it.

    `replies` are numbers into the list of the step's distinct replies, in the order of `draws`; `new` are those that
    this call adds to the list. `reserved` is what counts as spent where nobody knows what the call used.
    """

    __pydantic_config__ = _STRICT

    step: int
    draws: tuple[tuple[int, int], ...]
    """Slot, and how many flagged samples that slot had had."""
    temperature: float | None = None
    outcome: str = "ok"
    """`ok`, `cancelled`, or the kind of the provider's error."""
    new: tuple[ReplyRecord, ...] = ()
    replies: tuple[int, ...] = ()
    usage: tuple[int, int, int] | None = None
    """Tokens of input, of output, and of the input that was cached."""
    cost_usd: float | None = None
    reserved: tuple[float, int, int] | None = None
    """USD, tokens, samples."""
    latency_s: float = 0.0
    message: str | None = None
    texts: tuple[tuple[int, str], ...] = ()
    """Texts of earlier replies of the step, kept now that it is contested."""


@dataclass(slots=True)
class DecisionRecord:
    """What won a step: `reply` is its first reply of the winning key, `value` that key; `votes` go by first reply."""

    __pydantic_config__ = _STRICT

    step: int
    kind: str
    value: str
    reply: int
    votes: tuple[tuple[int, int], ...]
    """The number of a key's first reply, and its votes, in the order in which the keys came up."""
    samples: int
    """Replies that the step has drawn, flagged ones included."""
    state_hash: str
    """The hash of the new state."""


@dataclass(frozen=True, slots=True)
class GrantRecord:
    """The totals that calls may use up from now on; durable before a call is paid from them."""

    __pydantic_config__ = _STRICT

    cost_usd: float
    tokens: int
    samples: int


@dataclass(frozen=True, slots=True)
class ResumedRecord:
    """Another process goes on. What was granted and not accounted for counts as spent."""

    __pydantic_config__ = _STRICT

    at: str
    maker: str
    provider: str
    caps: CapsRecord
    policies: dict[str, PolicyRecord]
    forfeited: tuple[float, int, int] = (0.0, 0, 0)


@dataclass(frozen=True, slots=True)
class EndRecord:
    """The process stopped cleanly. A run that is not done can be resumed."""

    __pydantic_config__ = _STRICT

    status: RunStatus
    reason: str | None
    seconds: float
    """How long the run has been worked on, all processes together."""
    result: str | None = field(default=None)
    """The result as canonical JSON, where the run is done."""


Event = RunRecord | CallRecord | DecisionRecord | GrantRecord | ResumedRecord | EndRecord

_KINDS: dict[int, type[Any]] = {
    RUN: RunRecord,
    CALL: CallRecord,
    DECISION: DecisionRecord,
    GRANT: GrantRecord,
    RESUMED: ResumedRecord,
    END: EndRecord,
}
_ADAPTERS: dict[int, TypeAdapter[Any]] = {}


def encode(event: Event) -> tuple[int, bytes]:
    """The type and the payload of an event's record."""
    match event:
        case CallRecord():
            return CALL, _encode_call(event)
        case DecisionRecord():
            return DECISION, orjson.dumps(event)
        case GrantRecord():
            return GRANT, orjson.dumps(event)
        case RunRecord():
            return RUN, orjson.dumps(asdict(event))
        case ResumedRecord():
            return RESUMED, orjson.dumps(event)
        case EndRecord():
            return END, orjson.dumps(event)
        case _:
            assert_never(event)


def decode(type: int, payload: bytes) -> Event:
    """The event of a record; raises RecordUnreadable."""
    adapter = _ADAPTERS.get(type)
    if adapter is None:
        kind = _KINDS.get(type)
        if kind is None:
            raise RecordUnreadable(f"a record of the unknown type {type}: written by a newer version of maker?")
        adapter = _ADAPTERS[type] = TypeAdapter(kind)
    try:
        event: Event = adapter.validate_json(payload)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise RecordUnreadable(f"a record of type {type} can't be read: {place}: {first['msg']}") from error
    return event


def _encode_call(call: CallRecord) -> bytes:
    members: dict[str, Any] = {"step": call.step, "draws": call.draws}
    if call.temperature is not None:
        members["temperature"] = call.temperature
    if call.outcome != "ok":
        members["outcome"] = call.outcome
    if call.new:
        members["new"] = [_reply_members(reply) for reply in call.new]
    if call.replies:
        members["replies"] = call.replies
    if call.usage is not None:
        members["usage"] = call.usage
    if call.cost_usd is not None:
        members["cost_usd"] = call.cost_usd
    if call.reserved is not None:
        members["reserved"] = call.reserved
    if call.latency_s:
        members["latency_s"] = call.latency_s
    if call.message is not None:
        members["message"] = call.message
    if call.texts:
        members["texts"] = call.texts
    return orjson.dumps(members)


def _reply_members(reply: ReplyRecord) -> dict[str, Any]:
    members: dict[str, Any] = {"finish": reply.finish, "tokens": reply.tokens}
    if reply.text is not None:
        members["text"] = reply.text
    if reply.key is not None:
        members["key"] = reply.key
    if reply.flag is not None:
        members["flag"] = reply.flag
    if reply.state is not None:
        members["state"] = reply.state
    return members
