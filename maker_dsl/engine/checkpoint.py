"""Checkpoints: a run between two steps as bytes, for the journal's snapshots, and back.

A checkpoint spares a resume from folding the whole journal; it is never the truth.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

import orjson
from pydantic import TypeAdapter, ValidationError

from maker_dsl.engine.budget import Amounts
from maker_dsl.engine.fold import FoldError, RunState, Totals, hash_state
from maker_dsl.engine.records import FORMAT, CapsRecord, EndRecord, PolicyRecord, RunRecord
from maker_dsl.task import Task


def checkpoint(run: RunState, task: Task) -> bytes:
    """The whole of a run between two steps, to go on from. The opposite of `restore`."""
    assert run.open is None
    assert run.state is not None
    return orjson.dumps(
        {
            "format": FORMAT,
            "record": asdict(run.record),
            "index": run.index,
            "state": task.state_codec.dump(run.state).decode(),
            "state_hash": run.state_hash,
            "totals": run.totals,
            "policies": run.policies,
            "caps": run.caps,
            "granted": run.granted.as_tuple(),
            "forfeited": run.forfeited.as_tuple(),
            "spent": run.spent.as_tuple(),
            "end": run.end,
            "epochs": run.epochs,
        }
    )


def restore(payload: bytes, task: Task | None) -> RunState:
    """The run that a snapshot holds. Raises FoldError if it can't be read or its state is not what it was."""
    try:
        kept = _SNAPSHOTS.validate_json(payload)
    except ValidationError as error:
        raise FoldError("a snapshot", f"format {FORMAT}", error.errors(include_url=False)[0]["msg"]) from error
    state = None
    if task is not None:
        canonical = kept.state.encode()
        if hash_state(canonical) != kept.state_hash:
            raise FoldError("the state of a snapshot", kept.state_hash, hash_state(canonical))
        state = task.state_codec.load(canonical)
    return RunState(
        kept.record,
        kept.index,
        state,
        kept.state_hash,
        kept.totals,
        kept.policies,
        kept.caps,
        kept.granted,
        kept.forfeited,
        kept.spent,
        None,
        kept.end,
        kept.epochs,
    )


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


_SNAPSHOTS = TypeAdapter(_Kept)
