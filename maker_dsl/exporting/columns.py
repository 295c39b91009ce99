"""The columns of the tables, and what each says; every form of the export has the same ones in the same order.

Values of the language and states stand as canonical JSON text, so that exact numbers survive any reader.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "whole", "number", "truth"]
Of = Literal["steps", "replies"]
Cell = str | int | float | bool | None
Row = dict[str, Cell]


@dataclass(frozen=True, slots=True)
class Column:
    """One column; any cell may be empty."""

    name: str
    kind: Kind


def _columns(**kinds: Kind) -> tuple[Column, ...]:
    return tuple(Column(name, kind) for name, kind in kinds.items())


STEPS = _columns(
    run="text",
    address="text",
    path="text",
    step="whole",
    task="text",
    kind="text",
    stage="text",
    state_before="text",
    state_after="text",
    state_before_json="text",
    state_after_json="text",
    value="text",
    ahead_by="whole",
    votes="whole",
    votes_for_value="whole",
    votes_by_key="text",
    candidates="whole",
    samples="whole",
    flags="whole",
    flags_by_name="text",
    sub_runs="whole",
    calls="whole",
    failed_calls="whole",
    input_tokens="whole",
    output_tokens="whole",
    cached_input_tokens="whole",
    cost_usd="number",
    latency_sum_s="number",
    latency_max_s="number",
    profile="text",
    form_profile="text",
    wordings="text",
)

REPLIES = _columns(
    run="text",
    address="text",
    path="text",
    step="whole",
    task="text",
    kind="text",
    slot="whole",
    resample="whole",
    wording="text",
    profile="text",
    temperature="number",
    thought="text",
    text="text",
    verdict="text",
    key="text",
    flag="text",
    flag_stage="text",
    flag_detail="text",
    finish="text",
    tokens="whole",
    thought_tokens="whole",
    calls="whole",
    latency_share_s="number",
    cost_share_usd="number",
    counted="truth",
    won="truth",
)


def columns_of(of: Of) -> tuple[Column, ...]:
    """The columns of a table."""
    return STEPS if of == "steps" else REPLIES
