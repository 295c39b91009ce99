"""From a checked and compiled task to its graph."""

from __future__ import annotations

from maker_dsl.checker.checked import CheckedRunStep, CheckedStep, CheckedTask
from maker_dsl.compiler.program import Program
from maker_dsl.graph.facts import text_of
from maker_dsl.graph.model import DONE, START, Edge, Graph, Node, TaskGraph
from maker_dsl.graph.rehearsal import Seen, rehearse
from maker_dsl.graph.ways import possible_ways
from maker_dsl.syntax import tree
from maker_dsl.task import Task

MAX_LINE = 48
"""How many characters a line of a box has at most."""


def draw(program: Program, task: Task | None) -> Graph:
    """The graph of a task and of all that it runs; `task` is what is rehearsed, None where inputs are missing."""
    order: list[str] = [program.name]
    for name in order:
        order += [run.task for run in program.programs[name].checked.runs if run.task not in order]
    programs = [program.programs[name] for name in dict.fromkeys(order)]
    seen = rehearse(task, [test for one in programs for test in one.tests])
    return Graph(tuple(_task(one.checked, seen) for one in programs))


def _task(checked: CheckedTask, seen: Seen) -> TaskGraph:
    done = Node(DONE, "done", (_short(f"when {text_of(checked.done.condition)}"),))
    nodes = (Node(START, "start"), *map(_node, checked.steps), done)
    ways = possible_ways(checked) | {(source, target) for name, source, target in seen if name == checked.name}
    rank = {node.name: number for number, node in enumerate(nodes)}
    edges = sorted(ways, key=lambda way: (rank[way[0]], rank[way[1]]))
    return TaskGraph(checked.name, nodes, tuple(Edge(a, b, seen[checked.name, a, b]) for a, b in edges))


def _node(step: CheckedStep | CheckedRunStep) -> Node:
    lines = [] if step.when is None else [f"when {text_of(step.when)}"]
    if isinstance(step, CheckedRunStep):
        for run in step.runs:
            each = run.declaration.each
            lines.append(f"run {run.name} = {run.task}" + (f", for each {_names(each)}" if each is not None else ""))
        tasks = tuple(dict.fromkeys(run.task for run in step.runs))
        return Node(step.name, "runs", tuple(map(_short, lines)), tasks)
    if step.profile is not None:
        lines.append(f"with profile {step.profile.value}")
    if step.variants:
        lines.append(f"{len(step.variants)} prompt variant" + ("s" if len(step.variants) > 1 else ""))
    if step.reply.format_with is not None:
        lines.append(f"then format with {step.reply.format_with.profile.value}")
    own = next((part for part in step.declaration.parts if isinstance(part, tree.VoteBlock)), None)
    if own is not None:
        lines.append("vote: " + "; ".join(text_of(setting) for setting in own.settings))
    return Node(step.name, "asks", tuple(map(_short, lines)))


def _names(each: tree.ForEach) -> str:
    return ", ".join(name.name for name in each.names)


def _short(line: str) -> str:
    return line if len(line) <= MAX_LINE else line[: MAX_LINE - 1].rstrip() + "…"
