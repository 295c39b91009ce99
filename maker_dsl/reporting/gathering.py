"""From a run's directory to the facts of its report, in one pass over the journal. Used by `maker report`."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from maker_dsl.engine.chronicle import Chronicle, StepEntry
from maker_dsl.engine.odds import MOST_ROUNDS, VoteCount, odds_of, undecided_by_theory
from maker_dsl.engine.records import ConstraintRecord, PolicyRecord, SettingRecord
from maker_dsl.engine.report import cost_of, wordings_of
from maker_dsl.engine.start import LoadTask
from maker_dsl.journal.run_directory import RunDirectory
from maker_dsl.reporting.bins import Sizes, Stretch, Stretches
from maker_dsl.reporting.facts import Facts, Latency, ModelReport, Origin, Outcome, Setting, Undecided
from maker_dsl.reporting.hardest import Hardest

MOST_KINDS = 200
"""Kinds of steps told apart; there are no more in a task that a person wrote."""

LONGEST_TEXT = 20_000


@dataclass(slots=True)
class _Model:
    steps: int = 0
    samples: int = 0
    flags: int = 0
    votes: int = 0
    lost: int = 0
    calls: int = 0
    latency_s: float = 0.0
    cost_usd: float | None = None


@dataclass(slots=True)
class _Gathering:
    """What is counted while the steps go by."""

    provider: str
    kinds: dict[tuple[str, str, int], VoteCount] = field(default_factory=dict)
    settings: dict[tuple[str, str], PolicyRecord] = field(default_factory=dict)
    votes_to_decide: Counter[int] = field(default_factory=Counter)
    stretches: Stretches = field(default_factory=Stretches)
    latencies: Sizes = field(default_factory=Sizes)
    models: dict[str, _Model] = field(default_factory=dict)
    hardest: Hardest = field(default_factory=Hardest)
    composed: int = 0
    decided: int = 0

    def look(self, entry: StepEntry) -> None:
        """Count a step."""
        if entry.stage == "composed":
            self.composed += 1
            return
        for call in entry.calls:
            if call.outcome == "ok":
                self.latencies.add(call.latency_s)
        opened, decision = entry.opened, entry.decision
        flags = 0 if opened is None else sum(opened.flagged_by_slot.values())
        samples = 0 if opened is None else opened.samples
        votes = sum(entry.votes.values())
        lost = 0 if decision is None else votes - entry.votes.get(decision.value, 0)
        self.hardest.look(entry, samples, votes, lost)
        if decision is None or entry.policy is None:
            return
        self.decided += 1
        self.votes_to_decide[min(votes, MOST_ROUNDS)] += 1
        self._count_kind(entry, decision.kind, votes, lost, samples, flags)
        cost, latency = entry.cost_usd, sum(call.latency_s for call in entry.calls)
        self._count_model(entry, votes, lost, samples, flags, latency, cost)
        self.stretches.add(
            Stretch(self.decided, self.decided, samples, flags, int(lost > 0), len(entry.calls), latency, cost or 0.0)
        )

    def _count_kind(self, entry: StepEntry, kind: str, votes: int, lost: int, samples: int, flags: int) -> None:
        assert entry.policy is not None
        margin = int(entry.policy.ahead_by.value or 1)
        key = entry.task_name, kind, margin
        count = self.kinds.get(key)
        if count is None:
            if len(self.kinds) >= MOST_KINDS:
                return
            count = self.kinds[key] = VoteCount(*key)
        count.add(votes, lost, samples, flags)
        self.settings[entry.task_name, kind] = entry.policy

    def _count_model(
        self, entry: StepEntry, votes: int, lost: int, samples: int, flags: int, latency: float, cost: float | None
    ) -> None:
        assert entry.policy is not None
        name = entry.policy.profile or self.provider
        model = self.models.setdefault(name, _Model())
        model.steps += 1
        model.samples += samples
        model.flags += flags
        model.votes += votes
        model.lost += lost
        model.calls += len(entry.calls)
        model.latency_s += latency
        if cost is not None:
            model.cost_usd = (model.cost_usd or 0.0) + cost


def gather(directory: RunDirectory, load_task: LoadTask | None) -> Facts:
    """The facts of a run; without `load_task` no prompts and states. Raises JournalError, what `load_task` raises."""
    chronicle = Chronicle(directory, load_task)
    gathering = _Gathering(chronicle.record.provider)
    for entry in chronicle.entries():
        gathering.look(entry)
    odds = odds_of(gathering.kinds.values())
    votes = gathering.votes_to_decide
    latencies = gathering.latencies
    return Facts(
        _origin(chronicle, gathering),
        _outcome(chronicle, gathering),
        odds,
        tuple(sorted(votes.items())),
        _undecided(votes, undecided_by_theory(odds.kinds, max(votes, default=0))),
        tuple(gathering.stretches.each),
        Latency(
            latencies.total,
            latencies.quantile(0.5),
            latencies.quantile(0.9),
            latencies.quantile(0.99),
            latencies.largest,
            latencies.counts(),
        ),
        tuple(ModelReport(name, **asdict(model)) for name, model in gathering.models.items()),
        wordings_of(chronicle.run),
        gathering.hardest.told(),
        tuple(chronicle.notes),
        chronicle.is_whole,
    )


def _undecided(votes: Counter[int], theory: list[float]) -> tuple[Undecided, ...]:
    told, left = [], votes.total()
    if not left:
        return ()
    for number, expected in enumerate(theory):
        left -= votes.get(number, 0)
        told.append(Undecided(number, left, expected))
    # The last one holds those that took as many votes or more: nothing is known of what it leaves open.
    return tuple(told[:-1]) if len(told) > MOST_ROUNDS else tuple(told)


def _origin(chronicle: Chronicle, gathering: _Gathering) -> Origin:
    record, run = chronicle.record, chronicle.run
    limits = {name: value for name, value in asdict(run.caps).items() if value is not None}
    return Origin(
        record.run,
        record.task,
        record.source,
        record.task_sha256,
        record.inputs[:LONGEST_TEXT],
        record.maker,
        record.started,
        record.provider,
        record.profile,
        {name: profile.provider for name, profile in record.profiles.items()},
        record.plugins,
        record.seed,
        record.keep,
        limits,
        record.expected_steps,
        tuple(Setting(task, kind, _setting(policy)) for (task, kind), policy in gathering.settings.items()),
        tuple(map(_constraint, run.constraints.values())),
    )


def _outcome(chronicle: Chronicle, gathering: _Gathering) -> Outcome:
    run, end = chronicle.run, chronicle.run.end
    totals = run.totals
    if end is not None:
        status: str = end.status
    else:
        status = "killed" if chronicle.directory.writer() is None else "running"
    result = None if end is None or end.result is None else end.result[:LONGEST_TEXT]
    return Outcome(
        status if chronicle.is_whole else "unreadable from here",
        None if end is None else end.reason,
        result,
        run.epochs,
        totals.steps,
        gathering.composed,
        totals.sub_runs,
        totals.contested,
        totals.samples,
        totals.votes,
        dict(totals.flags),
        totals.most_samples,
        totals.calls,
        totals.retries,
        totals.cancelled,
        totals.input_tokens,
        totals.output_tokens,
        totals.cached_input_tokens,
        cost_of(run),
        totals.unpriced_calls,
        totals.seconds,
        chronicle.receipt,
    )


def _setting(policy: PolicyRecord) -> dict[str, str]:
    named: dict[str, SettingRecord | None] = {
        "ahead by": policy.ahead_by,
        "at most": policy.max_samples,
        "first temperature": policy.first_temperature,
        "temperature": policy.temperature,
        "max tokens": policy.max_tokens,
    }
    values = {name: _with_origin(one.value, one.origin) for name, one in named.items() if one is not None}
    if policy.profile is not None:
        values["profile"] = policy.profile
    if policy.form is not None:
        values["form by"] = policy.form.profile or "the run's own profile"
    if policy.wordings:
        values["wordings"] = ", ".join(policy.wordings)
    return values


def _with_origin(value: Any, origin: str) -> str:
    return f"{'none' if value is None else value} ({origin})"


def _constraint(one: ConstraintRecord) -> str:
    where = f"profile {one.profile}: " if one.profile else ""
    step = "" if one.step is None else f" of step {one.step}"
    if one.enforced and one.step is None:
        return f"{where}replies constrained ({one.dialect}, {one.mode}): the server enforces grammars"
    return f"{where}replies{step} not constrained ({one.dialect}, {one.mode}): {one.why}"
