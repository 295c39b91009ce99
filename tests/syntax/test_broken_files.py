"""Broken task files and what the author is told: the cases in `cases/`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from golden import Case, cases

from maker_dsl.diagnostics import Problems, Source
from maker_dsl.diagnostics.text import render_all
from maker_dsl.syntax.parser import parse


@pytest.mark.parametrize("case", cases(Path(__file__).parent / "cases"))
def test_mistake_is_explained(case: Case, golden: Callable[[Case, str], None]) -> None:
    problems = Problems()
    parse(Source("task.maker", case.input("maker")), problems)
    assert problems.has_errors
    golden(case, render_all(problems))
