"""Where a run stands: its frames, its counts, its limits. Changed by `fold` alone.

Invariant: nothing here grows with the number of steps. What is kept of a sub-run that is done is its result, until
the step that began it takes it over.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256

from maker_dsl.engine.budget import NOTHING, Amounts
from maker_dsl.engine.frame import Frame
from maker_dsl.engine.odds import Outcomes
from maker_dsl.engine.records import CapsRecord, ConstraintRecord, EndRecord, PolicyRecord, RunRecord
from maker_dsl.engine.stopping import StoppingTable
from maker_dsl.task import Task


class FoldError(Exception):
    """The events of a journal don't follow from one another: `place` says which, `found` and `expected` what."""

    def __init__(self, what: str, expected: object, found: object) -> None:
        super().__init__(f"{what}: expected {expected}, found {found}")
        self.what = what
        self.expected = expected
        self.found = found


@dataclass(slots=True)
class Tally:
    """How one wording of a kind of step, or one of several models, has done on steps that are decided."""

    samples: int = 0
    flags: int = 0
    votes: int = 0
    lost: int = 0
    """Votes for a key that did not win the step."""


@dataclass(slots=True)
class Totals:
    """Counts of a run so far, its sub-runs included. `votes` are passing replies, `samples` all replies."""

    steps: int = 0
    samples: int = 0
    votes: int = 0
    flags: dict[str, int] = field(default_factory=dict)
    calls: int = 0
    retries: int = 0
    cancelled: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_input_tokens: int = 0
    cost_usd: float = 0.0
    unpriced_calls: int = 0
    """Calls of which nobody knows what they cost."""
    contested: int = 0
    """Steps decided against votes for something else."""
    most_samples: int = 0
    """Of one step."""
    seconds: float = 0.0
    sub_runs: int = 0
    """Sub-runs begun."""
    outcomes: Outcomes = field(default_factory=dict)
    """How the votes of decided steps went."""
    wordings: dict[str, dict[str, dict[str, Tally]]] = field(default_factory=dict)
    """By task, kind of step and wording, where there are several wordings."""
    voters: dict[str, Tally] = field(default_factory=dict)
    """By the name that the run has for a model ("" for its own), of steps that several models vote on."""


@dataclass(slots=True)
class RunState:
    """Where a run stands. `root` is the run itself; `frames` are it and its live sub-runs, by number."""

    record: RunRecord
    root: Frame
    totals: Totals
    caps: CapsRecord
    defaults: dict[str, PolicyRecord]
    """How steps of sub-runs are decided whose tasks say nothing, by profile."""
    granted: Amounts = NOTHING
    forfeited: Amounts = NOTHING
    spent: Amounts = NOTHING
    end: EndRecord | None = None
    """How the last process stopped; None while one runs, or if it was killed."""
    epochs: int = 1
    constraints: dict[tuple[str, str | None], ConstraintRecord] = field(default_factory=dict)
    """What came of constrained decoding, by profile and, where replies are free all the same, kind of step."""
    frames: dict[int, Frame] = field(init=False)

    table: StoppingTable | None = field(init=False)
    """When votes are over, of steps that go by it."""

    def __post_init__(self) -> None:
        self.frames = {0: self.root}
        plan = self.record.plan
        kept = None if plan is None else plan.table
        self.table = None if kept is None else StoppingTable(kept.bound, kept.maximum, frozenset(kept.decided))


def hash_state(canonical: bytes) -> str:
    """The hash of a state in canonical JSON, as decisions carry it."""
    return sha256(canonical).hexdigest()[:32]


def begin(record: RunRecord, task: Task | None) -> RunState:
    """The state of a run of which only the first record is known. Raises FoldError if the task is another one."""
    state = None
    if task is not None:
        state = task.initial_state
        found = hash_state(task.state_codec.dump(state))
        if found != record.initial_hash:
            raise FoldError("the initial state", record.initial_hash, found)
    root = Frame(record.task, task, state, record.initial_hash, dict(record.policies), record.expected_steps)
    run = RunState(record, root, Totals(), record.caps, dict(record.defaults))
    if record.plan is not None:
        # The run's own calibration counts as the run's.
        run.granted = run.spent = Amounts(*record.plan.spent)
        run.totals.cost_usd = run.spent.cost_usd
    return run
