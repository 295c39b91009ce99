"""Checkpoints: a run as bytes, for the journal's snapshots, and back.

A checkpoint spares a resume from folding the whole journal; it is never the truth. The run itself is between two steps
or at one that runs other tasks; its live sub-runs may be anywhere, votes and all.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import orjson
from pydantic import TypeAdapter, ValidationError

from maker_dsl.engine.budget import Amounts
from maker_dsl.engine.composition import bound_task, open_runs
from maker_dsl.engine.fold import new_ballot, weight_of
from maker_dsl.engine.frame import Frame, Returned
from maker_dsl.engine.open_step import Entry, OpenStep
from maker_dsl.engine.records import (
    FORMAT,
    CapsRecord,
    ConstraintRecord,
    EndRecord,
    PolicyRecord,
    ReplyRecord,
    RunRecord,
    ThoughtRecord,
)
from maker_dsl.engine.run_state import FoldError, RunState, Totals, hash_state
from maker_dsl.task import State, Task


def checkpoint(run: RunState) -> bytes:
    """The whole of a run, to go on from; its frames must have their tasks. The opposite of `restore`."""
    root = run.root
    assert root.open is None
    members = {
        "format": FORMAT,
        "record": asdict(run.record),
        "index": root.index,
        "state": _state_json(root),
        "state_hash": root.state_hash,
        "totals": run.totals,
        "policies": root.policies,
        "caps": run.caps,
        "granted": run.granted.as_tuple(),
        "forfeited": run.forfeited.as_tuple(),
        "spent": run.spent.as_tuple(),
        "end": run.end,
        "epochs": run.epochs,
    }
    if run.constraints:
        members["constraints"] = list(run.constraints.values())
    if run.defaults:
        members |= {"defaults": run.defaults, "sub_steps": root.sub_steps}
    if root.runs is not None:
        members |= {
            "results": _results(root),
            "frames": [_frame(frame) for number, frame in run.frames.items() if number],
        }
    return orjson.dumps(members)


def restore(payload: bytes, task: Task | None) -> RunState:
    """The run that a snapshot holds. Raises FoldError if it can't be read or a state is not what it was."""
    try:
        kept = _SNAPSHOTS.validate_json(payload)
    except ValidationError as error:
        raise FoldError("a snapshot", f"format {FORMAT}", error.errors(include_url=False)[0]["msg"]) from error
    record, totals = kept.record, kept.totals
    # Earlier versions did not count steps apart from their numbers.
    totals.steps = totals.steps or kept.index
    root = Frame(
        record.task,
        task,
        _loaded(task, kept.state, kept.state_hash),
        kept.state_hash,
        kept.policies,
        record.expected_steps,
        index=kept.index,
        sub_steps=kept.sub_steps,
    )
    run = RunState(
        record,
        root,
        totals,
        kept.caps,
        kept.defaults,
        kept.granted,
        kept.forfeited,
        kept.spent,
        kept.end,
        kept.epochs,
        {(one.profile, one.step): one for one in kept.constraints},
    )
    _restore_results(root, kept.results)
    for each in kept.frames:
        _restore_frame(run, each)
    return run


@dataclass(frozen=True, slots=True)
class _KeptResult:
    """A sub-run that is done, of a step that is not."""

    number: int
    name: str
    item: int | None
    result: str
    steps: int


@dataclass(frozen=True, slots=True)
class _KeptVote:
    """The vote on a step: its distinct replies, those that came first for their keys, and what the slots have."""

    replies: tuple[ReplyRecord, ...]
    firsts: tuple[int, ...]
    flagged: tuple[tuple[int, int], ...]
    filled: tuple[tuple[int, int], ...]
    samples: int
    thoughts: tuple[ThoughtRecord, ...] = ()
    pending: tuple[tuple[int, int], ...] = ()
    asked: tuple[tuple[int, int, int, int], ...] = ()
    """Slot, resample, voter and wording."""


@dataclass(frozen=True, slots=True)
class _KeptFrame:
    """A live sub-run; its parent stands before it."""

    number: int
    parent: int
    name: str
    item: int | None
    task: str
    inputs: str
    expected_steps: int | None
    policies: dict[str, PolicyRecord]
    index: int
    sub_steps: int
    state: str
    state_hash: str
    vote: _KeptVote | None
    results: tuple[_KeptResult, ...] | None


@dataclass(frozen=True, slots=True)
class _Kept:
    """The payload of a snapshot."""

    format: Literal[1]
    record: RunRecord
    index: int
    state: str
    state_hash: str
    totals: Totals
    policies: dict[str, PolicyRecord]
    caps: CapsRecord
    granted: Amounts
    forfeited: Amounts
    spent: Amounts
    end: EndRecord | None
    epochs: int
    defaults: dict[str, PolicyRecord] = field(default_factory=dict)
    sub_steps: int = 0
    results: tuple[_KeptResult, ...] | None = None
    frames: tuple[_KeptFrame, ...] = ()
    constraints: tuple[ConstraintRecord, ...] = ()


_SNAPSHOTS = TypeAdapter(_Kept)


def _frame(frame: Frame) -> _KeptFrame:
    assert frame.parent is not None
    opened = frame.open
    return _KeptFrame(
        frame.number,
        frame.parent.number,
        *frame.unit,
        frame.task_name,
        frame.inputs,
        frame.expected_steps,
        frame.policies,
        frame.index,
        frame.sub_steps,
        _state_json(frame),
        frame.state_hash,
        None if opened is None else _vote(opened),
        _results(frame),
    )


def _vote(opened: OpenStep) -> _KeptVote:
    return _KeptVote(
        tuple(entry.record for entry in opened.entries),
        tuple(opened.first_of_key.values()),
        tuple(opened.flagged_by_slot.items()),
        tuple(opened.votes_by_slot.items()),
        opened.samples,
        tuple(opened.thoughts),
        tuple(opened.pending.items()),
        tuple((*draw, *asked) for draw, asked in opened.asked.items()),
    )


def _results(frame: Frame) -> tuple[_KeptResult, ...] | None:
    if frame.runs is None:
        return None
    return tuple(_KeptResult(each.number, *unit, each.result, each.steps) for unit, each in frame.runs.results.items())


def _state_json(frame: Frame) -> str:
    assert frame.task is not None
    assert frame.state is not None
    return frame.task.state_codec.dump(frame.state).decode()


def _restore_frame(run: RunState, kept: _KeptFrame) -> None:
    parent, unit = run.frames.get(kept.parent), (kept.name, kept.item)
    if parent is None:
        raise FoldError("the parent of a sub-run in a snapshot", "a live one", kept.parent)
    runs = open_runs(parent)
    task = None if parent.task is None else bound_task(parent, unit)
    frame = parent.child(
        kept.number, unit, kept.task, task, kept.inputs, kept.state_hash, kept.policies, kept.expected_steps
    )
    frame.state = _loaded(task, kept.state, kept.state_hash)
    frame.index = kept.index
    frame.sub_steps = kept.sub_steps
    run.frames[kept.number] = runs.live[unit] = frame
    _restore_results(frame, kept.results)
    if kept.vote is not None:
        frame.open = _opened(run, frame, kept.vote)


def _restore_results(frame: Frame, kept: tuple[_KeptResult, ...] | None) -> None:
    if kept is None:
        return
    runs = open_runs(frame)
    for each in kept:
        unit = (each.name, each.item)
        value: Any = None
        if frame.task is not None:
            value = bound_task(frame, unit).result_codec.load(each.result)
        runs.results[unit] = Returned(each.number, each.result, value, each.steps)


def _opened(run: RunState, frame: Frame, kept: _KeptVote) -> OpenStep:
    opened = OpenStep(frame.index, new_ballot(run, frame))
    opened.entries = [Entry(record, None) for record in kept.replies]
    opened.flagged_by_slot = dict(kept.flagged)
    opened.votes_by_slot = dict(kept.filled)
    opened.samples = kept.samples
    opened.thoughts = list(kept.thoughts)
    opened.pending = dict(kept.pending)
    opened.asked = {(slot, resample): (voter, wording) for slot, resample, voter, wording in kept.asked}
    for number in kept.firsts:
        key = opened.entries[number].key
        assert key is not None
        opened.first_of_key[key] = number
    for slot, number in sorted(kept.filled):
        key = opened.entries[number].key
        assert key is not None
        voter, _ = opened.asked_at(slot, opened.flagged_by_slot.get(slot, 0))
        opened.ballot.fill(slot, key, weight_of(frame, voter))
    return opened


def _loaded(task: Task | None, text: str, state_hash: str) -> State | None:
    if task is None:
        return None
    canonical = text.encode()
    if hash_state(canonical) != state_hash:
        raise FoldError("the state of a snapshot", state_hash, hash_state(canonical))
    loaded: State = task.state_codec.load(canonical)
    return loaded
