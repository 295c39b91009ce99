"""The graph of a task: what is possible, what is seen, and how it is drawn."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import pytest
from golden import Case, cases
from hypothesis import given, settings
from hypothesis import strategies as st

from maker_dsl.bundled import bundled_names
from maker_dsl.compiler.program import Program
from maker_dsl.diagnostics import Source
from maker_dsl.graph.drawing import draw
from maker_dsl.graph.layered import GAP_X, lines_of, place, text_width
from maker_dsl.graph.mermaid import mermaid
from maker_dsl.graph.model import DONE, START, Edge, Graph, Node, TaskGraph
from maker_dsl.graph.svg import svg
from maker_dsl.graph.ways import possible_ways
from maker_dsl.language import check_text, load

SVG = "{http://www.w3.org/2000/svg}"


def program_of(text: str) -> Program:
    checked = check_text(Source("task.maker", text))
    assert checked.program is not None, [found.title for found in checked.diagnostics]
    return checked.program


def ways_of(state: str, steps: str, done: str = 'phase == "end"') -> list[str]:
    """The possible ways of a task over a phase, as `a>b`."""
    text = f"""
    type Phase = "one" | "two" | "end"
    state {{ phase: Phase = "one"; {state} }}
    done when {done}
    {steps}
    """
    ways = possible_ways(program_of(f"task t {{{text}}}").checked)
    return sorted(f"{source.strip('()')}>{target.strip('()')}" for source, target in ways)


def step(name: str, when: str, update: str, more: str = "") -> str:
    head = f"step {name} when {when}" if when else f"step {name}"
    return f'{head} {{ prompt "x {{{{ reply.format }}}}"; reply "b = {{b: bool}}"; {more}; update {{ {update} }} }}\n'


@pytest.mark.parametrize("case", cases(Path(__file__).parent / "cases"))
def test_a_task_as_mermaid(case: Case, golden: Callable[[Case, str], None]) -> None:
    program = program_of(case.input("maker"))
    golden(case, mermaid(draw(program, program.bind())))


@pytest.mark.parametrize("name", ["countdown", "checkout", "multiply", "sort"])
def test_a_bundled_task_as_mermaid(name: str, request: pytest.FixtureRequest) -> None:
    program = load(name).program
    assert program is not None
    path = Path(__file__).parent / "bundled" / f"{name}.mmd"
    text = mermaid(draw(program, program.bind()))
    if request.config.getoption("--update-golden"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text


def test_phases_leave_only_the_ways_between_them() -> None:
    steps = step("a", 'phase == "one"', 'phase = "two"') + step(
        "b", 'phase == "two"', 'phase = "end" if reply.b else "one"'
    )
    assert ways_of("", steps) == ["a>b", "b>a", "b>done", "start>a"]


def test_the_first_step_that_applies_is_taken() -> None:
    steps = step("a", 'phase != "end"', 'phase = "end"') + step("b", 'phase == "one"', 'phase = "two"')
    assert ways_of("", steps) == ["a>done", "start>a"]


def test_what_a_rule_demands_of_the_reply_is_known() -> None:
    rule = 'rule "yes": reply.b'
    steps = step("a", "", 'phase = "end" if reply.b else "two"', rule)
    assert ways_of("", steps) == ["a>done", "start>a"]


def test_a_flag_says_what_the_reply_is_not() -> None:
    steps = step("a", "", 'phase = "end" if reply.b else "one"', 'flag "yes": reply.b')
    assert ways_of("", steps) == ["a>a", "start>a"]


def test_a_condition_that_nothing_touched_still_holds() -> None:
    steps = step("a", "n < 3 and f", "f = false") + step("b", "n < 3", 'phase = "end"') + step("c", "", "n = 1")
    assert ways_of("n: int = 0; f: bool = true", steps) == ["a>b", "b>done", "c>a", "c>c", "start>a", "start>c"]


def test_a_condition_over_a_changed_field_may_be_otherwise() -> None:
    steps = step("a", "n < 3", "n = n + 1") + step("b", "", 'phase = "end"')
    assert ways_of("n: int = 0", steps) == ["a>a", "a>b", "b>done", "start>a", "start>b"]


def test_a_let_stands_for_what_it_says() -> None:
    steps = step("a", "", 'phase = "end" if over else "two"', "let over = not not reply.b")
    assert ways_of("", steps) == ["a>a", "a>done", "start>a"]


def test_optional_fields_are_known_to_be_there_or_not() -> None:
    steps = step("a", "x == null", "x = reply.b") + step("b", "", 'phase = "end"')
    assert ways_of("x: bool? = null", steps) == ["a>b", "b>done", "start>a"]


def test_a_step_that_is_never_taken_is_shown_so() -> None:
    steps = step("a", 'phase == "one"', 'phase = "end"') + step("b", "", 'phase = "end"')
    program = program_of('task t { state { phase: "one" | "end" = "one" }; done when phase == "end"\n' + steps + "}")
    assert 't0_s2["<b>b</b>"]:::never' in mermaid(draw(program, None))


@pytest.mark.parametrize("name", sorted(bundled_names("tasks")))
def test_what_was_seen_was_possible(name: str) -> None:
    program = load(name).program
    assert program is not None
    for task in draw(program, program.bind()).tasks:
        possible = possible_ways(program.programs[task.name].checked)
        assert {(edge.source, edge.target) for edge in task.edges if edge.seen} <= possible


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    tasks = []
    for number in range(draw(st.integers(1, 2))):
        texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=30)
        names = [START, *(f"s{at}" for at in range(draw(st.integers(0, 7)))), DONE]
        kinds = ["start", *["asks"] * (len(names) - 2), "done"]
        nodes = [
            Node(name, kind, tuple(draw(st.lists(texts, max_size=3))))  # type: ignore[arg-type]
            for name, kind in zip(names, kinds, strict=True)
        ]
        pairs = draw(st.sets(st.tuples(st.sampled_from(names[:-1]), st.sampled_from(names[1:])), max_size=20))
        edges = [Edge(a, b, draw(st.sampled_from([0, 1, 1234]))) for a, b in sorted(pairs)]
        tasks.append(TaskGraph(f"t{number}", tuple(nodes), tuple(edges)))
    return Graph(tuple(tasks))


@given(graphs())
@settings(max_examples=60, deadline=None)
def test_boxes_never_overlap_hold_their_labels_and_ways_keep_off_them(graph: Graph) -> None:
    for task in graph.tasks:
        layout = place(task)
        boxes = list(layout.boxes.values())
        for one, other in combinations(boxes, 2):
            is_beside = one.x + one.width + GAP_X / 2 <= other.x or other.x + other.width + GAP_X / 2 <= one.x
            assert is_beside or one.y + one.height < other.y or other.y + other.height < one.y
        for node in task.nodes:
            box = layout.boxes[node.name]
            assert all(text_width(line) < box.width for line in lines_of(node))
            assert box.x >= 0
            assert box.x + box.width <= layout.width
            assert box.y >= 0
            assert box.y + box.height <= layout.height
        assert {way.edge for way in layout.ways} == set(task.edges)
        for way in layout.ways:
            for x, y in way.points[1:-1]:
                assert not any(b.x < x < b.x + b.width and b.y < y < b.y + b.height for b in boxes)


@given(graphs())
@settings(max_examples=40, deadline=None)
def test_a_picture_is_well_formed_with_every_label_in_its_box(graph: Graph) -> None:
    root = ET.fromstring(svg(graph))
    rects = root.findall(f".//{SVG}rect")
    assert len(rects) == sum(len(task.nodes) for task in graph.tasks)
    for panel in root.findall(f"{SVG}g"):
        box: dict[str, float] = {}
        for element in panel:
            if element.tag == f"{SVG}rect":
                box = {name: float(element.attrib[name]) for name in ("x", "y", "width", "height")}
            elif element.tag == f"{SVG}text" and element.get("text-anchor") == "middle":
                assert box["x"] < float(element.attrib["x"]) < box["x"] + box["width"]
                assert box["y"] < float(element.attrib["y"]) < box["y"] + box["height"]


def test_names_and_texts_cannot_break_out_of_a_drawing() -> None:
    hostile = 'a"]; click x "javascript:x" <script>&`%% \n end'
    node = Node("s", "asks", (hostile,))
    graph = Graph((TaskGraph("t", (Node(START, "start"), node, Node(DONE, "done")), ()),))
    line = next(line for line in mermaid(graph).splitlines() if "t0_s1" in line)
    assert line.count('"') == 2
    assert "<script" not in line
    assert "<script" not in svg(graph)
    ET.fromstring(svg(graph))
