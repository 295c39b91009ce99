"""The rows of the tables: one of a step, one of each reply.

Used by `tables`; the columns stand in `columns`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import orjson

from maker_dsl.engine.chronicle import Share, StepEntry
from maker_dsl.engine.records import RunRecord
from maker_dsl.engine.sample_story import SampleStory
from maker_dsl.exporting.columns import Row
from maker_dsl.task import State

_NO_SHARE = Share(0, 0.0, None)


def step_row(record: RunRecord, entry: StepEntry) -> Row:
    """The row of a step."""
    samples = entry.samples()
    votes, decision, policy = entry.votes, entry.decision, entry.policy
    flags = Counter(sample.flag.name for sample in samples if sample.flag is not None)
    usages = [call.usage for call in entry.calls if call.usage is not None]
    latencies = [call.latency_s for call in entry.calls]
    form = None if policy is None or policy.form is None else policy.form
    return {
        **_place(record, entry),
        "stage": entry.stage,
        "state_before": entry.state_before,
        "state_after": entry.state_after,
        "state_before_json": _state_json(entry, entry.state),
        "state_after_json": _state_json(entry, entry.following),
        "value": None if decision is None else decision.value,
        "ahead_by": None if policy is None else _whole(policy.ahead_by.value),
        "votes": sum(votes.values()),
        "votes_for_value": None if decision is None else votes.get(decision.value, 0),
        "votes_by_key": _json(dict(votes)),
        "candidates": len(votes),
        "samples": len(samples) if decision is None else decision.samples,
        "flags": flags.total(),
        "flags_by_name": _json(dict(flags)),
        "sub_runs": entry.sub_runs,
        "calls": len(entry.calls),
        "failed_calls": sum(call.outcome not in ("ok", "cancelled") for call in entry.calls),
        "input_tokens": sum(usage[0] for usage in usages),
        "output_tokens": sum(usage[1] for usage in usages),
        "cached_input_tokens": sum(usage[2] for usage in usages),
        "cost_usd": entry.cost_usd,
        "latency_sum_s": sum(latencies),
        "latency_max_s": max(latencies, default=None),
        "profile": _models(samples, _profile(record, entry)),
        "form_profile": None if form is None else form.profile or record.provider,
        "wordings": _json(sorted({sample.wording for sample in samples if sample.wording is not None})),
    }


def reply_rows(record: RunRecord, entry: StepEntry) -> Iterator[Row]:
    """The rows of a step's samples."""
    samples = entry.samples()
    if not samples:
        return
    shares, place, profile = entry.shares(), _place(record, entry), _profile(record, entry)
    for sample in samples:
        share = shares.get((sample.slot, sample.resample), _NO_SHARE)
        yield {**place, **_sample(sample, share, profile), "won": _has_won(entry, sample)}


def _sample(sample: SampleStory, share: Share, profile: str) -> Row:
    flag, thought = sample.flag, sample.thought
    return {
        "slot": sample.slot + 1,
        "resample": sample.resample,
        "wording": sample.wording,
        "profile": sample.voter or profile,
        "temperature": sample.temperature,
        "thought": None if thought is None else thought.text,
        "text": sample.text,
        "verdict": "vote" if flag is None else "flag",
        "key": sample.key,
        "flag": None if flag is None else flag.name,
        "flag_stage": None if flag is None else flag.stage,
        "flag_detail": None if flag is None else flag.detail,
        "finish": sample.finish,
        "tokens": sample.tokens if sample.is_formed else None,
        "thought_tokens": None if thought is None else thought.tokens,
        "calls": share.calls,
        "latency_share_s": share.latency_s,
        "cost_share_usd": share.cost_usd,
        "counted": sample.counted,
    }


def _place(record: RunRecord, entry: StepEntry) -> Row:
    return {
        "run": record.run,
        "address": entry.address,
        "path": entry.path,
        "step": entry.index + 1,
        "task": entry.task_name,
        "kind": entry.kind,
    }


def _has_won(entry: StepEntry, sample: SampleStory) -> bool | None:
    return None if entry.decision is None else sample.key == entry.decision.value


def _models(samples: list[SampleStory], profile: str) -> str:
    """Who was asked: the profile, or the several that were, as a list."""
    voters = dict.fromkeys(sample.voter or profile for sample in samples if sample.voter is not None)
    return ", ".join(voters) or profile


def _profile(record: RunRecord, entry: StepEntry) -> str:
    return record.provider if entry.policy is None or entry.policy.profile is None else entry.policy.profile


def _state_json(entry: StepEntry, state: State | None) -> str | None:
    return None if entry.task is None or state is None else entry.task.state_codec.dump(state).decode()


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def _whole(value: float | int | None) -> int | None:
    return None if value is None else int(value)
