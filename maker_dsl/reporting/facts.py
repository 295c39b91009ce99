"""What a report says of a run, as plain values: what `maker report --format json` prints.

Made by `gathering`, shown by `page` and `markdown`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from maker_dsl.engine.odds import Odds
from maker_dsl.engine.report import WordingReport
from maker_dsl.reporting.bins import Count, Stretch


@dataclass(frozen=True, slots=True)
class Setting:
    """How a kind of step was decided; each value with where it came from."""

    task: str
    kind: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Origin:
    """What ran, on what, set to what."""

    run: str
    task: str
    source: str
    task_sha256: str
    inputs: str
    maker: str
    started: str
    provider: str
    profile: Mapping[str, Any]
    stand_ins: Mapping[str, str]
    plugins: Mapping[str, str]
    seed: int
    keep: str
    limits: Mapping[str, float | int]
    expected_steps: int | None
    settings: tuple[Setting, ...]
    constraints: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it went. `status` is `running` or `killed` where no process said how it ended."""

    status: str
    reason: str | None
    result: str | None
    processes: int
    steps: int
    composed: int
    """Steps that ran tasks."""
    sub_runs: int
    contested: int
    samples: int
    votes: int
    flags: Mapping[str, int]
    most_samples: int
    calls: int
    retries: int
    cancelled: int
    input_tokens: int
    output_tokens: int
    cached_input_tokens: int
    cost_usd: float | None
    unpriced_calls: int
    seconds: float
    receipt: str
    """The hash over all records that were read."""


@dataclass(frozen=True, slots=True)
class Undecided:
    """Steps that were not decided after so many votes, as seen and by theory."""

    votes: int
    seen: int
    theory: float


@dataclass(frozen=True, slots=True)
class Latency:
    """Of calls that brought replies. The quantiles are edges of the counts."""

    calls: int
    median_s: float
    p90_s: float
    p99_s: float
    largest_s: float
    counts: tuple[Count, ...]


@dataclass(frozen=True, slots=True)
class ModelReport:
    """How the samples of one profile have done on decided steps."""

    profile: str
    steps: int
    samples: int
    flags: int
    votes: int
    lost: int
    calls: int
    latency_s: float
    """Of all its calls together."""
    cost_usd: float | None


@dataclass(frozen=True, slots=True)
class ReplyGroup:
    """Equal replies of a step. `text` is None where the run did not keep it, and shortened where it is long."""

    number: int
    verdict: str
    value: str | None
    won: bool
    text: str | None
    thought: str | None
    wordings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HardStep:
    """A step that took many samples. `prompt` is None where the task was not at hand."""

    address: str
    task: str
    kind: str | None
    stage: str
    samples: int
    votes: int
    flags: int
    ahead_by: int | None
    value: str | None
    state: str | None
    prompt: str | None
    replies: tuple[ReplyGroup, ...]
    left_out: int
    """Samples whose replies are not shown."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a report says of one run."""

    origin: Origin
    outcome: Outcome
    odds: Odds
    votes_to_decide: tuple[tuple[int, int], ...]
    """Votes, and how many steps took so many; the last entry those that took as many or more."""
    undecided: tuple[Undecided, ...]
    stretches: tuple[Stretch, ...]
    latency: Latency
    models: tuple[ModelReport, ...]
    wordings: tuple[WordingReport, ...]
    hardest: tuple[HardStep, ...]
    notes: tuple[str, ...]
    is_whole: bool
