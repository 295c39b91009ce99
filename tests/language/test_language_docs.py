"""The examples of the documentation: whole files check clean, parts of the reference check within a small task."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from maker_dsl.diagnostics import Severity, Source
from maker_dsl.diagnostics.text import render_all
from maker_dsl.language import check_text
from maker_dsl.testing import failed_tests

DOCS = Path(__file__).resolve().parents[2] / "docs"

_BLOCK = re.compile(r"^```maker([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

_WHOLE = re.compile(r"^(task \w+ \{|maker \d)", re.MULTILINE)

_STEP = {
    "prompt": 'prompt "The number is {{ n }}. {{ reply.format }}"',
    "reply": 'reply "next = {value: int}"',
    "update": "update { n = reply.value }",
}
_TASK = {"state": "state { n: int = 3 }", "done when": "done when n == 0", "step": "step { … }"}


def _blocks() -> list[object]:
    found = []
    for path in sorted(DOCS.rglob("*.md")):
        text = path.read_text(encoding="utf-8")
        for match in _BLOCK.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            kind = match[1].strip()
            is_whole = _WHOLE.search(match[2]) is not None
            if (is_whole and not kind) or path.name == "language.md":
                kind = "whole" if is_whole and kind not in ("part", "step") else kind
                found.append(pytest.param(kind, match[2], id=f"{path.relative_to(DOCS)}:{line}"))
    return found


def whole_file(kind: str, text: str) -> str:
    """A whole file around an example: what it leaves out of a task or step is supplied."""
    if kind == "whole":
        return text
    if kind == "step":
        text = "step {\n" + text + _missing(_STEP, text) + "}\n"
    step = "step {\n" + "\n".join(_STEP.values()) + "\n}"
    return "task example {\n" + text + _missing({**_TASK, "step": step}, text) + "}\n"


def _missing(parts: dict[str, str], text: str) -> str:
    return "".join(f"{part}\n" for word, part in parts.items() if not re.search(rf"^ *{word}\b", text, re.MULTILINE))


@pytest.mark.parametrize(("kind", "text"), _blocks())
def test_example_checks_clean(kind: str, text: str) -> None:
    assert kind in ("whole", "part", "step")
    checked = check_text(Source("example.maker", whole_file(kind, text)))
    allowed = () if kind == "whole" else (Severity.WARNING,)
    assert all(one.severity in allowed for one in checked.diagnostics), render_all(checked.diagnostics)
    for program in checked.programs:
        if not any(one.is_required for one in program.inputs):
            assert failed_tests(program) == ()
