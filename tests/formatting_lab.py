"""Task texts to format, and ways to change their layout or their comments and nothing else."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from pathlib import Path

from hypothesis import strategies as st

from maker_dsl.diagnostics import Problems, Source
from maker_dsl.formatting.concrete import Leaf, read_concrete
from maker_dsl.formatting.formatter import format_text
from maker_dsl.syntax.parser import parse

ROOT = Path(__file__).resolve().parents[1]
_BLOCK = re.compile(
    r"^(?P<indent> *)(?P<fence>`{3,})maker[^\n]*\n(?P<text>.*?)^ *(?P=fence)[ \t]*$", re.MULTILINE | re.DOTALL
)


def read_blocks(path: Path) -> list[str]:
    """The fenced maker blocks of a Markdown file."""
    return [found["text"] for found in _BLOCK.finditer(path.read_text(encoding="utf-8"))]


def as_file(text: str) -> str | None:
    """The text as a whole file, or in a task or step where it is a part of one; None where nothing parses."""
    for form in ("{}", "task t {{\n{}\n}}\n", "task t {{\nstep {{\n{}\n}}\n}}\n"):
        whole = form.format(text)
        if parses(whole):
            return whole
    return None


def parses(text: str) -> bool:
    """Whether there is nothing wrong with the syntax."""
    problems = Problems()
    return parse(Source("t.maker", text), problems) is not None and not problems.has_errors


def formatted(text: str) -> str:
    """The canonical layout of a right text; its meaning and comments are asserted on the way."""
    problems = Problems()
    found = format_text(Source("t.maker", text), problems)
    assert found is not None, [problem.title for problem in problems]
    return found


def bundled_texts() -> list[tuple[str, str]]:
    """All task files of the repository, with their names."""
    paths = [*sorted((ROOT / "tasks").glob("*.maker")), *sorted((ROOT / "tests" / "syntax" / "files").glob("*.maker"))]
    return [(path.stem, path.read_text(encoding="utf-8")) for path in paths]


def document_texts() -> list[tuple[str, str]]:
    """All maker blocks of Markdown files that are right, as whole files."""
    found = []
    places = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "tests").rglob("cases/*.md")]
    for path in sorted((*places, *(ROOT / "maker_dsl" / "diagnostics" / "pages").glob("*.md"))):
        for number, block in enumerate(read_blocks(path)):
            whole = as_file(block)
            if whole is not None:
                found.append((f"{path.relative_to(ROOT)} {number}", whole))
    return found


def with_comments(text: str, chance: random.Random, share: float) -> str:
    """The text with comments put at random between its words and signs, wherever they change nothing."""
    return _rewritten(text, lambda gap, leaf: _commented(gap, chance, share))


def _commented(gap: str, chance: random.Random, share: float) -> str:
    if chance.random() >= share:
        return gap
    number = chance.randrange(1000)
    return chance.choice([f"  # c{number}\n{gap}", f"\n\n   # c{number}\n# d\n{gap}", f" # c{number}\n\n{gap}"])


def with_blanks(text: str, chance: random.Random) -> str:
    """The text with other blanks between its words, line breaks where they were."""

    def stretched(gap: str, leaf: Leaf) -> str:
        if "#" in gap or not gap:
            return gap
        if "\n" in gap:
            kept = "\n\n" if gap.count("\n") > 1 else "\n"
            return (
                " " * chance.randrange(3)
                + kept
                + "\n" * (chance.randrange(3) if len(kept) > 1 else 0)
                + "\t" * chance.randrange(4)
            )
        return " " * chance.choice([1, 1, 2, 5])

    return _rewritten(text, stretched)


def _rewritten(text: str, change: Callable[[str, Leaf], str]) -> str:
    leaves = read_concrete(text).leaves
    parts: list[str] = []
    at = 0
    for leaf in leaves:
        parts += [change(text[at : leaf.start], leaf), text[leaf.start : leaf.end]]
        at = leaf.end
    return "".join(parts) + text[at:]


@st.composite
def expressions(draw: st.DrawFn, depth: int = 3) -> str:
    """The text of an expression, in any layout that the language takes in brackets."""
    if depth == 0 or draw(st.integers(0, 4)) == 0:
        return draw(
            st.sampled_from(
                ["a", "long_name_of_a_value", "12", "1_000", "1.50", '"text, # no comment"', "true", "null"]
            )
        )

    def inner() -> str:
        return draw(expressions(depth - 1))

    def gap() -> str:
        return draw(st.sampled_from([" ", " ", " ", "  ", "\n", " # c\n"]))

    operators = ["+", "-", "*", "//", "**", "and", "or", "??", "==", "<", "in", "not in"]
    match draw(st.integers(0, 10)):
        case 0 | 1 | 2:
            return f"({inner()}{gap()}{draw(st.sampled_from(operators))}{gap()}{inner()})"
        case 3:
            return f"({inner()}{gap()}if {inner()}{gap()}else {inner()})"
        case 4:
            return f"[{gap()}{inner()},{gap()}{inner()}{gap()}]"
        case 5:
            return f"{{{gap()}x: {inner()},{gap()}...{inner()}{gap()}}}"
        case 6:
            return f'{{ "k":{gap()}{inner()} for k, v in a{gap()}if {inner()} }}'
        case 7:
            return f"f({gap()}{inner()},{gap()}key={inner()})"
        case 8:
            return f"all({inner()}{gap()}for x in {inner()} if {inner()})"
        case 9:
            return f"a[{inner()}].b[{inner()}:{inner()}]"
        case _:
            return f"(not {inner()}) or -a"
