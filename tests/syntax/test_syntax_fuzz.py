"""Mutated task files: the parser never raises, never hangs, and always says something about what it could not read.

The seed is fixed; a failure prints the text.
"""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from maker_dsl.bundled import bundled_names, bundled_path
from maker_dsl.diagnostics import Problems, Source
from maker_dsl.diagnostics.text import render_all
from maker_dsl.syntax.parser import parse
from maker_dsl.syntax.table import load_table

SEED = 20261123
BOUND_S = 5.0
"""Of processor time; far above what a parse takes."""

SCRAPS = [
    '"',
    '"""',
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "\n",
    ";",
    ":",
    "=",
    "==",
    "..",
    "...",
    "/",
    "\\",
    "#",
    "'",
    "\0",
    "é",
    "\ufeff",
    "\r\n",
    "\t",
]


def originals() -> list[str]:
    """Whole files, and each part of the file that has every construct as a small file of its own."""
    bundled = [path for name in bundled_names("tasks") if (path := bundled_path("tasks", name))]
    paths = [*sorted(Path(__file__).parent.glob("files/*.maker")), *bundled]
    texts = [path.read_text(encoding="utf-8") for path in paths]
    source = Source("everything.maker", (Path(__file__).parent / "files" / "everything.maker").read_text("utf-8"))
    tree = parse(source, Problems())
    assert tree is not None
    return texts + [f"task t {{\n  {part.span.text}\n}}\n" for task in tree.tasks for part in task.parts]


def mutate(text: str, words: list[str], chance: random.Random) -> str:
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(text) + 1)
        to = min(len(text), at + chance.choice([1, 1, 2, 5, 30, 300]))
        other = chance.randrange(len(text) + 1)
        match chance.randrange(6):
            case 0:
                text = text[:at] + text[to:]
            case 1:
                text = text[:at] + chance.choice(SCRAPS) + text[at:]
            case 2:
                text = text[:at] + f" {chance.choice(words)} " + text[at:]
            case 3:
                text = text[:at] + text[at:to] + text[at:]
            case 4:
                text = text[:other] + text[at:to] + text[other:]
            case _:
                text = text[:at] + chance.choice(SCRAPS) + text[to:]
    return text


def fuzz(count: int, seed: int) -> None:
    chance = random.Random(seed)
    table = load_table()
    words = [*table.words, *table.signs, "12", "1.5", '"x"', "name"]
    texts = originals()
    for number in range(count):
        text = mutate(chance.choice(texts), words, chance)
        problems = Problems()
        started = time.process_time()
        try:
            tree = parse(Source("fuzz.maker", text), problems)
            render_all(problems)
        except Exception as error:
            raise AssertionError(f"mutation {number} of seed {seed} raised {error!r}:\n{text}") from error
        assert time.process_time() - started < BOUND_S, f"mutation {number} of seed {seed} took too long:\n{text}"
        assert tree is not None or problems.has_errors, f"mutation {number} of seed {seed}: nothing said:\n{text}"


def test_mutated_files_are_never_too_much() -> None:
    fuzz(500, SEED)


@pytest.mark.long
@pytest.mark.parametrize("part", range(10))
def test_twenty_thousand_mutated_files_are_never_too_much(part: int) -> None:
    fuzz(2_000, SEED + 1 + part)
