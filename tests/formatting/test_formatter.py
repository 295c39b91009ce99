"""The canonical layout: nothing is lost, nothing changes its meaning, and formatting again changes nothing."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from formatting_lab import (
    as_file,
    bundled_texts,
    document_texts,
    expressions,
    formatted,
    parses,
    read_blocks,
    with_blanks,
    with_comments,
)
from golden import Case, cases
from hypothesis import given, settings
from hypothesis import strategies as st

from maker_dsl.diagnostics import Problems, Source
from maker_dsl.errors import InternalError
from maker_dsl.formatting import formatter
from maker_dsl.formatting.concrete import read_concrete
from maker_dsl.formatting.formatter import WIDTH, format_text

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
TEXTS = [*bundled_texts(), *document_texts()]


@pytest.mark.parametrize("case", cases(Path(__file__).parent / "cases"))
def test_layout(case: Case, golden: Callable[[Case, str], None]) -> None:
    text = formatted(case.input("maker"))
    assert formatted(text) == text
    golden(case, text)


@pytest.mark.parametrize("path", sorted((ROOT / "tasks").glob("*.maker")), ids=lambda path: path.stem)
def test_a_bundled_task_is_in_canonical_layout(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert formatted(text) == text


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_maker_blocks_of_a_document_are_in_canonical_layout(path: Path) -> None:
    for block in read_blocks(path):
        whole = as_file(block)
        if whole is not None:
            depth = 0 if whole == block else whole.partition(block)[0].count("{")
            there = formatted(whole).splitlines()[depth : -depth or None]
            assert "\n".join(line[2 * depth :] for line in there) == block.rstrip("\n")


PAGES = sorted((ROOT / "maker_dsl" / "diagnostics" / "pages").glob("*.md"))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_the_right_example_of_a_diagnostic_is_in_canonical_layout(path: Path) -> None:
    right = path.read_text(encoding="utf-8").partition("## Right")[2]
    for block in read_blocks(path):
        if block in right and parses(block):
            assert formatted(block) == block


def test_formatting_twice_changes_nothing_more() -> None:
    for name, text in TEXTS:
        once = formatted(text)
        assert formatted(once) == once, name


@pytest.mark.long
@pytest.mark.parametrize("width", [10, 60])
def test_on_narrow_pages_too_nothing_is_lost(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formatter, "WIDTH", width)
    for name, text in TEXTS:
        once = formatted(text)
        assert formatted(once) == once, name


@given(expressions(), expressions(), st.sampled_from([10, 40, WIDTH]))
@settings(max_examples=80, deadline=None)
def test_any_expression_is_laid_out(value: str, condition: str, width: int) -> None:
    text = f'task t {{\n def f() -> int = {value}\n step s when ({condition}) {{ rule "why": ({value}) }}\n}}\n'
    assert parses(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(formatter, "WIDTH", width)
        once = formatted(text)
        assert formatted(once) == once


def test_no_line_ends_in_blanks_but_those_of_texts() -> None:
    for name, text in TEXTS:
        if '"""' not in text:
            assert not any(line != line.rstrip() for line in formatted(text).splitlines()), name


@given(st.integers(0, 10**9))
@settings(max_examples=40, deadline=None)
def test_comments_survive_wherever_they_stand(seed: int) -> None:
    chance = random.Random(seed)
    _, text = chance.choice([found for found in TEXTS if len(found[1]) < 1500])
    commented = with_comments(text, chance, chance.choice([0.03, 0.1, 0.4]))
    if parses(commented):
        once = formatted(commented)
        assert read_concrete(once).comments == read_concrete(commented).comments
        assert formatted(once) == once


@given(st.integers(0, 10**9))
@settings(max_examples=40, deadline=None)
def test_other_blanks_give_the_same_layout(seed: int) -> None:
    chance = random.Random(seed)
    _, text = chance.choice([found for found in TEXTS if len(found[1]) < 1500])
    # Two blanks before a sign are an alignment, which is kept; so none is in the texts that are changed.
    once = formatted(text)
    changed = with_blanks(once, chance)
    assert parses(changed)
    if not any("  " in line.strip() for line in once.splitlines()) and formatted(changed) != once:
        aligned = formatted(changed)
        assert aligned.replace(" ", "") == once.replace(" ", "")
        assert "  " in "".join(line.strip() for line in aligned.splitlines())


def test_a_text_with_mistakes_is_left_alone() -> None:
    problems = Problems()
    assert format_text(Source("t.maker", "task t { promt }"), problems) is None
    assert problems.has_errors


@pytest.mark.parametrize(
    ("broken", "what"),
    [
        ("task t { done when false }\n", "means something else"),
        ("task t {\n  # d\n  done when true\n}\n", "loses or moves"),
        ("task t {\n", "can't be read"),
        ("task t {\n  done when true  # c\n}\n", ""),
    ],
)
def test_what_would_lose_something_is_a_bug_of_ours(monkeypatch: pytest.MonkeyPatch, broken: str, what: str) -> None:
    monkeypatch.setattr(formatter, "render", lambda doc, width: broken)
    text = "task t {\n  done when true # c\n}\n"
    if not what:
        assert format_text(Source("t.maker", text), Problems()) == broken
        return
    with pytest.raises(InternalError, match=what):
        format_text(Source("t.maker", text), Problems())


@pytest.mark.parametrize(
    "body",
    [
        "[" * 99 + "1" + "]" * 99,
        "f(" * 98 + "1" + ")" * 98,
        "{ a: " * 58 + "1" + " }" * 58,
        "+".join(["x"] * 115),
        " else ".join(["1 if true"] * 110) + " else 2",
        "-" * 110 + "1",
    ],
    ids=["lists", "calls", "records", "sum", "conditions", "signs"],
)
def test_deep_nesting_is_laid_out(body: str) -> None:
    once = formatted(f"task t {{ def f() -> int = {body} done when true }}")
    assert formatted(once) == once


def test_nesting_that_the_parser_refuses_is_refused() -> None:
    problems = Problems()
    assert format_text(Source("t.maker", "task t { done when " + "(" * 5000 + "}"), problems) is None
    assert [problem.code for problem in problems] == ["MK109"]


def test_long_lists_share_lines_that_fit() -> None:
    text = formatted(f"task t {{ input numbers: list[int] = [{', '.join(['123456'] * 2000)}] done when true }}")
    lines = text.splitlines()
    assert len(lines) < 150
    assert max(map(len, lines)) <= WIDTH
