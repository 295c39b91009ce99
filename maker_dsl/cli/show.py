"""`maker show`: what a task sends, and what it takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import click
import orjson

from maker_dsl.cli.exits import ExitCode, Leave
from maker_dsl.cli.loading import (
    allow_option,
    bind_program,
    chosen_step,
    given_state,
    json_option,
    load_program,
    set_option,
    state_option,
    step_option,
    task_option,
)
from maker_dsl.cli.output import json_result, result
from maker_dsl.cli.prompts import show_prompt
from maker_dsl.task import TARGETS, Checkers, NotExpressible, Step, Target, Task
from maker_dsl.types.canonical import with_large_ints


@click.command()
@click.argument("file", metavar="FILE")
@click.argument("what", type=click.Choice(["prompt", "format", "schema", "grammar", "limits", "graph"]))
@task_option
@allow_option
@set_option
@state_option
@step_option
@click.option("--of", type=click.Choice(["reply", "state", "inputs", "result"]), help="Whose schema. [default: reply]")
@click.option("--target", type=click.Choice(TARGETS), help="Export the grammar. [default: as it is read, in Lark]")
@click.option("--variant", metavar="NAME", help="Which wording of the prompt. [default: the plain one]")
@click.option("--thought", metavar="TEXT|@FILE", help="Show what puts this thought into form.")
@click.option(
    "--format", "form", type=click.Choice(["mermaid", "svg"]), help="How to draw the graph. [default: mermaid]"
)
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write the graph to a file.")
@json_option
def show(
    file: str,
    what: str,
    task_name: str | None,
    allowed: Checkers | None,
    settings: tuple[str, ...],
    state_text: str | None,
    step_name: str | None,
    of: str | None,
    target: Target | None,
    variant: str | None,
    thought: str | None,
    form: Literal["mermaid", "svg"] | None,
    output: Path | None,
    as_json: bool,
) -> int:
    """Show a prompt, the reply format, a schema, a grammar, the limits or the graph of a task.

    FILE is the path of a .maker file or the name of a bundled task.
    """
    if of is not None and what != "schema":
        raise click.UsageError("--of goes with `schema` only.")
    if target is not None and what != "grammar":
        raise click.UsageError("--target goes with `grammar` only.")
    if what != "prompt" and (variant is not None or thought is not None):
        raise click.UsageError("--variant and --thought go with `prompt` only.")
    if what != "graph" and (form is not None or output is not None):
        raise click.UsageError("--format and --output go with `graph` only.")
    if as_json and (form is not None or output is not None):
        raise click.UsageError("--json prints the graph as data; --format and --output draw it.")
    program = load_program(file, allowed, task_name)
    if what == "graph":
        from maker_dsl.cli.drawing import show_graph

        return show_graph(program, settings, form, output, as_json)
    task = bind_program(program, settings)
    if what == "schema" and of in ("state", "inputs", "result"):
        codec = {"state": task.state_codec, "inputs": task.inputs_codec, "result": task.result_codec}[of]
        _print_json(codec.schema, as_json)
        return ExitCode.DONE
    if what == "limits":
        _show_limits(task, step_name, as_json)
        return ExitCode.DONE
    state = given_state(task, state_text)
    step = chosen_step(task, step_name, state)
    if what == "prompt":
        show_prompt(task, step, state, variant, thought, as_json)
    elif what == "format":
        if as_json:
            json_result({"step": step.name, "format": step.reply.instructions, "example": step.reply.example})
        else:
            result(f"{step.reply.instructions}\n\nExample:\n{step.reply.example}")
    elif what == "schema":
        _print_json(step.reply.schema, as_json)
    else:
        _show_grammar(step, target, as_json)
    return ExitCode.DONE


def _show_limits(task: Task, step_name: str | None, as_json: bool) -> None:
    """The limits of one step, or of all; they are measured by the engine, which nothing else here needs."""
    from maker_dsl.cli.measures import show_limits

    if not task.steps:
        tasks = " and ".join(f"`--task {outline.task}`" for outline in task.outlines if outline.steps)
        raise click.UsageError(f"No step of `{task.name}` asks a model; look at what does: {tasks}.")
    chosen = list(task.steps) if step_name is None else [chosen_step(task, step_name, task.initial_state)]
    show_limits(task, chosen, as_json)


def _show_grammar(step: Step, target: Target | None, as_json: bool) -> None:
    """The grammar that the reply is read by, or an export."""
    try:
        grammar = step.reply.grammar if target is None else step.reply.export(target)
    except NotExpressible as error:
        raise Leave(ExitCode.NOT_DONE, str(error)) from error
    if as_json:
        written = json.loads(grammar) if target == "json-schema" else grammar
        json_result({"step": step.name, "target": target or "lark", "grammar": written})
    else:
        result(grammar.rstrip("\n"))


def _print_json(value: object, one_line: bool) -> None:
    if one_line:
        json_result(value)
    else:
        result(orjson.dumps(with_large_ints(value), option=orjson.OPT_INDENT_2).decode())
