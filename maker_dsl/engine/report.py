"""What a run tells: while it goes on, when it stops, and from its directory afterwards.

Used by the command line and the Python API. Plain values; nothing here reads or writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from maker_dsl.engine.frame import Frame
from maker_dsl.engine.odds import LiveOdds, live_odds
from maker_dsl.engine.records import ConstraintRecord, DecisionRecord, PlanRecord, RunStatus
from maker_dsl.engine.run_state import RunState
from maker_dsl.task import Value


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens as the provider counted them."""

    input: int
    output: int


@dataclass(frozen=True, slots=True)
class WordingReport:
    """How one wording of a step that has several has done so far, on steps that are decided."""

    task: str
    step: str
    wording: str
    samples: int
    flags: int
    votes: int
    lost: int
    """Votes for something else than what won."""


@dataclass(frozen=True, slots=True)
class VoterReport:
    """How one of several models that vote has done so far, on steps that are decided."""

    profile: str
    """What somebody asked for: a profile's name, or its path."""
    model: str
    weight: int | None
    """Of a vote, in thousandths; None for one that is asked by ladders alone."""
    samples: int
    flags: int
    votes: int
    lost: int
    """Votes for something else than what won."""


@dataclass(frozen=True, slots=True)
class RunReport:
    """How a run stands when a process stops working on it: the object that `maker run --json` prints.

    `cost_usd` is None where nobody knows a price; calls of unknown usage count at their worst. `seconds` are those
    that the run has been worked on, all processes together. `result` is None unless the status is `done`.
    """

    run: str
    status: RunStatus
    reason: str | None
    steps: int
    samples: int
    votes: int
    flags: Mapping[str, int]
    retries: int
    tokens: Tokens
    cost_usd: float | None
    seconds: float
    result: Value
    address: str = ""
    """The step at which it stopped, or the step to come, as `maker explain` takes it."""
    wordings: tuple[WordingReport, ...] = ()
    voters: tuple[VoterReport, ...] = ()
    plan: PlanRecord | None = None
    """What the run counts on, where it was planned."""
    odds: LiveOdds | None = None
    """How it has done so far, what won taken to be right; None before the first decision."""

    def members(self) -> dict[str, Any]:
        """The members of the JSON object; `result` is the typed value."""
        return {
            "run": self.run,
            "status": self.status,
            "reason": self.reason,
            "steps": self.steps,
            "samples": self.samples,
            "votes": self.votes,
            "flags": dict(self.flags),
            "retries": self.retries,
            "tokens": {"input": self.tokens.input, "output": self.tokens.output},
            "cost_usd": None if self.cost_usd is None else round(self.cost_usd, 9),
            "seconds": round(self.seconds, 3),
            "wordings": [asdict(one) for one in self.wordings],
            "voters": [asdict(one) for one in self.voters],
            "plan": plan_members(self.plan),
            "odds": odds_members(self.odds),
            "result": self.result,
        }


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands, for display.

    `expected_steps` is None where the task doesn't say, and where it runs others, whose steps nobody knows beforehand.
    """

    run: str
    task: str
    provider: str
    steps: int
    expected_steps: int | None
    samples: int
    votes: int
    flags: Mapping[str, int]
    retries: int
    contested: int
    tokens: Tokens
    cost_usd: float | None
    max_cost_usd: float | None
    unpriced_calls: int
    """Calls of which nobody knows what they cost: they are not in `cost_usd`."""
    seconds: float


@dataclass(frozen=True, slots=True)
class LiveFrame:
    """The run itself or a live sub-run, at the step that people call `address`."""

    address: str
    task: str
    steps: int
    """Taken so far, those of its sub-runs that are done included."""
    expected_steps: int | None
    open_votes: Mapping[str, int]
    """Where the step asks a model: the votes so far."""
    sub_runs_done: int | None
    """Where the step runs tasks: how many sub-runs are done."""
    live_sub_runs: int
    """How many are live; they are listed after this."""


@dataclass(frozen=True, slots=True)
class Status:
    """What a run's directory says, without a lock.

    `status` is None while a process works on it, or if it was killed.
    """

    progress: Progress
    status: RunStatus | None
    reason: str | None
    started: str
    epochs: int
    """How many processes have worked on the run."""
    result_json: str | None
    open_votes: Mapping[str, int]
    """The votes of the run's own step that is not decided yet."""
    live: tuple[LiveFrame, ...]
    """The run itself and its live sub-runs, each before its own."""
    wordings: tuple[WordingReport, ...] = ()
    constraints: tuple[ConstraintRecord, ...] = ()
    """What came of constrained decoding."""
    voters: tuple[VoterReport, ...] = ()
    plan: PlanRecord | None = None
    odds: LiveOdds | None = None


class Observer(Protocol):
    """Who watches a run from inside its process. Called often: take note and return."""

    def started(self, run: RunHandle) -> None:
        """The run is about to draw its first sample."""
        ...

    def decided(self, decision: DecisionRecord) -> None:
        """A step was decided."""
        ...

    def told(self, text: str) -> None:
        """Something that people should know, once."""
        ...


class RunHandle(Protocol):
    """A run that goes on."""

    @property
    def progress(self) -> Progress:
        """Where it stands now; cheap enough to be asked ten times a second."""
        ...

    def stop(self, reason: str = "stopped on request") -> None:
        """Ask it to stop cleanly, from the same thread; it can be resumed."""
        ...


def odds_of_run(run: RunState, seconds: float) -> LiveOdds | None:
    """The running estimates of a run; fits a distribution to its votes, so not for every step."""
    totals, plan = run.totals, run.record.plan
    known = run.record.expected_steps if not run.defaults else None
    if known is None and plan is not None:
        known = plan.steps
    return live_odds(
        totals.outcomes,
        totals.votes,
        totals.samples,
        steps=totals.steps,
        expected_steps=known,
        cost_usd=cost_of(run),
        spent_before_usd=0.0 if plan is None else plan.spent[0],
        seconds=seconds,
    )


def cost_of(run: RunState) -> float | None:
    """What the run has cost as far as anybody knows; None where one of its profiles has no price."""
    record = run.record
    if record.price is None or any(one.price is None for one in record.profiles.values()):
        return None
    return run.totals.cost_usd + run.forfeited.cost_usd


def progress_of(run: RunState, seconds: float) -> Progress:
    """A run as it is shown."""
    record, totals = run.record, run.totals
    return Progress(
        record.run,
        record.task,
        record.provider,
        run.totals.steps,
        None if run.defaults else record.expected_steps,
        totals.samples,
        totals.votes,
        totals.flags,
        totals.retries,
        totals.contested,
        Tokens(totals.input_tokens, totals.output_tokens),
        cost_of(run),
        run.caps.max_cost_usd,
        totals.unpriced_calls,
        seconds,
    )


def report_of(
    run: RunState, status: RunStatus, reason: str | None, seconds: float, result: Value, stopped_at: Frame
) -> RunReport:
    """A run as it is reported when it stops; `stopped_at` is the frame that stopped it."""
    totals = run.totals
    return RunReport(
        run.record.run,
        status,
        reason,
        run.totals.steps,
        totals.samples,
        totals.votes,
        dict(totals.flags),
        totals.retries,
        Tokens(totals.input_tokens, totals.output_tokens),
        cost_of(run),
        seconds,
        result,
        stopped_at.address(),
        wordings_of(run),
        voters_of(run),
        run.record.plan,
        odds_of_run(run, seconds),
    )


def wordings_of(run: RunState) -> tuple[WordingReport, ...]:
    """How the wordings have done, where a step has several."""
    return tuple(
        WordingReport(task, step, wording, one.samples, one.flags, one.votes, one.lost)
        for task, steps in run.totals.wordings.items()
        for step, wordings in steps.items()
        for wording, one in wordings.items()
    )


def plan_members(plan: PlanRecord | None) -> dict[str, Any] | None:
    """What a run was planned on, for JSON; without the table, which says nothing to people."""
    if plan is None:
        return None
    members = {name: value for name, value in asdict(plan).items() if name not in ("table", "spent")}
    cost, tokens, samples = plan.spent
    return {
        **members,
        "adaptive": plan.table is not None,
        "spent": {"cost_usd": cost, "tokens": tokens, "samples": samples},
    }


def odds_members(odds: LiveOdds | None) -> dict[str, float | None] | None:
    """The running estimates, for JSON."""
    if odds is None:
        return None
    return {name: None if value is None else round(value, 6) for name, value in asdict(odds).items()}


def voters_of(run: RunState) -> tuple[VoterReport, ...]:
    """How the models have done, where several vote."""
    record = run.record
    weights = {
        voter.profile or "": voter.weight
        for policy in (*run.defaults.values(), *run.root.policies.values())
        for voter in policy.voters
    }
    told = []
    for name, one in run.totals.voters.items():
        named = record.profiles.get(name)
        profile, model = (record.profile, record.provider) if named is None else (named.profile, named.provider)
        asked = str(profile.get("asked", model))
        told.append(VoterReport(asked, model, weights.get(name), one.samples, one.flags, one.votes, one.lost))
    return tuple(told)
