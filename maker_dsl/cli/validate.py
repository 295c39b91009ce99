"""`maker validate`: one reply, or many, through the whole judgement, without a model."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO, get_args

import click

from maker_dsl.cli.exits import ExitCode, Leave
from maker_dsl.cli.loading import (
    allow_option,
    bind_program,
    chosen_step,
    complete_state,
    given_state,
    json_option,
    load_program,
    set_option,
    state_option,
    step_option,
)
from maker_dsl.cli.output import json_result, plain, result, say, say_diagnostics
from maker_dsl.diagnostics import Problems, Source, Span
from maker_dsl.judging import Flag, Verdict, judge
from maker_dsl.plugins.allowed import AllowedCheckers
from maker_dsl.replies.checks import check_notation
from maker_dsl.replies.format import reply_format
from maker_dsl.replies.notation import LarkGrammar, Place
from maker_dsl.task import Finish, RawReply, Refused, ReplyFormat, State, Step, Task, TaskError
from maker_dsl.tokens import estimate_tokens
from maker_dsl.types.errors import ValueRefused
from maker_dsl.types.json_text import read_json
from maker_dsl.types.type import RecordType


@click.command()
@click.argument("file", required=False, metavar="[FILE]")
@click.argument("reply", required=False, metavar="[REPLY|-]")
@click.option(
    "--jsonl",
    is_flag=False,
    flag_value="-",
    metavar="[PATH|-]",
    help="Judge many, a JSON string or object on each line of a file. [default: standard input]",
)
@click.option("--grammar", metavar="FILE.lark", help="Hold the text against a Lark grammar alone, without a task.")
@set_option
@state_option
@step_option
@click.option("--tokens", type=click.IntRange(min=0), help="The reply's tokens. [default: estimated]")
@click.option("--finish", type=click.Choice(get_args(Finish)), help="Why the reply ended. [default: stop]")
@allow_option
@json_option
def validate(
    file: str | None,
    reply: str | None,
    jsonl: str | None,
    grammar: str | None,
    settings: tuple[str, ...],
    state_text: str | None,
    step_name: str | None,
    tokens: int | None,
    finish: Finish | None,
    allowed: AllowedCheckers,
    as_json: bool,
) -> int:
    """Put one reply through the whole judgement: verdict, reason, position, value, new state.

    FILE is the path of a .maker file or the name of a bundled task; with --grammar there is none. A REPLY of `-` is
    read from standard input. Exit code 0 for accept, 1 for reject.
    """
    if grammar is not None:
        given = settings or state_text or step_name or tokens is not None or finish
        if given or reply is not None:
            raise click.UsageError("--grammar stands alone: it takes a text or --jsonl, and no task.")
        return _with_grammar(grammar, file, jsonl, as_json)
    if file is None:
        raise click.UsageError("Missing FILE, the task whose reply this is (or --grammar FILE.lark).")
    task = bind_program(load_program(file, allowed), settings)
    state = given_state(task, state_text)
    if jsonl is not None:
        if reply is not None and (jsonl != "-" or reply != "-"):
            raise click.UsageError("Give either REPLY or --jsonl PATH.")
        return _many(task, state, step_name, tokens, finish, jsonl)
    text = _text(reply)
    step = chosen_step(task, step_name, state)
    verdict = _judge(task, step, state, text, tokens, finish)
    if as_json:
        json_result(_as_json(verdict, text))
    else:
        _print(verdict, text)
    return ExitCode.NOT_DONE if isinstance(verdict, Flag) else ExitCode.DONE


def _judge(task: Task, step: Step, state: State, text: str, tokens: int | None, finish: Finish | None) -> Verdict:
    raw = RawReply(text, estimate_tokens(text) if tokens is None else tokens, finish or "stop")
    try:
        return judge(task, step, state, step.state_locals(state), raw)
    except TaskError as error:
        say_diagnostics([error.diagnostic])
        raise Leave(ExitCode.WRONG) from error


def _many(
    task: Task, state: State, step_name: str | None, tokens: int | None, finish: Finish | None, path: str
) -> ExitCode:
    rejected = total = 0
    for number, line in _lines(path):
        where = f"{'standard input' if path == '-' else path}, line {number}"
        record = _record(line, where)
        line_state = complete_state(task, record["state"], where, line) if "state" in record else state
        try:
            step = chosen_step(task, record.get("step", step_name), line_state)
        except click.UsageError as error:
            raise Leave(ExitCode.USAGE, f"{where}: {error.message}") from error
        verdict = _judge(
            task, step, line_state, record["reply"], record.get("tokens", tokens), record.get("finish", finish)
        )
        json_result({"record": number, **_as_json(verdict, record["reply"])})
        total += 1
        rejected += isinstance(verdict, Flag)
    say(f"{total - rejected:,} accepted, {rejected:,} rejected")
    return ExitCode.NOT_DONE if rejected else ExitCode.DONE


_RECORD_KEYS: dict[str, type] = {"reply": str, "state": dict, "step": str, "tokens": int, "finish": str}


def _record(line: str, where: str) -> dict[str, Any]:
    """A line as an object with `reply`; leaves with 3 where it is something else."""
    try:
        value = read_json(line)
    except ValueRefused as error:
        raise Leave(ExitCode.USAGE, f"{where}: {error}") from error
    record = {"reply": value} if isinstance(value, str) else value
    if not isinstance(record, dict) or "reply" not in record:
        raise Leave(ExitCode.USAGE, f"{where}: expected a JSON string (the reply) or an object with `reply`")
    for key, one in record.items():
        if key not in _RECORD_KEYS:
            raise Leave(ExitCode.USAGE, f"{where}: unknown key `{key}`; there are: {', '.join(_RECORD_KEYS)}")
        if not isinstance(one, _RECORD_KEYS[key]) or isinstance(one, bool):
            raise Leave(ExitCode.USAGE, f"{where}: `{key}` must be a JSON {_JSON_NAMES[_RECORD_KEYS[key]]}")
    if "finish" in record and record["finish"] not in get_args(Finish):
        raise Leave(ExitCode.USAGE, f"{where}: `finish` is one of {', '.join(get_args(Finish))}")
    return record


_JSON_NAMES = {str: "string", dict: "object", int: "integer"}


def _with_grammar(path: str, reply: str | None, jsonl: str | None, as_json: bool) -> ExitCode:
    reply_grammar = _read_grammar(path)
    if jsonl is None:
        text = _text(reply)
        report = _grammar_report(reply_grammar, text)
        if as_json:
            json_result(report)
        elif report["verdict"] == "accept":
            result("accept")
        else:
            result(f"reject: {report['reason']}{_place(report)}")
        return ExitCode.DONE if report["verdict"] == "accept" else ExitCode.NOT_DONE
    rejected = 0
    for number, line in _lines(jsonl):
        report = _grammar_report(reply_grammar, _record(line, f"{jsonl}, line {number}")["reply"])
        rejected += report["verdict"] == "reject"
        json_result({"record": number, **report})
    return ExitCode.NOT_DONE if rejected else ExitCode.DONE


def _read_grammar(path: str) -> ReplyFormat:
    """A grammar file as the format of a reply without fields; leaves with 2 where it is wrong."""
    try:
        source = Source(path, Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"--grammar {path}: the file can't be read: {error}") from error
    notation, place = LarkGrammar(source.text, RecordType(())), Place("whole")
    problems = Problems()
    for problem in check_notation(notation, place):
        start = 0 if problem.line is None else source.offset(problem.line, 1)
        end = len(source.text) if problem.line is None else start + len(source.line(problem.line))
        problems.add(problem.code, problem.title, Span(source, start, end), problem.label, help=problem.help)
    if problems.has_errors:
        say_diagnostics(problems)
        raise Leave(ExitCode.WRONG)
    return reply_format(notation, place)


def _grammar_report(reply_grammar: ReplyFormat, text: str) -> dict[str, Any]:
    read = reply_grammar.read(text)
    if not isinstance(read, Refused):
        return {"verdict": "accept", "reason": None}
    return {"verdict": "reject", "reason": read.message, **_position(text, read.offset)}


def _position(text: str, offset: int | None) -> dict[str, int]:
    if offset is None:
        return {}
    position = Source("reply", text).position(offset)
    return {"line": position.line, "column": position.column}


def _place(report: dict[str, Any]) -> str:
    return f" (line {report['line']}, column {report['column']})" if "line" in report else ""


def _text(reply: str | None) -> str:
    if reply is None and sys.stdin.isatty():
        raise click.UsageError("Missing REPLY (or `-` to read it from standard input).")
    if reply in (None, "-"):
        return sys.stdin.buffer.read().decode("utf-8", "replace")
    # As it was typed, whatever the locale made of it.
    return os.fsencode(str(reply)).decode("utf-8", "replace")


def _lines(path: str) -> Iterator[tuple[int, str]]:
    if path == "-":
        yield from _numbered(sys.stdin)
        return
    try:
        with Path(path).open(encoding="utf-8") as file:
            yield from _numbered(file)
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"--jsonl {path}: the file can't be read: {error}") from error


def _numbered(file: TextIO) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(file, 1):
        if line.strip():
            yield number, line


def _as_json(verdict: Verdict, text: str) -> dict[str, Any]:
    if isinstance(verdict, Flag):
        return {
            "verdict": "reject",
            "reason": verdict.name,
            "detail": verdict.detail,
            "stage": verdict.stage,
            "value": None,
            "state": None,
            **_position(text, verdict.offset),
        }
    return {
        "verdict": "accept",
        "reason": None,
        "value": verdict.value,
        "state": verdict.state,
        "key": verdict.key,
    }


def _print(verdict: Verdict, text: str) -> None:
    if isinstance(verdict, Flag):
        report = _as_json(verdict, text)
        result(f"reject: {verdict.name}\n  {verdict.detail}{_place(report)}")
        return
    result("accept")
    for title, values in (("value", verdict.value), ("state", verdict.state)):
        for name, value in values.items():
            result(f"  {title}.{name} = {plain(value)}")
