"""`maker validate`: one reply, or many, through the whole judgement, without a model."""

from __future__ import annotations

import re
from typing import Any, get_args

import click

from maker_dsl.cli.exits import ExitCode, Leave
from maker_dsl.cli.grammar_validation import validate_by_grammar
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
    task_option,
)
from maker_dsl.cli.output import json_result, plain, result, say_diagnostics
from maker_dsl.cli.replies_given import given_lines, given_record, given_reply, line_name
from maker_dsl.cli.verdicts import flag_as_json, print_flag, say_verdicts
from maker_dsl.judging import Flag, Verdict, judge
from maker_dsl.task import Checkers, Finish, RawReply, State, Step, Task, TaskError
from maker_dsl.tokens import estimate_tokens


class _Validate(click.Command):
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            if re.fullmatch(r"--?[a-z][a-z-]*", error.option_name):
                raise
            told = "A REPLY that begins with `-` goes to the end, after `--` (or into a file: @FILE)."
            raise click.UsageError(told, ctx) from error


@click.command(cls=_Validate)
@click.argument("file", required=False, metavar="[FILE]")
@click.argument("reply", required=False, metavar="[REPLY|@FILE|-]")
@click.option(
    "--jsonl",
    is_flag=False,
    flag_value="-",
    metavar="[PATH|-]",
    help="Judge many, a JSON string or object on each line of a file. [default: standard input]",
)
@click.option(
    "--grammar", metavar="NAME|FILE.lark", help="Hold the text against a grammar alone, a bundled one or a file."
)
@task_option
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
    task_name: str | None,
    settings: tuple[str, ...],
    state_text: str | None,
    step_name: str | None,
    tokens: int | None,
    finish: Finish | None,
    allowed: Checkers | None,
    as_json: bool,
) -> int:
    """Put one reply through the whole judgement: verdict, reason, position, value, new state.

    FILE is the path of a .maker file or the name of a bundled task; with --grammar there is none. A REPLY of
    `@FILE` is read from a file, one of `-` from standard input. Exit code 0 for accept, 1 for reject.
    """
    if grammar is not None:
        given = task_name or settings or state_text or step_name or tokens is not None or finish
        if given or reply is not None or (file is not None and jsonl is not None):
            raise click.UsageError("--grammar stands alone: it takes one REPLY or --jsonl, and no task.")
        return validate_by_grammar(grammar, file, jsonl, as_json=as_json)
    if file is None:
        raise click.UsageError("Missing FILE, the task whose reply this is (or --grammar NAME).")
    task = bind_program(load_program(file, allowed, task_name), settings)
    state = given_state(task, state_text)
    if jsonl is not None:
        if reply is not None and (jsonl != "-" or reply != "-"):
            raise click.UsageError("Give either REPLY or --jsonl PATH.")
        return _many(task, state, step_name, tokens, finish, jsonl)
    text = given_reply(reply)
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
    for number, line in given_lines(path):
        where = line_name(path, number)
        record = given_record(line, where)
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
    say_verdicts(total, rejected)
    return ExitCode.NOT_DONE if rejected else ExitCode.DONE


def _print(verdict: Verdict, text: str) -> None:
    if isinstance(verdict, Flag):
        print_flag(verdict, text)
        return
    result("accept")
    for title, values in (("value", verdict.value), ("state", verdict.state)):
        for name, value in values.items():
            result(f"  {title}.{name} = {plain(value)}")


def _as_json(verdict: Verdict, text: str) -> dict[str, Any]:
    if isinstance(verdict, Flag):
        return flag_as_json(verdict, text)
    return {
        "verdict": "accept",
        "reason": None,
        "value": verdict.value,
        "state": verdict.state,
        "key": verdict.key,
    }
