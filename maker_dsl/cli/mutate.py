"""The mutation check, for `maker test --mutate`: which corruptions of right replies get through."""

from __future__ import annotations

import time

from maker_dsl.cli.case_report import Case, Reporter
from maker_dsl.cli.live import percent
from maker_dsl.cli.output import count, say
from maker_dsl.diagnostics import Diagnostic
from maker_dsl.language import Checked, InputRefused, Program
from maker_dsl.mutation.cases import collect_cases
from maker_dsl.mutation.survey import Group, Survey, survey
from maker_dsl.mutation.texts import WHOLE_TEXT
from maker_dsl.task import Task
from maker_dsl.templates.notation import json_notation
from maker_dsl.testing import tests_of

LONGEST_SHOWN = 160


def mutate_file(file: str, checked: Checked, seed: int, at_least: float | None, reporter: Reporter) -> bool:
    """Survey the tasks of a file and report; whether enough is caught in each of them."""
    tests = tests_of(checked)
    enough = True
    for program in checked.programs:
        if program.source.name != checked.source.name:
            continue
        began_s = time.monotonic()
        own = [found.test for found in tests if found.program is program]
        collected = collect_cases(_by_default(program), own, seed)
        if collected.unallowed is not None:
            enough = False
            _tell_unallowed(file, program, collected.unallowed, reporter)
            continue
        found = survey(collected.cases, seed, time.monotonic, collected.notes)
        is_enough = not found.leaks if at_least is None else found.share_caught >= at_least
        if at_least is not None and not found.tried and program.checked.asking_steps:
            # A share of nothing: who asks for one wants to know that something was tried.
            is_enough = False
        enough = enough and is_enough
        text = "\n".join(_lines(file, program, found))
        if found.tried:
            reporter.text(text)
        reporter.json(_members(file, program, found, is_enough))
        line = program.source.position(program.place.start)
        reporter.add(
            Case(
                program.source.name,
                _name(program),
                line.line,
                line.column,
                time.monotonic() - began_s,
                failure=None if is_enough else text,
                skipped=None if found.tried else _nothing(found),
                details=None if found.leaks else text,
            )
        )
        if not found.tried:
            say(f"{file}: {_nothing(found)}")
    return enough


def _tell_unallowed(file: str, program: Program, unallowed: Diagnostic, reporter: Reporter) -> None:
    why = f"{unallowed.title}; {unallowed.help}"
    place = program.source.position(program.place.start)
    reporter.text(f"{file}, task {program.name}: {why}")
    reporter.json({"file": file, "task": program.name, "passed": False, "why": why})
    reporter.add(Case(program.source.name, _name(program), place.line, place.column, error=why))


def _name(program: Program) -> str:
    return f"{program.name}: corruptions are caught"


def _by_default(program: Program) -> Task | None:
    """The task over its default inputs; None where some have none."""
    if any(one.is_required for one in program.inputs):
        return None
    try:
        return program.bind()
    except InputRefused:
        return None


def _nothing(found: Survey) -> str:
    if found.from_tests + found.from_reference:
        return "nothing in the right replies could be corrupted"
    why = "; ".join(found.notes) or "write a test that says `accept`, or a `reference`"
    return f"there is no right reply to corrupt: {why}"


def _lines(file: str, program: Program, found: Survey) -> list[str]:
    lines = [
        f"{file}, task {program.name}: right replies of {count(found.from_tests, 'test')} and of "
        f"{count(found.from_reference, 'state')} on the reference's way; "
        f"{count(found.tried, 'corruption')}, {found.caught:,} caught ({percent(found.share_caught)})"
    ]
    for kind, (tried, caught) in sorted(found.by_kind().items()):
        lines.append(f"  {kind:<12} {caught:>6,} of {tried:>6,} caught ({percent(caught / tried)})")
    lines += [f"  note: {note}" for note in found.notes]
    for group in found.leaks:
        lines += _leak(group)
    if found.leaks:
        lines += _help(found)
    return lines


def _leak(group: Group) -> list[str]:
    example = group.example
    assert example is not None
    lines = [f"got through: {group.kind} in {_where(group)}: {group.passed:,} of {group.tried:,}"]
    if group.field == WHOLE_TEXT:
        lines.append(f"    the reply: {_shortened(json_notation(example.text))}")
    lines.append(f"    {_shortened(json_notation(example.right))} became {_shortened(json_notation(example.value))}")
    lines.append(f"    in {example.origin}")
    if example.is_harmless:
        lines.append("    it leads to the same state: it only splits the vote")
    else:
        lines.append(f"    it leads to {_shortened(json_notation(example.state))}")
    return lines


def _where(group: Group) -> str:
    place = group.field if group.field == WHOLE_TEXT else f"`{group.field}`"
    return f"{place} of step `{group.step}`"


def _help(found: Survey) -> list[str]:
    """What to write, by what got through."""
    lines = []
    harmful = [group for group in found.leaks if group.example is not None and not group.example.is_harmless]
    fields = list(dict.fromkeys(_field_name(group) for group in harmful))
    if fields:
        named = ", ".join(f"`reply.{field}`" for field in fields if field) or "the reply"
        lines.append(
            f"help: write a `rule` that says what must hold of {named}, or give it a narrower type; "
            "where nothing can tell right from wrong, only the vote stands between it and the state"
        )
    if len(harmful) < len(found.leaks):
        lines.append("help: what changes nothing in the state need not be voted on: `vote { on … }` names what counts")
    return lines


def _field_name(group: Group) -> str:
    """The member of `reply` that a group is about; empty for the text itself."""
    if group.field == WHOLE_TEXT:
        return ""
    return group.field.split(" and ")[0].split(".")[0].split("[")[0]


def _members(file: str, program: Program, found: Survey, is_enough: bool) -> dict[str, object]:
    return {
        "file": file,
        "task": program.name,
        "passed": is_enough,
        "replies": {"tests": found.from_tests, "reference": found.from_reference},
        "tried": found.tried,
        "caught": found.caught,
        "share": round(found.share_caught, 6),
        "kinds": {
            kind: {"tried": tried, "caught": caught} for kind, (tried, caught) in sorted(found.by_kind().items())
        },
        "caught_by": dict(found.caught_by.most_common()),
        "uncaught": [
            {
                "step": group.step,
                "kind": group.kind,
                "field": group.field,
                "tried": group.tried,
                "passed": group.passed,
                "origin": group.example.origin,
                "reply": group.example.text,
                "value": group.example.value,
                "right": group.example.right,
                "state": group.example.state,
                "same_state": group.example.is_harmless,
            }
            for group in found.leaks
            if group.example is not None
        ],
        "notes": found.notes,
    }


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"
