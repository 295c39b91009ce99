"""Broken files as large as a file may be: they are refused, and before the reader has lost patience."""

from __future__ import annotations

import pytest

from maker_dsl.diagnostics import Problems, Source
from maker_dsl.language import check_text
from maker_dsl.syntax.parser import parse

START = (
    'task t { state { n: int = 3 }\n done when n == 0\n step { prompt "N {{ n }}"\n reply "next = {value: int}"\n }\n'
)

BROKEN: dict[str, tuple[str, set[str]]] = {
    "tasks inside tasks": ("task t {" * 100_000, {"MK121"}),
    "dots": ("." * 1_000_000, {"MK101"}),
    "conditionals": (START + 'invariant "x": ' + "1 if n > 0 else " * 20_000 + "1\n}\n", {"MK109"}),
    "open quotes": ("x" * 900_000 + "\n" + '"\n' * 29_000, {"MK102"}),
    "open text blocks": ('"""\n' * 29_001, {"MK103"}),
    "single quotes": ("'a'\n" * 29_000, {"MK108"}),
    "open braces": (START + "\n{" * 29_000, {"MK118"}),
    "closing braces": (START + "\n}" * 29_000, {"MK119"}),
    "a mistake in every line": (START + "def e(x: int) -> int = +\n" * 5_000 + "}\n", {"MK123"}),
}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", BROKEN)
def test_a_large_broken_file_is_refused_in_time(name: str) -> None:
    text, codes = BROKEN[name]
    problems = Problems()
    parse(Source("t.maker", text), problems)
    assert problems.has_errors
    assert {one.code for one in problems} <= codes
    assert len(problems) <= 25


def test_mistakes_behind_the_first_are_still_found_in_a_long_file() -> None:
    good = "".join(f"def d{i}(x: int) -> int = x + {i}\n" for i in range(400))
    problems = Problems()
    parse(Source("t.maker", START + good + "def e(x: int) -> int = +\n" * 12 + "}\n"), problems)
    assert len(problems) > 5


@pytest.mark.timeout(120)
def test_defs_that_call_all_others_are_refused_in_time() -> None:
    calls = ["".join(f" + d{j}(x)" for j in range(max(0, i - 60), i + 1)) for i in range(150)]
    defs = "".join(f"def d{i}(x: int) -> int = x{calls[i]}\n" for i in range(150))
    found = check_text(Source("t.maker", START + defs + "}\n")).diagnostics
    assert "MK257" in {one.code for one in found}
