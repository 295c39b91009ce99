"""What a run's state becomes when a sub-run begins, when it is done, and when a step takes results over.

Used by `fold`. Invariant: what follows from the task (which sub-runs a step has, their inputs, their results, the new
state) must be what the journal says, wherever the task is at hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from maker_dsl.engine.frame import Frame, OpenRuns, Returned
from maker_dsl.engine.records import MAIN_PROFILE, ComposedRecord, PolicyRecord, ReturnRecord, SubRunRecord
from maker_dsl.engine.run_state import FoldError, RunState, hash_state
from maker_dsl.task import RunStep, State, Task


def open_runs(frame: Frame) -> OpenRuns:
    """The sub-runs of a frame's step to come. Raises FoldError if it is no step that has any, and TaskError."""
    if frame.runs is None:
        if frame.open is not None:
            raise FoldError(f"step {frame.address()}", "a vote", "sub-runs")
        if frame.task is None or frame.state is None:
            frame.runs = OpenRuns()
        else:
            step = None if frame.task.is_done(frame.state) else frame.task.next_step(frame.state)
            if not isinstance(step, RunStep):
                raise FoldError(
                    f"step {frame.address()}", "a step that runs tasks", "none" if step is None else step.name
                )
            frame.runs = OpenRuns.of(step, frame.state)
    return frame.runs


def bound_task(frame: Frame, unit: tuple[str, int | None]) -> Task:
    """The task of a sub-run of a frame's step to come, bound to its inputs. Raises FoldError, TaskError."""
    runs = open_runs(frame)
    if runs.place_of(unit) is None:
        raise FoldError(f"a sub-run of step {frame.address()}", "one that the step has", shown_unit(unit))
    sub_task, inputs = runs.sub_task(unit)
    return sub_task.bind(inputs)


def shown_unit(unit: tuple[str, int | None]) -> str:
    """`left`, `rows.4`."""
    name, item = unit
    return name if item is None else f"{name}.{item + 1}"


def fold_sub_run(run: RunState, record: SubRunRecord, task: Task | None) -> Frame:
    """A sub-run begins."""
    parent = run.frames.get(record.parent)
    if parent is None:
        raise FoldError("the run that begins a sub-run", "a live one", record.parent)
    if (record.number, record.step) != (run.totals.sub_runs + 1, parent.index):
        expected = f"number {run.totals.sub_runs + 1} of step {parent.address()}"
        raise FoldError("a sub-run", expected, f"number {record.number} of step {record.step + 1:,}")
    runs, unit = open_runs(parent), (record.name, record.item)
    if unit in runs.live or unit in runs.results:
        raise FoldError(f"a sub-run of step {parent.address()}", "a new one", shown_unit(unit))
    if task is None and parent.task is not None:
        task = bound_task(parent, unit)
        bound = f"{task.name} over {task.inputs_codec.dump(dict(task.inputs)).decode()}"
        told = f"{record.task} over {record.inputs}"
        if bound != told:
            raise FoldError(f"what sub-run {shown_unit(unit)} of step {parent.address()} runs", bound, told)
        found = hash_state(task.state_codec.dump(task.initial_state))
        if found != record.initial_hash:
            raise FoldError(f"the initial state of sub-run {shown_unit(unit)}", record.initial_hash, found)
    frame = parent.child(
        record.number,
        unit,
        record.task,
        task,
        record.inputs,
        record.initial_hash,
        record.policies,
        record.expected_steps,
    )
    run.totals.sub_runs += 1
    run.frames[record.number] = runs.live[unit] = frame
    return frame


def fold_return(run: RunState, record: ReturnRecord) -> None:
    """A sub-run is done."""
    frame = run.frames.get(record.number)
    parent = None if frame is None else frame.parent
    if frame is None or parent is None or parent.runs is None:
        raise FoldError("a sub-run that ends", "a live one", record.number)
    name = f"the sub-run {frame.path[:-1]}"
    if frame.open is not None or frame.runs is not None:
        raise FoldError(name, "to be between two steps", f"at step {frame.address()}")
    if record.steps != frame.steps:
        raise FoldError(f"the steps of {name}", frame.steps, record.steps)
    value = None
    if frame.task is not None:
        assert frame.state is not None
        if not frame.task.is_done(frame.state):
            raise FoldError(name, "to be done", "a state that is not")
        value = frame.task.result(frame.state)
        result = frame.task.result_codec.dump(value).decode()
        if result != record.result:
            raise FoldError(f"the result of {name}", result, record.result)
    del run.frames[record.number], parent.runs.live[frame.unit]
    parent.runs.results[frame.unit] = Returned(record.number, record.result, value, record.steps)
    parent.sub_steps += record.steps


def fold_composed(run: RunState, record: ComposedRecord, following: State | None) -> None:
    """A step takes the results of its sub-runs over."""
    frame = run.frames.get(record.sub)
    if frame is None:
        raise FoldError("the sub-run of a step", "a live one", record.sub)
    if record.step != frame.index:
        raise FoldError("the step that takes results over", frame.index, record.step)
    if following is None and frame.task is not None:
        following = composed_state(frame)
        runs = open_runs(frame)
        assert runs.step is not None
        if record.kind != runs.step.name:
            raise FoldError(f"the kind of step {frame.address()}", runs.step.name, record.kind)
        found = hash_state(frame.task.state_codec.dump(following))
        if found != record.state_hash:
            raise FoldError(f"the state after step {frame.address()}", record.state_hash, found)
    elif frame.runs is not None and frame.runs.live:
        raise FoldError(f"the sub-runs of step {frame.address()}", "to be done", f"{len(frame.runs.live)} live")
    frame.state = following
    frame.state_hash = record.state_hash
    frame.index += 1
    frame.runs = None
    run.totals.steps += 1


def composed_state(frame: Frame) -> State:
    """The state that the results of a step's sub-runs lead to. Raises FoldError if one is not done, and TaskError."""
    runs = open_runs(frame)
    missing = [unit for unit in runs.units() if unit not in runs.results]
    if missing:
        raise FoldError(f"the sub-runs of step {frame.address()}", "to be done", f"{shown_unit(missing[0])} is not")
    assert runs.step is not None
    assert frame.state is not None
    return runs.step.update(frame.state, runs.locals, runs.values())


def with_most_samples(
    policies: Mapping[str, PolicyRecord], defaults: Mapping[str, PolicyRecord]
) -> dict[str, PolicyRecord]:
    """Policies with the limit on samples that the command line has set anew, if it has."""
    asked = defaults[MAIN_PROFILE].max_samples if MAIN_PROFILE in defaults else None
    if asked is None or asked.origin != "command line":
        return dict(policies)
    return {name: replace(policy, max_samples=asked) for name, policy in policies.items()}
