"""`maker show FILE graph`: a task's steps and the ways between them, drawn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import click

from maker_dsl.cli.exits import ExitCode, Leave
from maker_dsl.cli.loading import bind_program
from maker_dsl.cli.output import json_result, result, say
from maker_dsl.compiler.program import Program
from maker_dsl.graph.drawing import draw
from maker_dsl.graph.mermaid import mermaid
from maker_dsl.graph.model import Graph
from maker_dsl.graph.svg import svg

_OTHER_PICTURES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp", ".pdf", ".ps", ".eps", ".dot", ".gv"})


def show_graph(
    program: Program,
    settings: Sequence[str],
    form: Literal["mermaid", "svg"] | None,
    output: Path | None,
    as_json: bool,
) -> int:
    """Print the graph, or write it to a file, whose name may say in which form."""
    if output is not None and form is None and output.suffix.lower() in _OTHER_PICTURES:
        raise click.UsageError(f"--output {output}: the graph is drawn as Mermaid or SVG; name the file with `.svg`.")
    missing = [one.name for one in program.inputs if one.is_required] if not settings else []
    if missing:
        listed = " and ".join(f"`--set {name}=…`" for name in missing)
        say(f"without {listed} nothing is rehearsed: the graph shows what is possible, and what the tests do")
    graph = draw(program, None if missing else bind_program(program, settings))
    if as_json:
        json_result(_data(graph))
        return ExitCode.DONE
    is_svg = form == "svg" or (form is None and output is not None and output.suffix.lower() == ".svg")
    text = svg(graph) if is_svg else mermaid(graph)
    if output is None:
        result(text.rstrip("\n"))
        return ExitCode.DONE
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Leave(ExitCode.NOT_DONE, f"{output} can't be written: {error.strerror}") from error
    say(f"{output}: written")
    return ExitCode.DONE


def _data(graph: Graph) -> object:
    return {
        "tasks": [
            {
                "task": task.name,
                "nodes": [
                    {"name": node.name, "kind": node.kind, "lines": node.lines, "runs": node.runs}
                    for node in task.nodes
                ],
                "edges": [{"from": edge.source, "to": edge.target, "seen": edge.seen} for edge in task.edges],
            }
            for task in graph.tasks
        ]
    }
