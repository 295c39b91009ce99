"""What the documents show is what comes: console blocks are run, Python examples too."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from transcript import check_transcript, has_commands

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize(
    "path", [path for path in DOCUMENTS if has_commands(path)], ids=lambda path: str(path.relative_to(ROOT))
)
def test_a_document_shows_what_its_commands_print(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MAKER_PROVIDER", raising=False)
    check_transcript(path, tmp_path, update=bool(request.config.getoption("--update-golden")))


def test_the_python_example_runs() -> None:
    text = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    found = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert found is not None
    exec(compile(found[1], "docs/python.md", "exec"), {})


def test_links_between_documents_lead_somewhere() -> None:
    for path in DOCUMENTS:
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (path.parent / target).exists(), f"{path.relative_to(ROOT)} links to {target}"
