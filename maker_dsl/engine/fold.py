"""The state of a run as a fold over its events: the one way in which anything about a run changes.

A run going on, a run being resumed, `maker status` and `maker verify` fold the same events with the same code.
Without a task (status) everything but the task's state is known. What sub-runs change stands in `composition`.

Invariant: the replies of a step are dropped when it is decided.
"""

from __future__ import annotations

from dataclasses import replace

from maker_dsl.engine.ballot import Ballot
from maker_dsl.engine.budget import Amounts
from maker_dsl.engine.composition import fold_composed, fold_return, fold_sub_run, with_most_samples
from maker_dsl.engine.frame import Frame
from maker_dsl.engine.odds import count_outcome
from maker_dsl.engine.open_step import Entry, OpenStep
from maker_dsl.engine.records import (
    CallRecord,
    ComposedRecord,
    ConstraintRecord,
    DecisionRecord,
    EndRecord,
    Event,
    GrantRecord,
    PolicyRecord,
    ResumedRecord,
    ReturnRecord,
    RunRecord,
    SubRunRecord,
    ThoughtRecord,
)
from maker_dsl.engine.run_state import FoldError, RunState, hash_state
from maker_dsl.engine.turns import turns_of
from maker_dsl.engine.weighted_ballot import WHOLE_VOTE, WeightedBallot
from maker_dsl.engine.wordings import tally, tally_voters
from maker_dsl.judging import Flag, Vote, judge
from maker_dsl.task import RawReply, State, Step, Task
from maker_dsl.types.errors import ValueRefused


class Fold:
    """Folds events into a RunState. Where its frames have no task: counts only."""

    __slots__ = ("run",)

    def __init__(self, run: RunState) -> None:
        self.run = run

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
            case SubRunRecord():
                self.sub_run(event)
            case ReturnRecord():
                self.returned(event)
            case ComposedRecord():
                self.composed(event)
            case ConstraintRecord():
                self.constraint(event)
            case RunRecord():
                raise FoldError("a second run record", "one only", event.run)

    def open_step(self, frame: Frame, ballot: Ballot | None = None) -> OpenStep:
        """The vote on a frame's step to come; `ballot` where the caller has made it already."""
        if frame.open is None:
            if frame.runs is not None:
                raise FoldError(f"step {frame.address()}", "sub-runs", "a vote")
            frame.open = OpenStep(frame.index, new_ballot(self.run, frame) if ballot is None else ballot)
        return frame.open

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
        frame = run.frames.get(call.sub)
        cost, tokens, samples = call.cost_usd or 0.0, 0, _samples_drawn(call, frame)
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
        if frame is None or call.step != frame.index:
            # Only a call that was still under way when its step was decided: paid for, and without a say.
            if call.replies or call.thoughts:
                raise FoldError("the step of a call", "a sub-run" if frame is None else frame.address(), call.step)
            return
        if call.replies or call.new:
            self._replies(frame, call, judged)
        if call.thoughts or call.new_thoughts:
            self._thoughts(frame, call)

    def _thoughts(self, frame: Frame, call: CallRecord) -> None:
        opened = self.open_step(frame)
        opened.thoughts.extend(call.new_thoughts)
        if call.replies or len(call.thoughts) > len(call.draws):
            raise FoldError("the number of thoughts", f"up to {len(call.draws)}", len(call.thoughts))
        for (slot, resample), number in zip(call.draws, call.thoughts, strict=False):
            if not 0 <= number < len(opened.thoughts):
                raise FoldError("the number of a thought", f"less than {len(opened.thoughts)}", number)
            flagged = opened.flagged_by_slot.get(slot, 0)
            if resample != flagged or slot in opened.votes_by_slot or slot in opened.pending:
                raise FoldError(f"the resample at slot {slot}", flagged, resample)
            if call.voter or call.wording:
                opened.asked[slot, resample] = (call.voter, call.wording)
            flag = opened.thoughts[number].flag
            if flag is None:
                opened.pending[slot] = number
            else:
                opened.samples += 1
                self.run.totals.samples += 1
                self._flag(opened, slot, flag.name)

    def _flag(self, opened: OpenStep, slot: int, name: str) -> None:
        opened.flagged_by_slot[slot] = opened.flagged_by_slot.get(slot, 0) + 1
        flags = self.run.totals.flags
        flags[name] = flags.get(name, 0) + 1

    def _replies(self, frame: Frame, call: CallRecord, judged: tuple[Vote | None, ...]) -> None:
        opened = self.open_step(frame)
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
        weight = weight_of(frame, call.voter) if type(ballot) is WeightedBallot else 1
        is_told = bool(call.voter or call.wording)
        for (slot, resample), number in zip(call.draws, call.replies, strict=False):
            if not 0 <= number < len(entries):
                raise FoldError("the number of a reply", f"less than {len(entries)}", number)
            flagged = opened.flagged_by_slot.get(slot, 0)
            if resample != flagged or slot in opened.votes_by_slot:
                raise FoldError(f"the resample at slot {slot}", flagged, resample)
            entry = entries[number]
            if opened.pending.pop(slot, None) != entry.record.thought:
                raise FoldError(f"the thought at slot {slot}", "that of the reply", entry.record.thought)
            opened.samples += 1
            totals.samples += 1
            if is_told:
                # Of a form, what its thought was asked stays.
                opened.asked.setdefault((slot, resample), (call.voter, call.wording))
            if entry.key is None:
                self._flag(opened, slot, "unknown" if entry.flag is None else entry.flag.name)
                continue
            totals.votes += 1
            opened.votes_by_slot[slot] = number
            opened.first_of_key.setdefault(entry.key, number)
            ballot.fill(slot, entry.key, weight)

    def decision(self, decision: DecisionRecord, following: State | None = None) -> None:
        """Fold a decision; `following` is the new state where this process has just taken the decision itself."""
        run = self.run
        run.end = None
        frame = run.frames.get(decision.sub)
        if frame is None:
            raise FoldError("the sub-run of a decision", "a live one", decision.sub)
        if decision.step != frame.index:
            raise FoldError("the step of a decision", frame.index, decision.step)
        opened = frame.open
        if following is not None:
            frame.state = following
        elif frame.task is not None:
            won = None if opened is None else opened.ballot.decision
            if opened is None or won is None:
                raise FoldError(f"the vote on step {frame.address()}", "a decided ballot", "no decision")
            if (won.key, opened.winner()) != (decision.value, decision.reply):
                raise FoldError(f"the value of step {frame.address()}", won.key, decision.value)
            frame.state = _following(frame, frame.task, opened, decision)
        frame.state_hash = decision.state_hash
        frame.index += 1
        frame.open = None
        totals = run.totals
        totals.steps += 1
        policy = frame.policies.get(decision.kind)
        if policy is not None and policy.wordings and opened is not None:
            tally(totals, frame.task_name, decision.kind, policy.wordings, opened, decision.value)
        if policy is not None and (policy.voters or policy.ladder) and opened is not None:
            profiles = turns_of(policy).profiles
            if len(profiles) > 1:
                tally_voters(totals, profiles, opened, decision.value)
        count_outcome(totals.outcomes, frame.task_name, decision)
        if len(decision.votes) > 1:
            totals.contested += 1
        if decision.samples > totals.most_samples:
            totals.most_samples = decision.samples

    def sub_run(self, sub_run: SubRunRecord, task: Task | None = None) -> Frame:
        """Fold the beginning of a sub-run; `task` where this process has just bound it."""
        self.run.end = None
        return fold_sub_run(self.run, sub_run, task)

    def returned(self, returned: ReturnRecord) -> None:
        """Fold the end of a sub-run."""
        self.run.end = None
        fold_return(self.run, returned)

    def composed(self, composed: ComposedRecord, following: State | None = None) -> None:
        """Fold the results of a step's sub-runs; `following` is the new state where it was just computed."""
        self.run.end = None
        fold_composed(self.run, composed, following)

    def constraint(self, constraint: ConstraintRecord) -> None:
        """Fold what came of constrained decoding."""
        self.run.constraints[constraint.profile, constraint.step] = constraint

    def grant(self, grant: GrantRecord) -> None:
        """Fold a grant."""
        self.run.granted = Amounts(grant.cost_usd, grant.tokens, grant.samples)

    def resumed(self, resumed: ResumedRecord) -> None:
        """Fold the start of another process."""
        run = self.run
        run.end = None
        run.epochs += 1
        run.constraints.clear()
        run.root.policies = dict(resumed.policies)
        run.caps = resumed.caps
        run.defaults = dict(resumed.defaults)
        for number, frame in run.frames.items():
            if number:
                frame.policies = with_most_samples(frame.policies, run.defaults)
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


def new_ballot(run: RunState, frame: Frame) -> Ballot:
    """The ballot of a frame's step to come.

    Without a task its kind is unknown: the one of the largest margin, so that every vote counts.
    """
    return turns_of(policy_to_come(frame)).new_ballot(run.table)


def policy_to_come(frame: Frame) -> PolicyRecord:
    """How a frame's step to come is decided; without a task, the policy of the largest margin. Raises FoldError."""
    task, policies = frame.task, frame.policies
    if not policies:
        raise FoldError(f"step {frame.address()}", "a step that asks no model", "a vote")
    if task is None or frame.state is None or len(policies) == 1:
        return max(policies.values(), key=lambda policy: policy.ahead_by.value or 1)
    found = policies.get(task.next_step(frame.state).name)
    if found is None:
        raise FoldError(f"step {frame.address()}", "sub-runs", "a vote")
    return found


def weight_of(frame: Frame, voter: int) -> int:
    """What a vote on a frame's step to come weighs. Raises FoldError for a voter that the step doesn't have."""
    weights = turns_of(policy_to_come(frame)).weights
    if 0 <= voter < len(weights):
        return weights[voter]
    if frame.task is None:
        return WHOLE_VOTE
    raise FoldError("the voter of a call", f"less than {len(weights)}", voter)


def _following(frame: Frame, task: Task, opened: OpenStep, decision: DecisionRecord) -> State:
    """The state that a decision leads to, once everything that the decision says follows. Raises FoldError."""
    state, address = frame.state, frame.address()
    assert state is not None
    step = task.next_step(state)
    if decision.kind != step.name or not isinstance(step, Step):
        raise FoldError(f"the kind of step {address}", step.name, decision.kind)
    if (decision.votes, decision.samples) != (opened.counted_votes(), opened.samples):
        raise FoldError(f"the votes of step {address}", opened.counted_votes(), decision.votes)
    try:
        following = state_after(task, step, state, opened, decision.reply)
    except ValueRefused as error:
        raise FoldError(f"the state after step {address}", "a state of the task", str(error)) from error
    found = hash_state(task.state_codec.dump(following))
    if found != decision.state_hash:
        raise FoldError(f"the state after step {address}", decision.state_hash, found)
    return following


def state_after(task: Task, step: Step, state: State, opened: OpenStep, number: int) -> State:
    """The state that a passing reply leads to: as judged, or judged again, or as the journal says. Raises FoldError."""
    entry = opened.entries[number]
    if entry.judged is not None:
        return entry.judged.state
    record = entry.record
    if record.text is not None:
        raw = RawReply(record.text, record.tokens, record.finish)
        verdict = judge(task, step, state, step.state_locals(state), raw, raw_thought(opened.thought_of(entry)))
        if isinstance(verdict, Flag):
            raise FoldError("the judgement of the winning reply", record.key, f"flag “{verdict.name}”")
        return verdict.state
    if record.state is None:
        raise FoldError("the winning reply", "its text or its state", "neither")
    loaded: State = task.state_codec.load(record.state)
    return loaded


def raw_thought(thought: ThoughtRecord | None) -> RawReply | None:
    """A thought as it is judged."""
    return None if thought is None else RawReply(thought.text, thought.tokens, thought.finish)


def _samples_drawn(call: CallRecord, frame: Frame | None) -> int:
    """The samples that a call has drawn anew; one that puts thoughts into form draws none."""
    if call.thoughts or not call.replies:
        return len(call.thoughts)
    if call.new:
        is_form = call.new[0].thought is not None
    else:
        entries = [] if frame is None or frame.open is None else frame.open.entries
        is_form = any(entry.record.thought is not None for entry in entries[call.replies[0] : call.replies[0] + 1])
    return 0 if is_form else len(call.replies)
