"""Shared by all tests: golden cases."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from golden import Case

collect_ignore_glob = ["**/*.maker"]
"""Task files below `tests` are material: not all of them are right."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite the output blocks of golden cases")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[Case, str], None]:
    """Compares an output with a golden case, or rewrites the case with --update-golden."""
    update = bool(request.config.getoption("--update-golden"))
    return lambda case, actual: case.check(actual, update=update)
