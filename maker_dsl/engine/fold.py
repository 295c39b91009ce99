"""The state of a run as a fold over its events: the one way in which anything about a run changes.

A run going on, a run being resumed, `maker status` and `maker verify` fold the same events with the same code.
Without a task (status) everything but the task's state is known.

Invariant: nothing here grows with the number of steps; the replies of a step are dropped when it is decided.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from hashlib import sha256

from maker_dsl.engine.ballot import Ballot
from maker_dsl.engine.budget import NOTHING, Amounts
from maker_dsl.engine.open_step import Entry, OpenStep
from maker_dsl.engine.records import (
    CallRecord,
    CapsRecord,
    DecisionRecord,
    EndRecord,
    Event,
    GrantRecord,
    PolicyRecord,
    ResumedRecord,
    RunRecord,
)
from maker_dsl.judging import Flag, Vote, judge
from maker_dsl.task import RawReply, State, Step, Task
from maker_dsl.types.errors import ValueRefused


class FoldError(Exception):
    """The events of a journal don't follow from one another: `place` says which, `found` and `expected` what."""

    def __init__(self, what: str, expected: object, found: object) -> None:
        super().__init__(f"{what}: expected {expected}, found {found}")
        self.what = what
        self.expected = expected
        self.found = found


@dataclass(slots=True)
class Totals:
    """Counts of a run so far. `votes` are passing replies, `samples` all replies."""

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


@dataclass(slots=True)
class RunState:
    """Where a run stands. `state` is None where no task is at hand."""

    record: RunRecord
    index: int
    """The number of decisions taken: the index of the step to come."""
    state: State | None
    state_hash: str
    totals: Totals
    policies: dict[str, PolicyRecord]
    caps: CapsRecord
    granted: Amounts = NOTHING
    forfeited: Amounts = NOTHING
    spent: Amounts = NOTHING
    open: OpenStep | None = None
    end: EndRecord | None = None
    """How the last process stopped; None while one runs, or if it was killed."""
    epochs: int = 1


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
    return RunState(record, 0, state, record.initial_hash, Totals(), dict(record.policies), record.caps)


class Fold:
    """Folds events into a RunState. `task` None: counts only."""

    __slots__ = ("run", "task")

    def __init__(self, run: RunState, task: Task | None) -> None:
        self.run = run
        self.task = task

    def apply(self, event: Event) -> None:
        """Fold an event that was read from a journal. Raises FoldError."""
        match event:
            case CallRecord():
                self.call(event)
            case DecisionRecord():
                self.decision(event)
            case GrantRecord():
                self.grant(event)
            case ResumedRecord():
                self.resumed(event)
            case EndRecord():
                self.end(event)
            case RunRecord():
                raise FoldError("a second run record", "one only", event.run)

    def open_step(self, margin: int | None = None) -> OpenStep:
        """The ballot of the step to come; `margin` where the caller knows it already."""
        run = self.run
        if run.open is None:
            run.open = OpenStep(run.index, Ballot(self._margin() if margin is None else margin))
        return run.open

    def call(self, call: CallRecord, judged: tuple[Vote | None, ...] = ()) -> None:
        """Fold a call. `judged` has the votes of its new replies where this process has just judged them."""
        run = self.run
        run.end = None
        totals = run.totals
        totals.calls += 1
        if call.outcome != "ok":
            if call.outcome == "cancelled":
                totals.cancelled += 1
            else:
                totals.retries += 1
        cost, tokens, samples = call.cost_usd or 0.0, 0, len(call.replies)
        if call.usage is not None:
            totals.input_tokens += call.usage[0]
            totals.output_tokens += call.usage[1]
            totals.cached_input_tokens += call.usage[2]
            tokens = call.usage[0] + call.usage[1]
        if call.reserved is not None:
            cost, tokens, samples = call.reserved
        if call.cost_usd is None and not cost:
            totals.unpriced_calls += 1
        totals.cost_usd += cost
        run.spent = Amounts(run.spent.cost_usd + cost, run.spent.tokens + tokens, run.spent.samples + samples)
        if call.step != run.index:
            # Only a call that was still under way when its step was decided: paid for, and without a say.
            if call.replies:
                raise FoldError("the step of a call", run.index, call.step)
            return
        if call.replies or call.new:
            self._replies(call, judged)

    def _replies(self, call: CallRecord, judged: tuple[Vote | None, ...]) -> None:
        opened = self.open_step()
        totals = self.run.totals
        entries = opened.entries
        if call.new:
            votes: tuple[Vote | None, ...] = judged or (None,) * len(call.new)
            for record, vote in zip(call.new, votes, strict=True):
                entries.append(Entry(record, vote))
        for number, text in call.texts:
            if not 0 <= number < len(entries):
                raise FoldError("the number of a reply", f"less than {len(entries)}", number)
            entries[number].record = replace(entries[number].record, text=text)
        if len(call.replies) > len(call.draws):
            raise FoldError("the number of replies", f"up to {len(call.draws)}", len(call.replies))
        ballot = opened.ballot
        for (slot, resample), number in zip(call.draws, call.replies, strict=False):
            if not 0 <= number < len(entries):
                raise FoldError("the number of a reply", f"less than {len(entries)}", number)
            flagged = opened.flagged_by_slot.get(slot, 0)
            if resample != flagged or slot in opened.votes_by_slot:
                raise FoldError(f"the resample at slot {slot}", flagged, resample)
            entry = entries[number]
            opened.samples += 1
            totals.samples += 1
            if entry.key is None:
                opened.flagged_by_slot[slot] = flagged + 1
                name = "unknown" if entry.flag is None else entry.flag.name
                totals.flags[name] = totals.flags.get(name, 0) + 1
                continue
            totals.votes += 1
            opened.votes_by_slot[slot] = number
            opened.first_of_key.setdefault(entry.key, number)
            ballot.fill(slot, entry.key)

    def decision(self, decision: DecisionRecord, following: State | None = None) -> None:
        """Fold a decision; `following` is the new state where this process has just taken the decision itself."""
        run = self.run
        run.end = None
        if decision.step != run.index:
            raise FoldError("the step of a decision", run.index, decision.step)
        opened = run.open
        if following is not None:
            run.state = following
        elif self.task is not None:
            won = None if opened is None else opened.ballot.decision
            if opened is None or won is None:
                raise FoldError(f"the vote on step {decision.step + 1:,}", "a decided ballot", "no decision")
            if (won.key, opened.winner()) != (decision.value, decision.reply):
                raise FoldError(f"the value of step {decision.step + 1:,}", won.key, decision.value)
            run.state = self._following(opened, decision)
        run.state_hash = decision.state_hash
        run.index += 1
        run.open = None
        totals = run.totals
        if len(decision.votes) > 1:
            totals.contested += 1
        if decision.samples > totals.most_samples:
            totals.most_samples = decision.samples

    def _following(self, opened: OpenStep, decision: DecisionRecord) -> State:
        task, state = self.task, self.run.state
        assert task is not None
        assert state is not None
        expected = task.next_step(state).name
        if decision.kind != expected:
            raise FoldError(f"the kind of step {decision.step + 1:,}", expected, decision.kind)
        if (decision.votes, decision.samples) != (opened.counted_votes(), opened.samples):
            raise FoldError(f"the votes of step {decision.step + 1:,}", opened.counted_votes(), decision.votes)
        try:
            following = state_after(task, task.step(expected), state, opened.entries[decision.reply])
        except ValueRefused as error:
            raise FoldError(f"the state after step {decision.step + 1:,}", "a state of the task", str(error)) from error
        found = hash_state(task.state_codec.dump(following))
        if found != decision.state_hash:
            raise FoldError(f"the state after step {decision.step + 1:,}", decision.state_hash, found)
        return following

    def grant(self, grant: GrantRecord) -> None:
        """Fold a grant."""
        self.run.granted = Amounts(grant.cost_usd, grant.tokens, grant.samples)

    def resumed(self, resumed: ResumedRecord) -> None:
        """Fold the start of another process."""
        run = self.run
        run.end = None
        run.epochs += 1
        run.policies = dict(resumed.policies)
        run.caps = resumed.caps
        forfeited = Amounts(*resumed.forfeited)
        run.forfeited = run.forfeited.plus(forfeited)
        run.spent = run.spent.plus(forfeited)
        run.granted = run.spent

    def end(self, end: EndRecord) -> None:
        """Fold a clean stop: the rest of the grants is given back."""
        run = self.run
        run.end = end
        run.totals.seconds = end.seconds
        run.granted = run.spent

    def _margin(self) -> int:
        """The margin of the step to come.

        Without a task its kind is unknown: the largest, so that every vote counts.
        """
        run, task = self.run, self.task
        margins = {name: int(policy.ahead_by.value or 1) for name, policy in run.policies.items()}
        if task is None or run.state is None or len(margins) == 1:
            return max(margins.values())
        return margins[task.next_step(run.state).name]


def state_after(task: Task, step: Step, state: State, entry: Entry) -> State:
    """The state that a passing reply leads to: as judged, or judged again, or as the journal says. Raises FoldError."""
    if entry.judged is not None:
        return entry.judged.state
    record = entry.record
    if record.text is not None:
        verdict = judge(
            task, step, state, step.state_locals(state), RawReply(record.text, record.tokens, record.finish)
        )
        if isinstance(verdict, Flag):
            raise FoldError("the judgement of the winning reply", record.key, f"flag “{verdict.name}”")
        return verdict.state
    if record.state is None:
        raise FoldError("the winning reply", "its text or its state", "neither")
    loaded: State = task.state_codec.load(record.state)
    return loaded
