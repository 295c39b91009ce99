"""Live tests, for `maker test --provider`: the tests' states go to models, and how often these are right is shown."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from maker_dsl.choosing import ProviderChoice
from maker_dsl.cli.case_report import Case, Reporter
from maker_dsl.cli.exits import ExitCode
from maker_dsl.cli.output import count, say
from maker_dsl.cli.watching import cost_text, duration
from maker_dsl.engine.exam_paper import Marks
from maker_dsl.engine.examination import Examination, Examiner, examination_budget
from maker_dsl.engine.settings import RunOptions
from maker_dsl.engine.start import ProviderSetup
from maker_dsl.providers.clock import SystemClock
from maker_dsl.providers.port import PermanentError
from maker_dsl.task import Task
from maker_dsl.testing import FileTest

REJECTS = "it describes a bad reply (`reject`), so there is nothing to ask a model"
LONGEST_REPLY = 400


@dataclass(frozen=True, slots=True)
class LiveTest:
    """A test to put to models, and its file as the user named it."""

    file: str
    found: FileTest


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """What the command line asks of live tests."""

    samples: int
    at_least: float | None
    max_cost_usd: float | None
    seed: int | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A provider as the user named it."""

    name: str
    choice: ProviderChoice

    @property
    def is_simulated(self) -> bool:
        """Whether it answers from the task's reference."""
        return self.choice.profile.provider == "simulated"


def choose(names: Sequence[str], overrides: Sequence[str]) -> list[Candidate]:
    """The providers with their profiles, checked; raises ProfileRefused."""
    candidates = [Candidate(name, ProviderChoice(name, overrides)) for name in names]
    if not all([candidate.is_simulated for candidate in candidates]):  # noqa: C419 - every profile is to be checked
        say("loading LiteLLM …")
    return candidates


def examine_live(
    tests: Sequence[LiveTest], candidates: Sequence[Candidate], options: LiveOptions, reporter: Reporter
) -> ExitCode:
    """Put the tests to every provider in turn and report; all of them have to be usable before the first call."""
    setups = [_setups(candidate, tests, options.seed) for candidate in candidates]
    examiners: list[Examiner] = []
    code = ExitCode.DONE
    try:
        asyncio.run(_examine(tests, setups, options, examiners))
    except KeyboardInterrupt:
        say("interrupted: this is what had been drawn")
        code = ExitCode.INTERRUPTED
    examinations = [examiner.so_far() for examiner in examiners]
    rows = [[examination.marks[number] for examination in examinations] for number in range(len(tests))]
    for test, row in zip(tests, rows, strict=True):
        for candidate, examination, marks in zip(candidates, examinations, row, strict=True):
            why = _why_failed(marks, options.at_least)
            if why is not None:
                code = code or ExitCode.NOT_DONE
            _report(test, candidate, examination, marks, why, reporter)
    for line in _table(tests, candidates, rows):
        reporter.text(line)
    for candidate, examination in zip(candidates, examinations, strict=True):
        _tell_provider(candidate, examination, options, reporter)
        if isinstance(examination.error, PermanentError):
            code = ExitCode.WRONG
        elif examination.error is not None or examination.limit is not None:
            code = code or ExitCode.NOT_DONE
    return code


def _setups(candidate: Candidate, tests: Sequence[LiveTest], seed: int | None) -> list[ProviderSetup]:
    """A setup for each test: a real model needs but one, the simulated model one for each task that it answers from."""
    made: dict[int, ProviderSetup] = {}
    setups = []
    for test in tests:
        task: Task = test.found.test.task
        key = id(task) if candidate.is_simulated else 0
        if key not in made:
            made[key] = candidate.choice.open_alone(task, seed)
        setups.append(made[key])
    return setups


async def _examine(
    tests: Sequence[LiveTest],
    setups: Sequence[Sequence[ProviderSetup]],
    options: LiveOptions,
    examiners: list[Examiner],
) -> None:
    """Make an examiner for each provider, then let them examine one after the other."""
    asked = RunOptions(max_cost_usd=options.max_cost_usd, seed=options.seed)
    budget = examination_budget(options.max_cost_usd)
    own = [test.found.test for test in tests]
    random = Random(options.seed)
    examiners += [Examiner(own, each, options.samples, asked, budget, SystemClock(), random) for each in setups]
    for examiner in examiners:
        await examiner.examine()


def _why_failed(marks: Marks, at_least: float | None) -> str | None:
    """Why a test counts as failed; None if it doesn't."""
    if not marks.drawn:
        return "no sample was drawn"
    if marks.right == 0:
        return f"no sample was right: {_wrong(marks)}"
    if at_least is not None and (marks.rate or 0.0) < at_least:
        return f"{rate_text(marks)} right is less than {percent(at_least)}: {_wrong(marks)}"
    return None


def _report(
    test: LiveTest, candidate: Candidate, examination: Examination, marks: Marks, why: str | None, reporter: Reporter
) -> None:
    found = test.found
    first = "" if marks.first_wrong is None else f"\nthe first wrong reply:\n{_shortened(marks.first_wrong)}"
    reporter.add(
        Case(
            found.program.source.name,
            f"{found.name} [{candidate.name}]",
            found.place.line,
            found.place.column,
            examination.seconds / max(1, len(examination.marks)),
            failure=None if why is None else why + first,
            details=f"{rate_text(marks)} right, 95 % interval {interval_text(marks)}",
        )
    )
    reporter.json(
        {
            "file": test.file,
            "test": found.name,
            "provider": candidate.name,
            "passed": why is None,
            "why": why or "",
            "asked": marks.asked,
            "drawn": marks.drawn,
            "right": marks.right,
            "rate": None if marks.rate is None else round(marks.rate, 6),
            "interval": [round(marks.interval.low, 6), round(marks.interval.high, 6)],
            "flags": dict(marks.flags.most_common()),
            "unmet": dict(marks.unmet.most_common()),
            "first_wrong": marks.first_wrong,
        }
    )
    if why is not None:
        reporter.text(f"FAILED {test.file}: {found.name} [{candidate.name}]\n    {why}")


def _table(tests: Sequence[LiveTest], candidates: Sequence[Candidate], rows: Sequence[Sequence[Marks]]) -> list[str]:
    """Tests down, providers across: right of drawn, the rate, its interval."""
    table = [["right of drawn, 95 % interval", *(candidate.name for candidate in candidates)]]
    several = len({test.file for test in tests}) > 1
    for test, row in zip(tests, rows, strict=True):
        name = f"{test.file}: {test.found.name}" if several else test.found.name
        table.append([name, *(f"{rate_text(marks)} ({interval_text(marks)})" for marks in row)])
    widths = [max(len(line[column]) for line in table) for column in range(len(table[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in table]


def _tell_provider(candidate: Candidate, examination: Examination, options: LiveOptions, reporter: Reporter) -> None:
    spending = examination.spending
    stopped = examination.error or examination.limit
    flags: dict[str, int] = {}
    for marks in examination.marks:
        for name, number in [*marks.flags.items(), *((f"then {text}", n) for text, n in marks.unmet.items())]:
            flags[name] = flags.get(name, 0) + number
    reporter.json(
        {
            "provider": candidate.name,
            "calls": spending.calls,
            "retries": spending.retries,
            "failed_calls": dict(spending.failed),
            "tokens": {"input": spending.input_tokens, "output": spending.output_tokens},
            "cost_usd": None if spending.cost_usd is None else round(spending.cost_usd, 9),
            "uncosted_calls": spending.uncosted,
            "seconds": round(examination.seconds, 3),
            "stopped": None if stopped is None else str(stopped),
        }
    )
    for note in examination.notes:
        say(note)
    cost = cost_text(spending.cost_usd, options.max_cost_usd)
    if spending.cost_usd is not None and spending.uncosted:
        cost += f" and {count(spending.uncosted, 'call')} of unknown cost"
    kind = " (simulated: a rehearsal, no model is asked)" if candidate.is_simulated else ""
    say(
        f"{candidate.name}{kind}: {count(spending.calls, 'call')}, "
        f"{count(spending.retries, 'retry', 'retries')}, {spending.input_tokens:,} tokens in, "
        f"{spending.output_tokens:,} out, {cost}, "
        f"{duration(examination.seconds)}"
    )
    for name, number in sorted(flags.items(), key=lambda item: -item[1]):
        say(f"  wrong {number:,} × {name}")
    for name, number in spending.failed.most_common():
        say(f"  failed {number:,} × {name}")
    if stopped is not None:
        help = getattr(stopped, "help", None)
        say(f"  stopped: {stopped}" + (f"; {help}" if help else ""))


def rate_text(marks: Marks) -> str:
    """`19/20`, with the share."""
    if marks.rate is None:
        return f"0/0 of {marks.asked:,} asked"
    short = "" if marks.drawn == marks.asked else f" of {marks.asked:,} asked"
    return f"{marks.right:,}/{marks.drawn:,}{short} {percent(marks.rate)}"


def interval_text(marks: Marks) -> str:
    """`84–100 %`."""
    return f"{percent(marks.interval.low).removesuffix(' %')}–{percent(marks.interval.high)}"


def percent(share: float) -> str:
    """`85 %`, `99.7 %`; never rounded up to all or down to none."""
    shown = f"{100 * share:.1f}".removesuffix(".0")
    if share < 1 and shown == "100":
        shown = "99.9"
    if share > 0 and shown == "0":
        shown = "0.1"
    return f"{shown} %"


def _wrong(marks: Marks) -> str:
    named = [f"{number:,} × {name}" for name, number in marks.flags.most_common()]
    named += [f"{number:,} × `then {text}` does not hold" for text, number in marks.unmet.most_common()]
    return ", ".join(named)


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_REPLY else text[:LONGEST_REPLY] + "…"
