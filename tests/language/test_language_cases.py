"""Broken task files of many kinds and what the author is told: the cases in `cases/`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from golden import Case, cases

from maker_dsl.diagnostics import Source
from maker_dsl.diagnostics.text import render_all
from maker_dsl.language import check_text


@pytest.mark.timeout(20)
@pytest.mark.parametrize("case", cases(Path(__file__).parent / "cases"))
def test_mistake_is_explained(case: Case, golden: Callable[[Case, str], None]) -> None:
    checked = check_text(Source("task.maker", case.input("maker")))
    assert checked.diagnostics
    assert (checked.program is None) == checked.has_errors
    golden(case, render_all(checked.diagnostics))
