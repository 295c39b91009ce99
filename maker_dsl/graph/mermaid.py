"""A graph as Mermaid text: a flowchart that GitHub and many editors draw."""

from __future__ import annotations

from maker_dsl.graph.model import Edge, Graph, Node, TaskGraph

_ESCAPED = str.maketrans(
    {character: f"#{ord(character)};" for character in '"#&<>`\\{}[]()|'} | dict.fromkeys(map(chr, range(32)), " ")
)


def mermaid(graph: Graph) -> str:
    """The text; ids are `t0_s1`, so that no name can break it."""
    numbers = {task.name: number for number, task in enumerate(graph.tasks)}
    lines = ["flowchart TD"]
    for task in graph.tasks:
        lines += _task(task, numbers[task.name])
    for task in graph.tasks:
        for node in task.nodes:
            source = _id(task, node.name, numbers[task.name])
            lines += [f'  {source} ==>|"runs"| t{numbers[name]}_start' for name in node.runs]
    lines += [
        "  classDef runs stroke-width:3px",
        "  classDef never stroke-dasharray:4 3",
    ]
    return "\n".join(lines) + "\n"


def _task(task: TaskGraph, number: int) -> list[str]:
    lines = [f'  subgraph t{number} ["{_escaped(task.name)}"]']
    reached = {edge.target for edge in task.edges}
    for node in task.nodes:
        lines.append(f"    {_id(task, node.name, number)}{_shape(node)}{_class(node, reached)}")
    lines += [f"    {_edge(task, edge, number)}" for edge in task.edges]
    return [*lines, "  end"]


def _id(task: TaskGraph, name: str, number: int) -> str:
    at = next(index for index, node in enumerate(task.nodes) if node.name == name)
    if at == 0:
        return f"t{number}_start"
    return f"t{number}_done" if at == len(task.nodes) - 1 else f"t{number}_s{at}"


def _shape(node: Node) -> str:
    name = _escaped(node.title)
    label = "<br>".join([name if node.kind in ("start", "done") else f"<b>{name}</b>", *map(_escaped, node.lines)])
    if node.kind in ("start", "done"):
        return f'(["{label}"])'
    return f'[["{label}"]]' if node.kind == "runs" else f'["{label}"]'


def _class(node: Node, reached: set[str]) -> str:
    if node.kind != "start" and node.name not in reached:
        return ":::never"
    return ":::runs" if node.kind == "runs" else ""


def _edge(task: TaskGraph, edge: Edge, number: int) -> str:
    source, target = _id(task, edge.source, number), _id(task, edge.target, number)
    return f'{source} -->|"{edge.seen}"| {target}' if edge.seen else f"{source} -.-> {target}"


def _escaped(text: str) -> str:
    return text.translate(_ESCAPED)
