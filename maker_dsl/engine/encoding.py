"""Events as the payloads of records, and back.

Payloads are JSON. They are read through pydantic, which refuses what this version doesn't know, and written by hand,
since two or three are written for every step: members that say nothing are left out.

Invariant: `decode(encode(event)) == event`.
"""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any, assert_never

import orjson
from pydantic import TypeAdapter, ValidationError

from maker_dsl.engine.records import (
    DEFAULT_MAX_DEPTH,
    CallRecord,
    ComposedRecord,
    ConstraintRecord,
    DecisionRecord,
    EndRecord,
    Event,
    GrantRecord,
    PolicyRecord,
    ReplyRecord,
    ResumedRecord,
    ReturnRecord,
    RunRecord,
    SubRunRecord,
)

RUN, CALL, DECISION, GRANT, RESUMED, END, SUB_RUN, RETURN, COMPOSED, CONSTRAINT = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
"""The types of records in the log."""


_MEANT_FOR_FEW = ("profile", "wordings", "form", "voters", "order", "ladder", "adaptive")
"""Members of a policy that most kinds of step leave empty."""

_SAYS_NOTHING: tuple[Any, ...] = (None, (), False, "rotate")


class RecordUnreadable(Exception):
    """A record is whole but says something that this version of maker doesn't know."""


_KINDS: dict[int, type[Any]] = {
    RUN: RunRecord,
    CALL: CallRecord,
    DECISION: DecisionRecord,
    GRANT: GrantRecord,
    RESUMED: ResumedRecord,
    END: EndRecord,
    SUB_RUN: SubRunRecord,
    RETURN: ReturnRecord,
    COMPOSED: ComposedRecord,
    CONSTRAINT: ConstraintRecord,
}
_ADAPTERS: dict[int, TypeAdapter[Any]] = {}


def encode(event: Event) -> tuple[int, bytes]:
    """The type and the payload of an event's record."""
    match event:
        case CallRecord():
            return CALL, _encode_call(event)
        case DecisionRecord():
            return DECISION, _encode_decision(event)
        case GrantRecord():
            return GRANT, orjson.dumps(event)
        case RunRecord():
            return RUN, orjson.dumps(run_members(event))
        case ResumedRecord():
            return RESUMED, orjson.dumps(_without_defaults(asdict(event)))
        case EndRecord():
            return END, orjson.dumps(event)
        case SubRunRecord():
            return SUB_RUN, _encode_sub_run(event)
        case ReturnRecord():
            return RETURN, orjson.dumps(event)
        case ComposedRecord():
            return COMPOSED, orjson.dumps(event)
        case ConstraintRecord():
            return CONSTRAINT, orjson.dumps(event)
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


def run_members(record: RunRecord) -> dict[str, Any]:
    """A run's first record as JSON has it, in the journal and in `run.json`."""
    return _without_defaults(asdict(record))


def _without_defaults(members: dict[str, Any]) -> dict[str, Any]:
    """The members without those that say nothing: a run of one task on one profile says what it always said."""
    for name in ("defaults", "plugins", "profiles", "plan"):
        if not members.get(name, True):
            del members[name]
    for name in ("policies", "defaults"):
        _thin(members.get(name, {}))
    if members["caps"]["max_depth"] == DEFAULT_MAX_DEPTH:
        del members["caps"]["max_depth"]
    return members


def _encode_sub_run(record: SubRunRecord) -> bytes:
    members: dict[str, Any] = {field.name: getattr(record, field.name) for field in fields(record)}
    members["policies"] = {name: _policy_members(policy) for name, policy in record.policies.items()}
    return orjson.dumps(members)


def _policy_members(policy: PolicyRecord) -> dict[str, Any]:
    named = ((field.name, getattr(policy, field.name)) for field in fields(policy))
    return {name: value for name, value in named if name not in _MEANT_FOR_FEW or value not in _SAYS_NOTHING}


def _thin(policies: dict[str, dict[str, Any]]) -> None:
    for policy in policies.values():
        for member in _MEANT_FOR_FEW:
            if policy[member] in _SAYS_NOTHING:
                del policy[member]


def _encode_decision(decision: DecisionRecord) -> bytes:
    members: dict[str, Any] = {
        "step": decision.step,
        "kind": decision.kind,
        "value": decision.value,
        "reply": decision.reply,
        "votes": decision.votes,
        "samples": decision.samples,
        "state_hash": decision.state_hash,
    }
    if decision.sub:
        members["sub"] = decision.sub
    return orjson.dumps(members)


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
    if call.sub:
        members["sub"] = call.sub
    if call.wording:
        members["wording"] = call.wording
    if call.new_thoughts:
        members["new_thoughts"] = call.new_thoughts
    if call.thoughts:
        members["thoughts"] = call.thoughts
    if call.voter:
        members["voter"] = call.voter
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
    if reply.thought is not None:
        members["thought"] = reply.thought
    return members
