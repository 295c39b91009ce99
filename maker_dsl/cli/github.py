"""Failed tests as GitHub's workflow commands: each becomes an annotation at its line of the task file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from maker_dsl.cli.case_report import Case


def render(cases: Sequence[Case]) -> str:
    """A line for each case that failed; empty where none did."""
    return "\n".join(_annotation(case) for case in cases if case.failure or case.error)


def _annotation(case: Case) -> str:
    properties = {"file": case.file, "line": case.line, "col": case.column, "title": f"maker test: {case.name}"}
    listed = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items())
    return f"::error {listed}::{_data(case.failure or case.error or '')}"


def _data(text: str) -> str:
    """A message as the runner reads it back: its line breaks would end the command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
