"""`maker validate --grammar NAME`: texts against a grammar alone, without a task."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from maker_dsl.bundled import reply_grammar_names, reply_grammar_path
from maker_dsl.cli.exits import ExitCode, Leave
from maker_dsl.cli.output import json_result, plain, result, say_diagnostics
from maker_dsl.cli.replies_given import given_lines, given_record, given_reply, line_name
from maker_dsl.cli.verdicts import flag_as_json, print_flag, say_verdicts
from maker_dsl.compiler.grammar_files import grammar_file_format
from maker_dsl.diagnostics import Problems, did_you_mean
from maker_dsl.judging import flag_of
from maker_dsl.language import FileProblem, read_source
from maker_dsl.task import Parsed, Refused, ReplyFormat


def validate_by_grammar(name: str, reply: str | None, jsonl: str | None, *, as_json: bool) -> ExitCode:
    """Hold one reply, or each line of `--jsonl`, against the grammar and print what comes."""
    reply_grammar = _load(name)
    if jsonl is not None:
        return _many(reply_grammar, jsonl)
    text = given_reply(reply)
    read = reply_grammar.read(text)
    if as_json:
        json_result(_as_json(read, text))
    elif isinstance(read, Refused):
        print_flag(flag_of(read), text)
    else:
        result("accept")
        for field, value in read.value.items():
            result(f"  value.{field} = {plain(value)}")
    return ExitCode.NOT_DONE if isinstance(read, Refused) else ExitCode.DONE


def _many(reply_grammar: ReplyFormat, path: str) -> ExitCode:
    rejected = total = 0
    for number, line in given_lines(path):
        text = given_record(line, line_name(path, number), {"reply": str})["reply"]
        read = reply_grammar.read(text)
        json_result({"record": number, **_as_json(read, text)})
        total += 1
        rejected += isinstance(read, Refused)
    say_verdicts(total, rejected)
    return ExitCode.NOT_DONE if rejected else ExitCode.DONE


def _as_json(read: Parsed | Refused, text: str) -> dict[str, Any]:
    if isinstance(read, Refused):
        return flag_as_json(flag_of(read), text)
    return {"verdict": "accept", "reason": None, "value": read.value, "state": None}


def _load(name: str) -> ReplyFormat:
    """A bundled grammar, or a file; leaves with 2 where it is wrong."""
    path = _path(name)
    if path is None:
        known = reply_grammar_names()
        hint = did_you_mean(name.removesuffix(".lark"), known, "the bundled ones are " + ", ".join(known))
        raise click.UsageError(f"--grammar {name}: there is no such grammar, bundled or file; {hint}")
    try:
        source = read_source(path)
    except FileProblem as error:
        raise click.UsageError(f"--grammar {name}: {error}") from error
    problems = Problems()
    reply_grammar = grammar_file_format(source, problems)
    if reply_grammar is None:
        say_diagnostics(problems)
        raise Leave(ExitCode.WRONG)
    return reply_grammar


def _path(name: str) -> Path | None:
    """What has a suffix is looked for as a file first, what has none as a bundled grammar."""
    file = Path(name) if Path(name).is_file() else None
    bundled = reply_grammar_path(name)
    return (file or bundled) if Path(name).suffix else (bundled or file)
