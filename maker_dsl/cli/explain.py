"""`maker explain`: a diagnostic's code, or a step of a run."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import click

from maker_dsl.api import load_kept_task, open_run
from maker_dsl.cli.exits import ExitCode
from maker_dsl.cli.loading import json_option
from maker_dsl.cli.output import count, json_result, result
from maker_dsl.cli.working import runs_option
from maker_dsl.diagnostics import did_you_mean, pages
from maker_dsl.engine.address import Address, parse_address
from maker_dsl.engine.sample_story import SampleStory
from maker_dsl.engine.story import RunsStory, StepMissing, StepStory, explain_step

LONGEST_VALUE = 300
MOST_SUB_RUNS = 20
"""How many sub-runs of a step are told; `--json` has them all."""


class _Step(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    name = "STEP"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Address:
        try:
            return parse_address(str(value))
        except ValueError:
            told = f"{value!r} is not a step such as 3, or 3/left/2 of a sub-run; steps count from 1."
            with suppress(ValueError):
                told = f"{value} is a sub-run: say which of its steps, such as {parse_address(f'{value}/1')}."
            self.fail(told, param, ctx)


_STEP = _Step()


@click.command()
@click.argument("what", metavar="MKnnn|RUN")
@click.argument("step", metavar="[STEP]", type=_STEP, required=False)
@runs_option
@json_option
def explain(what: str, step: Address | None, runs: Path, as_json: bool) -> int:
    """Explain a diagnostic's code, or a step of a run: its prompt, replies, flags and votes, or its sub-runs.

    Steps are counted from 1. Step 2 of the sub-run `left` of step 3 is 3/left/2; of the fourth of many, 3/rows.4/2.
    """
    if step is None:
        return _explain_code(what, as_json)
    try:
        story = explain_step(open_run(what, runs), load_kept_task, step)
    except StepMissing as missing:
        told = "there is no such sub-run" if missing.steps is None else f"{count(missing.steps, 'step')} decided"
        raise click.UsageError(f"The run {missing.run} has no step {step} yet: {told}.") from missing
    if as_json:
        json_result(asdict(story))
    elif isinstance(story, StepStory):
        _tell(story)
    else:
        _tell_runs(story)
    return ExitCode.DONE


def _explain_code(code: str, as_json: bool) -> ExitCode:
    page = pages.page(code)
    if page is None:
        if not re.fullmatch(r"(?i)mk\d+", code):
            raise click.UsageError(f"To explain a step of a run, say which: `maker explain {code} 1`.")
        known = pages.codes()
        raise click.UsageError(
            f"There is no diagnostic {code.upper()}; {did_you_mean(code.upper(), known, 'codes are such as MK201.')}"
        )
    if as_json:
        json_result(
            {"code": page.code, "title": page.title, "body": page.body, "wrong": page.wrong, "right": page.right}
        )
    else:
        result(page.text.rstrip("\n"))
    return ExitCode.DONE


def _tell(story: StepStory) -> None:
    result(f"# {story.run}, step {story.address} (`{story.kind}`)\n")
    result(f"State before: {story.state_json}\n")
    if story.prompt.system is not None:
        result(f"--- system\n{story.prompt.system}\n")
    for name, prompt in [(one.name, one.prompt) for one in story.wordings] or [("", story.prompt)]:
        wording = f", wording “{name}”" if name else ""
        profile = "" if story.profile is None else f", put to `{story.profile}`"
        result(f"--- prompt{wording}{profile}\n{prompt.user}\n")
    for sample in story.samples:
        _tell_sample(sample, story.form_profile)
    for failure in story.failures:
        result(f"--- a call failed: {failure.outcome}" + (f": {failure.message}" if failure.message else ""))
    result("--- ballot (votes counted in slot order)")
    for key, votes in story.votes:
        result(f"{votes:>4} for {key}")
    if story.value is None:
        result(f"\nNot decided: no key is ahead by {story.ahead_by}.")
    else:
        result(f"\nDecided, ahead by {story.ahead_by}: {story.value}\nState after: {story.next_state_json}")


def _tell_runs(story: RunsStory) -> None:
    result(f"# {story.run}, step {story.address} (`{story.kind}`)\n")
    result(f"State before: {story.state_json}\n")
    for sub_run in story.sub_runs[:MOST_SUB_RUNS]:
        result(f"--- {sub_run.address}: {sub_run.task} over {_shortened(sub_run.inputs_json)}")
        steps = count(sub_run.steps, "step")
        is_done = sub_run.result_json is not None
        result(f"{steps}, result {_shortened(sub_run.result_json or '')}" if is_done else f"{steps} so far")
    more = len(story.sub_runs) - MOST_SUB_RUNS
    if more > 0:
        result(f"--- and {count(more, 'more sub-run')}")
    if story.next_state_json is not None:
        result(f"\nState after: {story.next_state_json}")
    else:
        waiting = f"; {count(story.waiting, 'sub-run')} not begun" if story.waiting else ""
        result(f"\nNot done{waiting}.")


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"


def _tell_sample(sample: SampleStory, form_profile: str | None) -> None:
    again = "" if sample.resample == 0 else f", resample {sample.resample}"
    wording = "" if sample.wording is None else f", wording “{sample.wording}”"
    voter = "" if sample.voter is None else f", by `{sample.voter}`"
    place = f"slot {sample.slot + 1}{again}{voter}{wording}"
    if sample.flag is not None:
        verdict = f"FLAGGED {sample.flag.name}: {sample.flag.detail}"
    else:
        verdict = "a vote" if sample.counted else "a vote, not counted: the step was decided before its slot"
    thought = sample.thought
    if thought is not None:
        told = _measures(thought.temperature, thought.tokens, thought.finish)
        result(f"--- {place}, the thought{told}" + ("" if sample.is_formed else f": {verdict}"))
        result(f"{thought.text}\n")
        if not sample.is_formed:
            return
        by = "" if form_profile is None else f", by `{form_profile}`"
        place = f"slot {sample.slot + 1}{again}, its form{by}"
    result(f"--- {place}{_measures(sample.temperature, sample.tokens, sample.finish)}: {verdict}")
    result("(the text was not kept)" if sample.text is None else sample.text)
    result("")


def _measures(temperature: float | None, tokens: int, finish: str) -> str:
    warm = "" if temperature is None else f", temperature {temperature:g}"
    return f"{warm}, {count(tokens, 'token')}, {finish}"
