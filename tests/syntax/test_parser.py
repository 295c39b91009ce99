"""The parser: trees and spans of right files. Broken files are in test_broken_files.py."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from maker_dsl.checker.builtins import BUILTINS
from maker_dsl.diagnostics import Problems, Source
from maker_dsl.syntax import tree
from maker_dsl.syntax.methods import FUNCTIONS, METHODS
from maker_dsl.syntax.parser import parse, parse_expression
from maker_dsl.syntax.scan import pieces_of

FILES = sorted(Path(__file__).parent.glob("files/*.maker"))


def read(text: str) -> tree.TaskFile:
    problems = Problems()
    found = parse(Source("t.maker", text), problems)
    assert [d.title for d in problems] == []
    assert found is not None
    return found


def parts(text: str) -> tuple[Any, ...]:
    return read(f"task t {{\n{text}\n}}").tasks[0].parts


def expression(text: str) -> tree.Expression:
    problems = Problems()
    found = parse_expression(Source("--set", text), problems)
    assert [d.title for d in problems] == []
    assert found is not None
    return found


def shape(value: object) -> object:
    """A tree without its places."""
    if isinstance(value, tree.Node):
        fields = [name for name in value.__struct_fields__ if name not in ("span", "pieces")]
        return (type(value).__name__, *(shape(getattr(value, name)) for name in fields))
    if isinstance(value, tuple):
        return tuple(shape(item) for item in value)
    return value


def brief(node: object) -> str:
    """An expression with all its brackets."""
    match node:
        case tree.IntLiteral(value=value):
            return str(value)
        case tree.Name(name=name):
            return name
        case tree.Unary(operator=operator, operand=operand):
            return f"({operator} {brief(operand)})"
        case tree.Binary(operator=operator, left=left, right=right):
            return f"({brief(left)} {operator} {brief(right)})"
        case tree.Compare(first=first, rest=rest):
            return "(" + brief(first) + "".join(f" {operator} {brief(right)}" for operator, right in rest) + ")"
        case tree.Conditional(then=then, condition=condition, otherwise=otherwise):
            return f"({brief(then)} if {brief(condition)} else {brief(otherwise)})"
        case tree.FieldAccess(object=of, name=name):
            return f"{brief(of)}.{name.name}"
        case tree.Index(object=of, index=index):
            return f"{brief(of)}[{brief(index)}]"
        case tree.Call(function=function, arguments=arguments):
            return f"{function.name}({', '.join(brief(argument) for argument in arguments)})"
    raise AssertionError(node)


def nodes(value: object) -> Iterator[tuple[tree.Node, tree.Node | None]]:
    """All nodes, each with its parent."""
    stack: list[tuple[object, tree.Node | None]] = [(value, None)]
    while stack:
        current, parent = stack.pop()
        if isinstance(current, tuple):
            stack.extend((item, parent) for item in current)
        elif isinstance(current, tree.Node):
            yield current, parent
            stack.extend((getattr(current, name), current) for name in current.__struct_fields__)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_spans_are_exact(path: Path) -> None:
    found = read(path.read_text(encoding="utf-8"))
    for node, parent in nodes(found):
        text = node.span.text
        if not isinstance(node, tree.TaskFile):
            assert text == text.strip()
        if parent is not None:
            assert parent.span.start <= node.span.start <= node.span.end <= parent.span.end, (parent, node)
        match node:
            case tree.Identifier(name=name) | tree.Name(name=name) | tree.TypeName(name=name):
                assert text == name
            case tree.IntLiteral(value=value):
                assert text.replace("_", "") == str(value)
            case tree.Text():
                assert text[0] == text[-1]
                assert text[0] in '"/'
            case tree.Hole():
                assert text[0] == "{"
                assert text[-1] == "}"
            case tree.Assignment() | tree.StateField() | tree.TypeMember():
                assert text.startswith(node.name.name)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_span_of_an_expression_reads_as_that_expression(path: Path) -> None:
    found = read(path.read_text(encoding="utf-8"))
    count = 0
    for node, _ in nodes(found):
        if isinstance(node, get_args(tree.Expression)) and not isinstance(node, tree.StringLiteral):
            assert shape(expression(node.span.text)) == shape(node)
            count += 1
    assert count > 5


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_crlf_tabs_and_a_byte_order_mark_change_nothing(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    plain = shape(read(text))
    assert shape(read(text.replace("\n", "\r\n"))) == plain
    assert shape(read("\ufeff" + text)) == plain
    assert shape(read(text.replace("\n  ", "\n\t"))) == plain


@pytest.mark.parametrize(
    ("text", "read_as"),
    [
        ("1 + 2 * 3", "(1 + (2 * 3))"),
        ("1 - 2 - 3", "((1 - 2) - 3)"),
        ("(1 - 2) - 3", "((1 - 2) - 3)"),
        ("1 - (2 - 3)", "(1 - (2 - 3))"),
        ("2 ** 3 ** 4", "(2 ** (3 ** 4))"),
        ("-2 ** 2", "(- (2 ** 2))"),
        ("2 ** -1", "(2 ** (- 1))"),
        ("not a == b", "(not (a == b))"),
        ("a or b and not c", "(a or (b and (not c)))"),
        ("1 < a <= b != c", "(1 < a <= b != c)"),
        ("a not in b", "(a not in b)"),
        ("a ?? b ?? c", "(a ?? (b ?? c))"),
        ("a ?? 0 + 1 == n", "((a ?? (0 + 1)) == n)"),
        ("a if b else c if d else e", "(a if b else (c if d else e))"),
        ("a.b[1].c", "a.b[1].c"),
        ("f(a, g(b))[0]", "f(a, g(b))[0]"),
        ("a // b % c", "((a // b) % c)"),
        ("f(\n a,\n b\n)", "f(a, b)"),
        ("a\n+ b\nand c", "((a + b) and c)"),
    ],
)
def test_operators_bind_as_in_python(text: str, read_as: str) -> None:
    assert brief(expression(text)) == read_as


def test_entries_are_told_apart_by_their_lines() -> None:
    (step,) = parts("step { update {\n last = reply.move\n pegs = [\n[1], [2]\n]\n } }")
    assert [entry.name.name for entry in step.parts[0].assignments] == ["last", "pegs"]


def test_a_line_goes_on_before_an_operator_and_after_one() -> None:
    (step,) = parts("step { update {\n a = b\n  if c\n  else d\n e =\n  f +\n  g\n } }")
    assert [brief(entry.value) for entry in step.parts[0].assignments] == ["(b if c else d)", "(f + g)"]


def test_the_tail_of_an_entry_may_stand_on_a_line_of_its_own() -> None:
    (step,) = parts(
        'step move\n  when a > 1\n{\n reply "x"\n  at end\n update {\n whole = a\n when = b\n fenced = c } }'
    )
    assert step.name.name == "move"
    assert brief(step.when) == "(a > 1)"
    assert step.parts[0].placement.kind == "end"
    assert [entry.name.name for entry in step.parts[1].assignments] == ["whole", "when", "fenced"]


def test_words_of_the_language_are_names_where_names_stand() -> None:
    words = "task about input type state def done when result expect steps vote ahead by at most samples then on step "
    words += "system prompt let rule flag update reply json grammar from end whole fenced tag reference mistake test "
    words += "with given accept reject up to of matching list map maker temperature invariant"
    for word in words.split():
        block, update, reference = parts(
            f"state {{ {word}: int = {word}.{word} }}\nstep {{ update {{\n a = 1\n {word} = {word}\n }} }}\n"
            f"reference {{ a = 1; {word} = f({word}={word}) }}"
        )[:3]
        assert block.fields[0].name.name == word
        assert update.parts[0].assignments[1].name.name == word
        assert reference.assignments[1].name.name == word
        assert parts(f"input {word}: {{ {word}: int }}\ndef {word}({word}: int) -> int = {word}")


def test_text_block_loses_its_frame_and_indentation() -> None:
    (about,) = parts('about """\n    one\n      two\n\n    three \\n \\"x\\"\n  """')
    assert about.text.value == 'one\n  two\n\nthree \\n "x"'
    assert parts('about """one\n   two\n     three"""')[0].text.value == "one\ntwo\n  three"
    assert parts('about """\n  """')[0].text.value == ""
    assert parts('about """"""')[0].text.value == ""
    assert parts('about """\n\n  x\n\n  """')[0].text.value == "\nx\n"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
@pytest.mark.parametrize("line_break", ["\n", "\r\n"])
def test_a_part_of_a_text_is_found_in_the_file(path: Path, line_break: str) -> None:
    found = read(path.read_text(encoding="utf-8").replace("\n", line_break))
    for node, _ in nodes(found):
        if not isinstance(node, tree.Text):
            continue
        for index, character in enumerate(node.value):
            there = node.part(index, index + 1).text
            if character == "\n":
                assert there in ("\n", "\r\n", "\\n")
            elif not there.startswith("\\"):
                assert there == character


def test_escapes() -> None:
    assert parts(r'about "a\n\t\"\\\u00e9"')[0].text.value == 'a\n\t"\\é'


def test_format_text_is_split_into_pieces_and_holes() -> None:
    (step,) = parts('step { reply "a {{x}} = {v: list[int in 0..2] of 3}{w: \\"p\\" | \\"}\\"} end" }')
    notation = step.parts[0].notation
    first, hole, second, last = notation.pieces
    assert (first, last) == ("a {x} = ", " end")
    assert hole.span.text == "{v: list[int in 0..2] of 3}"
    assert hole.type.item.low.span.text == "0"
    assert second.span.text == '{w: \\"p\\" | \\"}\\"}'
    assert [value.value for value in second.type.values] == ["p", "}"]


def test_records_and_maps_are_told_apart_by_their_keys() -> None:
    assert isinstance(expression("{}"), tree.RecordLiteral)
    assert isinstance(expression("{ a: 1 }"), tree.RecordLiteral)
    assert isinstance(expression("{ ...a }"), tree.RecordLiteral)
    assert isinstance(expression('{ "a": 1 }'), tree.MapLiteral)
    assert isinstance(expression("{ (a): 1 }"), tree.MapLiteral)
    assert isinstance(expression("{ a: 1 for a in b }"), tree.MapComprehension)


def test_only_some_words_are_reserved() -> None:
    for word in ("and", "or", "not", "in", "if", "else", "for", "true", "false", "null"):
        problems = Problems()
        parse(Source("t.maker", f"task t {{ input {word}: int }}"), problems)
        assert problems.has_errors


def test_what_could_be_read_is_kept_after_a_mistake() -> None:
    problems = Problems()
    found = parse(
        Source("t.maker", "task t {\n input a: int\n input b int\n done when a = 1\n expect 3 steps }"), problems
    )
    assert found is not None
    assert [type(part).__name__ for part in found.tasks[0].parts] == ["Input", "Expect"]
    assert len(problems) == 2


@pytest.mark.parametrize(
    "text",
    [
        "(" * 10_000,
        "task t { done when " + "(" * 10_000 + ")" * 10_000 + " }",
        "task t { done when " + "[" * 10_000,
        "task t { done when " + "1 + " * 10_000 + "1 }",
        "task t { done when " + "not " * 10_000 + "a }",
        "task t { done when " + "- " * 10_000 + "a }",
        "task t { done when a" + ".a" * 10_000 + " }",
        "task t { done when a" + "[0]" * 10_000 + " }",
        "task t { done when " + "a if b else " * 10_000 + "c }",
        "task t { done when " + "a ** " * 10_000 + "c }",
        "task t { type T = int" + " ?" * 10_000 + " }",
        "task t { type T = " + "list[" * 10_000,
        'task t { step { reply "' + "{a: " * 10_000 + '" } }',
        'task t { step { reply "{a: ' + "list[" * 10_000 + "int" + "]" * 10_000 + '}" } }',
        "task t { about " + '"' * 10_001 + " }",
        "{" * 10_000,
        "}" * 10_000,
        "\0" * 10_000,
        "task " * 10_000,
        "task t { done when 1" + "0" * 10_000 + " == a }",
        "x" * 2_000_000,
        "\n" * 900_000,
        "task t { " + "about 1 " * 3_000 + "}",
        "task t {\n" + "foo bar\n" * 3_000 + "}",
    ],
    ids=lambda text: text[:30],
)
def test_hostile_texts_are_refused_quickly(text: str) -> None:
    problems = Problems()
    parse(Source("t.maker", text), problems)
    assert problems.has_errors


@pytest.mark.parametrize("slip", ["leave out", "double"])
def test_one_slip_is_one_mistake_or_two(slip: str) -> None:
    text = (Path(__file__).parent / "files" / "countdown.maker").read_text(encoding="utf-8")
    counts = []
    for piece in pieces_of(text):
        kept = piece.start if slip == "leave out" else piece.end
        problems = Problems()
        parse(
            Source("t.maker", text[:kept] + " " + text[piece.end if slip == "leave out" else piece.start :]), problems
        )
        counts.append(len(problems))
    assert max(counts) <= 2
    assert counts.count(2) < len(counts) / 10


def test_help_for_methods_names_functions_that_there_are() -> None:
    called = {name for text in METHODS.values() for name in re.findall(r"\b([a-z_]+)\(", text)} - {"f"}
    assert (called | FUNCTIONS) <= set(BUILTINS)
