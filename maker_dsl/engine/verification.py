"""Verifying a run: the whole journal once more, without a model.

Used by `maker verify`. Reading checks the hash chain; every kept reply is judged again and must get the verdict that
the journal has; every ballot is counted again and must give the decision; every state must have its hash. Where
replies are not kept, the state that a decision leads to is the journal's word, bound to its hash; that is said.

The first mismatch ends it: what follows from a wrong record says nothing.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from maker_dsl.engine.fold import Fold, FoldError, begin
from maker_dsl.engine.records import (
    CallRecord,
    DecisionRecord,
    EndRecord,
    Event,
    RecordUnreadable,
    ReplyRecord,
    RunRecord,
    decode,
)
from maker_dsl.engine.start import LoadTask, decode_inputs, read_run_record
from maker_dsl.journal.run_directory import RunDirectory, hash_task
from maker_dsl.judging import Vote, judge
from maker_dsl.task import Locals, RawReply, State, Step, Task, TaskError
from maker_dsl.types.errors import ValueRefused


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Where a journal says something else than what follows from it. `record` is its sequence number."""

    record: int
    step: int | None
    what: str
    expected: str
    found: str

    def __str__(self) -> str:
        place = f"record {self.record}" if self.step is None else f"record {self.record}, step {self.step + 1:,}"
        return f"{place}: {self.what}: expected {self.expected}, found {self.found}"


@dataclass(frozen=True, slots=True)
class Verification:
    """What verifying found. `receipt` is the chain's hash over all records: the same for the same journal only."""

    run: str
    status: str | None
    mismatch: Mismatch | None
    records: int
    steps: int
    replies: int
    """Distinct replies judged again."""
    unkept: int
    """Distinct replies whose text the run did not keep."""
    wrong_steps: int | None
    """Decisions that differ from the task's reference; None where the task has none."""
    first_wrong_step: int | None
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
    wrong_steps: int = 0
    first_wrong_step: int | None = None


@dataclass(slots=True)
class _Step:
    """What is computed once for the step under verification."""

    index: int
    step: Step
    state: State
    state_locals: Locals


class _Broken(Exception):
    def __init__(self, what: str, expected: object, found: object) -> None:
        super().__init__(what)
        self.what = what
        self.expected = expected
        self.found = found


def verify_run(directory: RunDirectory, load_task: LoadTask) -> Verification:
    """Replay a run.

    Raises JournalError where the journal can't be read as one; a mismatch is a result, not an error.
    """
    record = read_run_record(directory)
    text = directory.task_text()
    task = load_task(text, record.source, decode_inputs(record.inputs))
    verifier = _Verifier(task, hash_task(text), record)
    mismatch: Mismatch | None = None
    with directory.reader() as reader:
        sequence = 0
        try:
            for raw in reader.tail():
                sequence = raw.sequence
                verifier.check(decode(raw.type, raw.payload))
        except (_Broken, FoldError) as error:
            mismatch = Mismatch(sequence, verifier.step_index, error.what, str(error.expected), str(error.found))
        except (RecordUnreadable, TaskError, ValueRefused) as error:
            mismatch = Mismatch(sequence, verifier.step_index, "the record", "one that can be followed", str(error))
        receipt, torn = reader.head, reader.torn
    if verifier.fold is None and mismatch is None:
        mismatch = Mismatch(0, None, "the journal", "the record of a run", "no record")
    counts = verifier.counts
    run = None if verifier.fold is None else verifier.fold.run
    has_reference = all(step.reference is not None for step in task.steps)
    return Verification(
        record.run,
        None if run is None or run.end is None else run.end.status,
        mismatch,
        counts.records,
        0 if run is None else run.index,
        counts.replies,
        counts.unkept,
        counts.wrong_steps if has_reference else None,
        counts.first_wrong_step,
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
        self._present: _Step | None = None

    @property
    def step_index(self) -> int | None:
        """The step under verification."""
        return None if self.fold is None else self.fold.run.index

    def check(self, event: Event) -> None:
        """Check and fold one event; raises _Broken and FoldError."""
        self.counts.records += 1
        fold = self.fold
        if fold is None:
            self.fold = self._begin(event)
            return
        match event:
            case CallRecord():
                fold.call(event, self._judged(event))
            case DecisionRecord():
                self._decision(fold, event)
            case EndRecord():
                self._end(fold, event)
                fold.apply(event)
            case _:
                fold.apply(event)

    def _begin(self, event: Event) -> Fold:
        if not isinstance(event, RunRecord):
            raise _Broken("the first record", "a run", type(event).__name__)
        if event.task_sha256 != self._task_sha256:
            raise _Broken("the hash of task.maker", event.task_sha256, self._task_sha256)
        if event != self._record:
            names = [name for name, value in asdict(event).items() if asdict(self._record)[name] != value]
            shown = [{name: asdict(record)[name] for name in names} for record in (event, self._record)]
            raise _Broken("what run.json says", *shown)
        return Fold(begin(event, self.task), self.task)

    def _judged(self, call: CallRecord) -> tuple[Vote | None, ...]:
        if not call.new:
            return ()
        present = self._step()
        if call.step != present.index:
            return (None,) * len(call.new)
        return tuple(self._judge(present, record) for record in call.new)

    def _judge(self, present: _Step, record: ReplyRecord) -> Vote | None:
        if record.text is None:
            self.counts.unkept += 1
            return None
        self.counts.replies += 1
        raw = RawReply(record.text, record.tokens, record.finish)
        verdict = judge(self.task, present.step, present.state, present.state_locals, raw)
        if isinstance(verdict, Vote):
            if verdict.key != record.key:
                raise _Broken("the verdict on a reply", _verdict(verdict.key), _verdict_of(record))
            return verdict
        if record.flag is None or (record.flag.stage, record.flag.name) != (verdict.stage, verdict.name):
            raise _Broken("the verdict on a reply", f"flag “{verdict.name}” ({verdict.stage})", _verdict_of(record))
        return None

    def _decision(self, fold: Fold, decision: DecisionRecord) -> None:
        present = self._step()
        opened = fold.open_step()
        if decision.kind != present.step.name:
            raise _Broken("the kind of the step", present.step.name, decision.kind)
        won = opened.ballot.decision
        if won is None:
            raise _Broken("the vote", "a key that leads by the margin", f"none among {dict(opened.ballot.votes)}")
        if opened.counted_votes() != decision.votes:
            raise _Broken("the votes", opened.counted_votes(), decision.votes)
        if opened.samples != decision.samples:
            raise _Broken("the number of samples", opened.samples, decision.samples)
        reference = present.step.reference
        if reference is not None and present.step.vote_key(reference(present.state)) != decision.value:
            self.counts.wrong_steps += 1
            if self.counts.first_wrong_step is None:
                self.counts.first_wrong_step = decision.step
        self._present = None
        fold.decision(decision)

    def _end(self, fold: Fold, end: EndRecord) -> None:
        if end.status != "done":
            return
        state = fold.run.state
        assert state is not None
        if not self.task.is_done(state):
            raise _Broken("the end", "a state that is done", "one that is not")
        result = self.task.result_codec.dump(self.task.result(state)).decode()
        if end.result != result:
            raise _Broken("the result", result, end.result)

    def _step(self) -> _Step:
        fold = self.fold
        assert fold is not None
        run = fold.run
        present = self._present
        if present is None or present.index != run.index:
            state = run.state
            assert state is not None
            if self.task.is_done(state):
                raise _Broken("the state", "one that is not done yet", "one that is")
            step = self.task.next_step(state)
            present = self._present = _Step(run.index, step, state, step.state_locals(state))
        return present


def _verdict(key: str | None) -> str:
    return f"a vote for {key}"


def _verdict_of(record: ReplyRecord) -> str:
    if record.flag is not None:
        return f"flag “{record.flag.name}” ({record.flag.stage})"
    return _verdict(record.key)
