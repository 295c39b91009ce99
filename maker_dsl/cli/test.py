"""`maker test`: the tests in task files, with the replies that they give, put to models, or corrupted."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, get_args

import click

from maker_dsl.cli.case_report import Case, Form, Reporter
from maker_dsl.cli.exits import ExitCode
from maker_dsl.cli.limits import MOST, usd_type
from maker_dsl.cli.live import REJECTS, LiveOptions, LiveTest, choose, examine_live
from maker_dsl.cli.loading import allow_option, check_file, json_option
from maker_dsl.cli.mutate import mutate_file
from maker_dsl.cli.output import count, say, say_diagnostics
from maker_dsl.diagnostics import Severity
from maker_dsl.language import Checked
from maker_dsl.task import Checkers
from maker_dsl.testing import FileTest, failure_text, run_test, tests_of


class _Share(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    name = "RATE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            share = float(value)
        except ValueError:
            share = -1.0
        if not 0 <= share <= 1:
            self.fail(f"{value!r} is not a share between 0 and 1 such as 0.95.", param, ctx)
        return share


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option("--provider", "providers", multiple=True, metavar="NAME|PATH", help="Ask a model (repeatable).")
@click.option("--override", "overrides", multiple=True, metavar="KEY=VALUE", help="Change a key of the profiles.")
@click.option("--repeat", type=click.IntRange(1, 1_000_000), metavar="N", help="Samples of each model. [default: 1]")
@click.option("--max-cost", type=usd_type, metavar="USD", help="Never spend more than this in all.")
@click.option("--mutate", is_flag=True, help="Make mistakes in right replies, and list those that nothing catches.")
@click.option(
    "--at-least", type=_Share(), metavar="RATE", help="Fail below this share: of right samples, of caught mistakes."
)
@click.option(
    "--seed",
    type=click.IntRange(-MOST, MOST),
    metavar="N",
    help="The seed. [default: the profile's, else 0]",
)
@click.option("--format", "form", type=click.Choice(get_args(Form)), help="How to report. [default: text]")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Where the report goes; the text is printed too.",
)
@allow_option
@json_option
def test(
    files: tuple[str, ...],
    providers: tuple[str, ...],
    overrides: tuple[str, ...],
    repeat: int | None,
    max_cost: float | None,
    mutate: bool,
    at_least: float | None,
    seed: int | None,
    form: Form | None,
    output: Path | None,
    allowed: Checkers | None,
    as_json: bool,
) -> int:
    """Run the tests in task files. Exit code 1 if one fails.

    With --provider the states of the tests are put to models and their replies judged; with --mutate right replies are
    corrupted, to see what gets through.
    """
    _require_sense(providers, overrides, repeat, max_cost, mutate, at_least, seed)
    chosen = _chosen_form(form, as_json, output)
    with Reporter(chosen, output) as reporter:
        candidates = choose(providers, overrides)
        checked = [(file, check_file(file, allowed)) for file in files]
        code = ExitCode.DONE
        for file, one in checked:
            if one.program is None:
                _tell_wrong(file, one, reporter)
                code = ExitCode.WRONG
        sound = [(file, one) for file, one in checked if one.program is not None]
        if mutate:
            enough = [mutate_file(file, one, seed or 0, at_least, reporter) for file, one in sound]
            code = code or (ExitCode.DONE if all(enough) else ExitCode.NOT_DONE)
        elif not candidates:
            found = _offline(sound, reporter)
            code = code or found
        elif code is ExitCode.DONE:
            options = LiveOptions(repeat or 1, at_least, max_cost, seed)
            live = _live_tests(sound, reporter)
            if live is None:
                code = ExitCode.NOT_DONE
            elif live:
                code = examine_live(live, candidates, options, reporter)
        reporter.finish()
    return code


def _require_sense(
    providers: tuple[str, ...],
    overrides: tuple[str, ...],
    repeat: int | None,
    max_cost: float | None,
    mutate: bool,
    at_least: float | None,
    seed: int | None,
) -> None:
    """Refuse options that would do nothing."""
    if mutate and providers:
        raise click.UsageError("--mutate asks no model: give either --mutate or --provider.")
    if len(set(providers)) < len(providers):
        raise click.UsageError("--provider names the same profile twice.")
    if not providers:
        if repeat is not None:
            raise click.UsageError(
                "--repeat needs --provider NAME: the reply that a test gives is judged the same every time."
            )
        for option, value in (("--override", overrides or None), ("--max-cost", max_cost)):
            if value is not None:
                raise click.UsageError(f"{option} needs --provider NAME: without one no model is asked.")
        for option, number in (("--at-least", at_least), ("--seed", seed)):
            if number is not None and not mutate:
                raise click.UsageError(f"{option} needs --provider NAME or --mutate.")


def _chosen_form(form: Form | None, as_json: bool, output: Path | None) -> Form:
    if as_json and form not in (None, "json"):
        raise click.UsageError(f"--json and --format {form} contradict each other.")
    chosen: Form = "json" if as_json else form or "text"
    if output is not None and chosen == "text":
        raise click.UsageError("--output takes a report: add --format junit, json or github.")
    return chosen


def _tell_wrong(file: str, checked: Checked, reporter: Reporter) -> None:
    """A file with errors: what is wrong goes where diagnostics always go, and into the report."""
    errors = [one for one in checked.diagnostics if one.severity is Severity.ERROR]
    say_diagnostics(errors)
    for one in errors:
        span = one.primary.span
        place = span.source.position(span.start)
        said = f"{one.code}: {one.title}" + (f"\nhelp: {one.help}" if one.help else "")
        reporter.add(Case(span.source.name, one.code, place.line, place.column, error=said))


def _offline(sound: list[tuple[str, Checked]], reporter: Reporter) -> ExitCode:
    """Judge the replies that the tests give."""
    passed = failed = 0
    for file, checked in sound:
        tests = tests_of(checked)
        for found in tests:
            is_right = _run(file, found, reporter)
            passed, failed = passed + is_right, failed + (not is_right)
        if not tests:
            say(f"{file}: there are no tests in it")
    if sound:
        say(f"{count(passed, 'test')} passed" + (f", {failed:,} failed" if failed else ""))
    return ExitCode.NOT_DONE if failed else ExitCode.DONE


def _run(file: str, found: FileTest, reporter: Reporter) -> bool:
    began_s = time.perf_counter()
    outcome = run_test(found.test)
    seconds = time.perf_counter() - began_s
    why = None if outcome.passed else outcome.why
    path = found.program.source.name
    reporter.add(Case(path, found.name, found.place.line, found.place.column, seconds, failure=why))
    reporter.json({"file": file, "test": found.name, "passed": outcome.passed, "why": outcome.why})
    if why is not None:
        reporter.text(failure_text(file, found.name, why))
    return outcome.passed


def _live_tests(sound: list[tuple[str, Checked]], reporter: Reporter) -> list[LiveTest] | None:
    """The tests to put to models; None where one fails with the reply that it gives, so that nothing is spent on it."""
    tests = [(file, found) for file, checked in sound for found in tests_of(checked)]
    failed = [(file, found) for file, found in tests if not run_test(found.test).passed]
    if failed:
        for file, found in failed:
            _run(file, found, reporter)
        say(f"{count(len(failed), 'test')} failed with the reply that the file gives: no model was asked")
        return None
    live = []
    for file, found in tests:
        if found.test.verdict == "accept":
            live.append(LiveTest(file, found))
        else:
            path = found.program.source.name
            reporter.add(Case(path, found.name, found.place.line, found.place.column, skipped=REJECTS))
    skipped = len(tests) - len(live)
    if skipped:
        say(f"{count(skipped, 'test')} not asked: a `reject` describes a bad reply, there is nothing to ask a model")
    if not live:
        say("there is no test that says `accept`, so no model was asked")
    return live
