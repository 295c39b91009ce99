"""Explain pages and codes belong together: every code has a page, and every page's examples are as it says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from transcript import run_maker

import maker_dsl
from maker_dsl.compiler.grammar_files import grammar_file_format
from maker_dsl.diagnostics import Problems, Source, pages
from maker_dsl.language import check_text
from maker_dsl.testing import failed_tests

PACKAGE = Path(maker_dsl.__file__).parent
CODES = pages.codes()


def codes_in_source() -> dict[str, str]:
    """The codes that the package's own code names, each with a file that does."""
    found: dict[str, str] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        for code in re.findall(r"\"(MK\d{3})\"", path.read_text(encoding="utf-8")):
            found.setdefault(code, str(path.relative_to(PACKAGE)))
    return found


def codes_of(text: str) -> list[str]:
    checked = check_text(Source("example.maker", text))
    failed = () if checked.program is None else failed_tests(checked.program)
    return sorted({found.code for found in (*checked.diagnostics, *failed)})


def test_every_code_has_a_page() -> None:
    missing = {code: file for code, file in codes_in_source().items() if code not in CODES}
    assert missing == {}


def test_every_page_belongs_to_a_code() -> None:
    assert sorted(set(CODES) - set(codes_in_source())) == []


@pytest.mark.parametrize("code", CODES)
def test_page_is_of_the_form_and_speaks_of_its_code(code: str) -> None:
    page = pages.page(code)
    assert page is not None
    assert page.title == page.title.strip()
    assert page.body
    assert page.wrong != page.right
    assert pages.page(code.lower()) == page


@pytest.mark.parametrize("code", [code for code in CODES if pages.page(code).language == "maker"])  # type: ignore[union-attr]
def test_examples_are_wrong_and_right(code: str) -> None:
    page = pages.page(code)
    assert page is not None
    assert codes_of(page.wrong) == [code]
    assert codes_of(page.right) == []


@pytest.mark.parametrize("code", [code for code in CODES if pages.page(code).language == "sh"])  # type: ignore[union-attr]
def test_the_wrong_command_ends_with_its_code(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = pages.page(code)
    assert page is not None
    monkeypatch.chdir(tmp_path)
    output = ""
    for line in page.wrong.splitlines():
        words = shlex.split(line)
        assert words[0] == "maker"
        output, _ = run_maker(words[1:])
    assert re.findall(r"MK\d{3}", output) == [code]


@pytest.mark.parametrize("code", [code for code in CODES if pages.page(code).language == "lark"])  # type: ignore[union-attr]
def test_grammar_files_are_wrong_and_right(code: str) -> None:
    page = pages.page(code)
    assert page is not None
    found = Problems()
    assert grammar_file_format(Source("wrong.lark", page.wrong), found) is None
    assert [one.code for one in found] == [code]
    assert grammar_file_format(Source("right.lark", page.right), Problems()) is not None


@pytest.mark.parametrize("code", ["MK000", "MK1", "mk", "../MK101", "MK101.md", ""])
def test_an_unknown_code_has_no_page(code: str) -> None:
    assert pages.page(code) is None
