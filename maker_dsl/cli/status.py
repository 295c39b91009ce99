"""`maker status` and `maker runs`: where runs stand, read without disturbing them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import orjson

from maker_dsl.api import open_run
from maker_dsl.cli.exits import ExitCode
from maker_dsl.cli.loading import json_option
from maker_dsl.cli.output import count, json_result, result, say
from maker_dsl.cli.planned import odds_told, plan_told
from maker_dsl.cli.voters import tally_lines
from maker_dsl.cli.watching import cost_text, describe, duration
from maker_dsl.cli.wordings import wording_lines
from maker_dsl.cli.working import resume_line, runs_option
from maker_dsl.engine.encoding import RecordUnreadable
from maker_dsl.engine.inspection import read_status
from maker_dsl.engine.records import ConstraintRecord
from maker_dsl.engine.report import LiveFrame, Status, odds_members, plan_members
from maker_dsl.journal.disk import RealDisk
from maker_dsl.journal.errors import JournalError
from maker_dsl.journal.run_directory import RunDirectory, list_runs

MOST_FRAMES = 20
"""How many live sub-runs are told; `--json` has them all."""

MOST_VOTES = 3
LONGEST_KEY = 60
LONGEST_ADDRESS = 80


@click.command()
@click.argument("run", metavar="[RUN]", default="last")
@runs_option
@json_option
def status(run: str, runs: Path, as_json: bool) -> int:
    """Say where a run stands. RUN is an id, the beginning of one, or a path; without it, the newest."""
    directory = open_run(run, runs)
    found = read_status(directory)
    state, writer = _state(found, directory)
    if as_json:
        json_result(_as_json(found, state))
        return ExitCode.DONE
    progress = found.progress
    result(f"{progress.run}: {state}" + ("" if writer is None else f" (process {writer})"))
    if found.reason is not None:
        result(f"  {found.reason}")
    # How long a process has worked is known once it has ended, and not of one that was killed.
    worked = (
        "" if not progress.seconds and state in ("running", "killed") else f", {duration(progress.seconds)} of work"
    )
    result(f"  {progress.task} on {progress.provider}, started {found.started}{worked}")
    speed = progress.steps / progress.seconds if progress.seconds else 0.0
    result("  " + ", ".join(text for name, text in describe(progress, speed) if name not in ("left", "speed")))
    for name, number in sorted(progress.flags.items(), key=lambda item: -item[1]):
        result(f"  flagged {number:,} × {name}")
    for one in found.constraints:
        result(f"  {_constraint_line(one)}")
    for line in (
        *odds_told(found.odds),
        *plan_told(found.plan),
        *wording_lines(found.wordings),
        *tally_lines(found.voters),
    ):
        result(f"  {line}")
    _tell_live(found.live)
    if found.result_json is not None:
        result(f"  result: {found.result_json}")
    elif writer is None:
        result(f"  go on with: {resume_line(progress.run, found.status, found.reason, runs)}")
    return ExitCode.DONE


def _constraint_line(one: ConstraintRecord) -> str:
    where = f"profile `{one.profile}`: " if one.profile else ""
    if one.step is not None:
        return f"{where}replies of step `{one.step}` not constrained: {one.why}"
    if one.enforced:
        return f"{where}replies constrained ({one.dialect}): the server enforces grammars"
    return f"{where}replies not constrained ({one.dialect}): {one.why}"


def _tell_live(live: tuple[LiveFrame, ...]) -> None:
    """The votes of open steps; where sub-runs are live, the tree of them."""
    root = live[0]
    if root.sub_runs_done is None:
        if root.open_votes:
            result(f"  votes of step {root.address} so far:")
            for key, number in root.open_votes.items():
                result(f"    {count(number, 'vote')} for {key}")
        return
    # Those that merely stand above others say nothing that their addresses don't.
    told = [frame for frame in live if frame is root or frame.sub_runs_done != 0 or not frame.live_sub_runs]
    for frame in told[:MOST_FRAMES]:
        address = frame.address
        if len(address) > LONGEST_ADDRESS:
            address = f"{address[: LONGEST_ADDRESS // 2]}…{address[-LONGEST_ADDRESS // 2 :]}"
        result(f"  step {address} of {frame.task}: {_doing(frame)}")
    if len(told) > MOST_FRAMES:
        result(f"  and {len(told) - MOST_FRAMES:,} more")


def _doing(frame: LiveFrame) -> str:
    if frame.sub_runs_done is not None:
        return f"{count(frame.live_sub_runs, 'sub-run')} live, {frame.sub_runs_done:,} done"
    votes = [f"{number:,} for {_shortened(key)}" for key, number in frame.open_votes.items()]
    more = [f"{len(votes) - MOST_VOTES:,} more"] if len(votes) > MOST_VOTES else []
    return "votes " + ", ".join(votes[:MOST_VOTES] + more) if votes else "no votes yet"


def _shortened(key: str) -> str:
    return key if len(key) <= LONGEST_KEY else key[: LONGEST_KEY - 1] + "…"


@click.command()
@runs_option
@json_option
def runs(runs: Path, as_json: bool) -> int:
    """List the runs there are, oldest first."""
    listed = list_runs(runs, RealDisk())
    for directory in listed:
        try:
            found = read_status(directory)
        except (JournalError, RecordUnreadable) as error:
            if as_json:
                json_result({"run": directory.run_id, "error": str(error)})
            else:
                result(f"{directory.run_id}  can't be read: {error}")
            continue
        state, _ = _state(found, directory)
        if as_json:
            json_result(_as_json(found, state))
        else:
            progress = found.progress
            cost = cost_text(progress.cost_usd)
            result(f"{directory.run_id}  {state}, {count(progress.steps, 'step')}, {cost}")
    if not listed:
        say(f"there are no runs in {runs}")
    return ExitCode.DONE


def _state(found: Status, directory: RunDirectory) -> tuple[str, int | None]:
    """How the run stands, and which process is at work on it."""
    if found.status is not None:
        return found.status, None
    writer = directory.writer()
    return ("killed", None) if writer is None else ("running", writer)


def _as_json(found: Status, state: str) -> dict[str, Any]:
    progress = found.progress
    return {
        "run": progress.run,
        "task": progress.task,
        "provider": progress.provider,
        "status": state,
        "reason": found.reason,
        "started": found.started,
        "steps": progress.steps,
        "expected_steps": progress.expected_steps,
        "samples": progress.samples,
        "votes": progress.votes,
        "flags": dict(progress.flags),
        "retries": progress.retries,
        "tokens": {"input": progress.tokens.input, "output": progress.tokens.output},
        "cost_usd": progress.cost_usd,
        "seconds": round(progress.seconds, 3),
        "constraints": [asdict(one) for one in found.constraints],
        "wordings": [asdict(one) for one in found.wordings],
        "voters": [asdict(one) for one in found.voters],
        "plan": plan_members(found.plan),
        "odds": odds_members(found.odds),
        "open_votes": dict(found.open_votes),
        "live": [asdict(frame) for frame in found.live],
        "result": None if found.result_json is None else orjson.Fragment(found.result_json.encode()),
    }
