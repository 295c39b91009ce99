"""Mutated task files: the language finds what is wrong or runs them, and never crashes or hangs."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from golden import read_cases

from maker_dsl.bundled import bundled_names, bundled_path
from maker_dsl.diagnostics import Source
from maker_dsl.diagnostics.text import render_all
from maker_dsl.language import check_text
from maker_dsl.testing import run_test

_TOKENS = re.compile(r"\s+|\w+|[^\w\s]")
_NUMBERS = ("0", "-1", "1", "10 ** 9", "99999999999", "2.5", '"x"', "null")
_MAX_SECONDS = 20.0
"""For one file, on a busy machine; the hostile ones take their ten million operations."""


def texts() -> list[str]:
    """The bundled tasks and all broken files among the cases."""
    found = [
        path.read_text(encoding="utf-8") for name in bundled_names("tasks") if (path := bundled_path("tasks", name))
    ]
    for path in sorted((Path(__file__).parent / "cases").glob("*.md")):
        found += [case.input("maker") for case in read_cases(path) if path.stem != "hostile"]
    for path in sorted((Path(__file__).parent / "projects").glob("*.md")):
        found += [block.text for case in read_cases(path) for block in case.inputs]
    return found


def mutate(text: str, words: Sequence[str], chance: random.Random) -> str:
    """The text with a few tokens dropped, doubled, put in, or exchanged for others."""
    parts = _TOKENS.findall(text)
    for _ in range(chance.randrange(1, 4)):
        if not parts:
            break
        at = chance.randrange(len(parts))
        match chance.randrange(6):
            case 0:
                del parts[at]
            case 1:
                parts.insert(at, chance.choice(words))
            case 2:
                parts[at] = chance.choice(words)
            case 3:
                parts[at:at] = parts[at : at + chance.randrange(20)]
            case 4:
                names = [index for index, part in enumerate(parts) if part.isidentifier()]
                if names:
                    parts[chance.choice(names)] = parts[chance.choice(names)]
            case _:
                numbers = [index for index, part in enumerate(parts) if part.isdigit()]
                if numbers:
                    parts[chance.choice(numbers)] = chance.choice(_NUMBERS)
    return "".join(parts)


def _try(count: int, seed: int) -> None:
    chance = random.Random(seed)
    originals = texts()
    words = sorted({token for text in originals for token in _TOKENS.findall(text)})
    for _ in range(count):
        text = mutate(chance.choice(originals), words, chance)
        began = time.monotonic()
        checked = check_text(Source("task.maker", text))
        render_all(checked.diagnostics)
        if checked.program is not None:
            for test in checked.program.tests:
                run_test(test)
        assert time.monotonic() - began < _MAX_SECONDS, text


def test_mutated_files_neither_crash_nor_hang() -> None:
    _try(150, 1)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 7))
def test_many_mutated_files_neither_crash_nor_hang(seed: int) -> None:
    _try(4_000, seed)
