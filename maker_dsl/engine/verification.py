"""Verifying a run: the whole journal once more, without a model.

Used by `maker verify`. Reading checks the hash chain; every kept reply is judged again and must get the verdict that
the journal has; every ballot is counted again and must give the decision; every state must have its hash. Where
replies are not kept, the state that a decision leads to is the journal's word, bound to its hash; that is said.

The first mismatch ends it: what follows from a wrong record says nothing.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from maker_dsl.engine.encoding import RecordUnreadable, decode
from maker_dsl.engine.fold import Fold
from maker_dsl.engine.frame import Frame
from maker_dsl.engine.origin import sub_run_policies
from maker_dsl.engine.records import (
    CallRecord,
    ComposedRecord,
    DecisionRecord,
    EndRecord,
    Event,
    ReplyRecord,
    ReturnRecord,
    RunRecord,
    SubRunRecord,
    ThoughtRecord,
)
from maker_dsl.engine.rejudging import Broken, PresentStep, check_asked, judge_again, judge_thought_again, thought_of
from maker_dsl.engine.run_state import FoldError, begin
from maker_dsl.engine.start import LoadTask, read_run_record
from maker_dsl.engine.turns import turns_of
from maker_dsl.journal.run_directory import RunDirectory, hash_task
from maker_dsl.judging import TIMED_OUT, Vote
from maker_dsl.task import Step, Task, TaskError
from maker_dsl.types.errors import ValueRefused


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Where a journal says something else than what follows from it.

    `record` is its sequence number, `step` the step's address.
    """

    record: int
    step: str | None
    what: str
    expected: str
    found: str

    def __str__(self) -> str:
        place = f"record {self.record}" if self.step is None else f"record {self.record}, step {self.step}"
        return f"{place}: {self.what}: expected {self.expected}, found {self.found}"


@dataclass(frozen=True, slots=True)
class Verification:
    """What verifying found. `receipt` is the chain's hash over all records: the same for the same journal only."""

    run: str
    status: str | None
    mismatch: Mismatch | None
    records: int
    steps: int
    """Those of sub-runs included."""
    sub_runs: int
    replies: int
    """Distinct replies judged again."""
    unkept: int
    """Distinct replies whose text the run did not keep."""
    timed_out: int
    """Distinct replies that a checker of a plug-in had no time for: taken at the run's word."""
    wrong_steps: int | None
    """Decisions that differ from the tasks' references; None where a task that ran has none."""
    first_wrong_step: int | None
    """The index of the run's step at which the first of them was taken."""
    first_wrong_address: str | None
    """What people call that step, or the step of a sub-run."""
    torn: str | None
    """What is wrong with bytes after the last record: an unfinished write, never acknowledged."""
    receipt: str

    @property
    def is_good(self) -> bool:
        """Whether everything follows from everything."""
        return self.mismatch is None


@dataclass(slots=True)
class _Counts:
    records: int = 0
    replies: int = 0
    unkept: int = 0
    timed_out: int = 0
    wrong_steps: int = 0
    first_wrong_step: int | None = None
    first_wrong_address: str | None = None
    has_references: bool = True


def verify_run(directory: RunDirectory, load_task: LoadTask) -> Verification:
    """Replay a run.

    Raises JournalError where the journal can't be read as one; a mismatch is a result, not an error.
    """
    record = read_run_record(directory)
    text = directory.task_text()
    task = load_task(text, record)
    verifier = _Verifier(task, hash_task(text), record)
    mismatch: Mismatch | None = None
    with directory.reader() as reader:
        sequence = 0
        try:
            for raw in reader.tail():
                sequence = raw.sequence
                verifier.check(decode(raw.type, raw.payload))
        except (Broken, FoldError) as error:
            mismatch = Mismatch(sequence, verifier.address, error.what, str(error.expected), str(error.found))
        except (RecordUnreadable, TaskError, ValueRefused) as error:
            mismatch = Mismatch(sequence, verifier.address, "the record", "one that can be followed", str(error))
        receipt, torn = reader.head, reader.torn
    if verifier.fold is None and mismatch is None:
        mismatch = Mismatch(0, None, "the journal", "the record of a run", "no record")
    counts = verifier.counts
    run = None if verifier.fold is None else verifier.fold.run
    return Verification(
        record.run,
        None if run is None or run.end is None else run.end.status,
        mismatch,
        counts.records,
        0 if run is None else run.totals.steps,
        0 if run is None else run.totals.sub_runs,
        counts.replies,
        counts.unkept,
        counts.timed_out,
        counts.wrong_steps if counts.has_references else None,
        counts.first_wrong_step,
        counts.first_wrong_address,
        torn,
        receipt,
    )


class _Verifier:
    """Folds events as a run does, and checks each against what is known before it."""

    def __init__(self, task: Task, task_sha256: str, record: RunRecord) -> None:
        self.task = task
        self._task_sha256 = task_sha256
        self._record = record
        self.fold: Fold | None = None
        self.counts = _Counts()
        self._present: dict[int, PresentStep] = {}
        """The steps under verification, by frame."""
        self.address: str | None = None
        """The step that the record under verification is of."""
        self._know(task)

    def check(self, event: Event) -> None:
        """Check and fold one event; raises Broken and FoldError."""
        self.counts.records += 1
        fold = self.fold
        if fold is None:
            self.fold = self._begin(event)
            return
        frame = _frame_of(fold, event)
        self.address = frame.address()
        match event:
            case CallRecord():
                fold.call(event, self._judged(fold, frame, event))
            case DecisionRecord():
                self._decision(fold, frame, event)
            case SubRunRecord():
                self._sub_run(fold, event)
            case EndRecord():
                self._end(fold, event)
                fold.apply(event)
            case _:
                fold.apply(event)

    def _begin(self, event: Event) -> Fold:
        if not isinstance(event, RunRecord):
            raise Broken("the first record", "a run", type(event).__name__)
        if event.task_sha256 != self._task_sha256:
            raise Broken("the hash of task.maker", event.task_sha256, self._task_sha256)
        if event != self._record:
            names = [name for name, value in asdict(event).items() if asdict(self._record)[name] != value]
            shown = [{name: asdict(record)[name] for name in names} for record in (event, self._record)]
            raise Broken("what run.json says", *shown)
        return Fold(begin(event, self.task))

    def _sub_run(self, fold: Fold, record: SubRunRecord) -> None:
        task = fold.sub_run(record).task
        assert task is not None
        self._know(task)
        policies = sub_run_policies(fold.run, task)
        if record.policies != policies:
            raise Broken("how the steps of the sub-run are decided", policies, record.policies)
        if record.expected_steps != task.expected_steps:
            raise Broken("the steps expected of the sub-run", task.expected_steps, record.expected_steps)

    def _know(self, task: Task) -> None:
        self.counts.has_references &= all(step.reference is not None for step in task.steps)

    def _judged(self, fold: Fold, frame: Frame, call: CallRecord) -> tuple[Vote | None, ...]:
        if not (call.replies or call.new or call.thoughts or call.new_thoughts):
            return ()
        if call.step != frame.index or call.sub != frame.number:
            return (None,) * len(call.new)
        present = self._step(frame)
        assert frame.task is not None
        opened = fold.open_step(frame)
        thoughts = opened.thoughts
        for thought in call.new_thoughts:
            judge_thought_again(present, thought)
        check_asked(present.step, call, turns_of(frame.policies[present.step.name]), opened.samples)
        return tuple(self._judge(frame.task, present, record, thought_of(record, thoughts)) for record in call.new)

    def _judge(
        self, task: Task, present: PresentStep, record: ReplyRecord, thought: ThoughtRecord | None
    ) -> Vote | None:
        if record.text is None:
            self.counts.unkept += 1
            return None
        if record.flag is not None and record.flag.name == TIMED_OUT and task.plugins:
            # Whether a checker was in time depends on the machine.
            self.counts.timed_out += 1
            return None
        self.counts.replies += 1
        return judge_again(task, present, record, record.text, thought)

    def _decision(self, fold: Fold, frame: Frame, decision: DecisionRecord) -> None:
        if decision.sub != frame.number:
            raise Broken("the sub-run of a decision", "a live one", decision.sub)
        present = self._step(frame)
        opened = fold.open_step(frame)
        if decision.kind != present.step.name:
            raise Broken("the kind of the step", present.step.name, decision.kind)
        won = opened.ballot.decision
        if won is None:
            raise Broken("the vote", "a key that leads by the margin", f"none among {dict(opened.ballot.votes)}")
        if opened.counted_votes() != decision.votes:
            raise Broken("the votes", opened.counted_votes(), decision.votes)
        if opened.samples != decision.samples:
            raise Broken("the number of samples", opened.samples, decision.samples)
        reference = present.step.reference
        if reference is not None and present.step.vote_key(reference(present.state)) != decision.value:
            self.counts.wrong_steps += 1
            if self.counts.first_wrong_step is None:
                self.counts.first_wrong_step = fold.run.root.index
                self.counts.first_wrong_address = frame.address()
        self._present.pop(frame.number, None)
        fold.decision(decision)

    def _end(self, fold: Fold, end: EndRecord) -> None:
        if end.status != "done":
            return
        state = fold.run.root.state
        assert state is not None
        if not self.task.is_done(state):
            raise Broken("the end", "a state that is done", "one that is not")
        result = self.task.result_codec.dump(self.task.result(state)).decode()
        if end.result != result:
            raise Broken("the result", result, end.result)

    def _step(self, frame: Frame) -> PresentStep:
        present = self._present.get(frame.number)
        if present is None or present.index != frame.index:
            task, state = frame.task, frame.state
            assert task is not None
            assert state is not None
            if task.is_done(state):
                raise Broken("the state", "one that is not done yet", "one that is")
            step = task.next_step(state)
            if not isinstance(step, Step):
                raise Broken("the step", f"the sub-runs of `{step.name}`", "samples of a model")
            present = self._present[frame.number] = PresentStep(frame.index, step, state, step.state_locals(state))
        return present


def _frame_of(fold: Fold, event: Event) -> Frame:
    """The frame that an event is of; the run itself where there is none."""
    match event:
        case CallRecord() | DecisionRecord() | ComposedRecord():
            number = event.sub
        case SubRunRecord():
            number = event.parent
        case ReturnRecord():
            number = event.number
        case _:
            number = 0
    return fold.run.frames.get(number, fold.run.root)
