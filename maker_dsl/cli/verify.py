"""`maker verify`: replay a run's journal without a model."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from maker_dsl.api import load_kept_task, open_run
from maker_dsl.cli.exits import ExitCode
from maker_dsl.cli.loading import json_option
from maker_dsl.cli.output import count, json_result, result, say
from maker_dsl.cli.working import runs_option
from maker_dsl.engine.verification import verify_run


@click.command()
@click.argument("run", metavar="RUN", default="last")
@runs_option
@json_option
def verify(run: str, runs: Path, as_json: bool) -> int:
    """Replay a run's journal without a model: judgements, votes, states, hash chain. Exit code 1 at a mismatch."""
    found = verify_run(open_run(run, runs), load_kept_task)
    if as_json:
        mismatch = None if found.mismatch is None else str(found.mismatch)
        json_result({**asdict(found), "mismatch": mismatch, "verified": found.mismatch is None})
        return ExitCode.DONE if found.mismatch is None else ExitCode.NOT_DONE
    if found.mismatch is not None:
        result(f"{found.run}: MISMATCH at {found.mismatch}")
        return ExitCode.NOT_DONE
    steps, records = count(found.steps, "step"), count(found.records, "record")
    below = f", {count(found.sub_runs, 'sub-run')}" if found.sub_runs else ""
    replies = count(found.replies, "reply", "replies")
    result(f"{found.run}: verified: {steps}{below}, {records}, {replies} judged again")
    if found.unkept:
        say(f"  {count(found.unkept, 'reply', 'replies')} not kept by the run could not be judged again")
    if found.timed_out:
        say(f"  {count(found.timed_out, 'reply', 'replies')} that a checker had no time for taken at the run's word")
    if found.torn:
        say("  the journal ends in a record that was being written; `maker resume` cuts it off")
    if found.wrong_steps is not None:
        wrong = count(found.wrong_steps, "decision")
        first = "" if found.first_wrong_address is None else f", the first at step {found.first_wrong_address}"
        result(f"  against the task's reference: {wrong} differ{first}")
    result(f"  receipt: {found.receipt}")
    return ExitCode.DONE
