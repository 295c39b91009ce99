"""The parse table: free of conflicts, and kept between runs without ever being trusted."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from maker_dsl.bundled import bundled_path
from maker_dsl.diagnostics import Problems, Source
from maker_dsl.syntax import table
from maker_dsl.syntax.build import Builder
from maker_dsl.syntax.parser import parse


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache directory of the user."""
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda *_, **__: str(tmp_path / "cache"))
    table.load_table.cache_clear()
    return tmp_path / "cache"


def grammar() -> str:
    path = bundled_path("grammars", "maker")
    assert path is not None
    return path.read_text(encoding="utf-8")


def test_grammar_has_no_conflicts_and_no_colliding_terminals() -> None:
    assert table.make(grammar(), strict=True)["states"]


def test_every_construct_has_its_builder() -> None:
    missing = [
        rule.build
        for rule in table.load_table().rules
        if not rule.is_spliced and not rule.is_through and not hasattr(Builder, f"_{rule.build}")
    ]
    assert missing == []


def test_table_is_kept_and_used_again(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = table.load_table()
    assert len(list(cache.iterdir())) == 1
    table.load_table.cache_clear()
    monkeypatch.setattr(table, "make", lambda _: pytest.fail("the kept table was not used"))
    assert table.load_table() == first


@pytest.mark.parametrize("damage", [b"", b"{}", b"x" * 100, b"abc\n{}", b"\xff\xfe"])
def test_damaged_table_is_made_again(cache: Path, damage: bytes) -> None:
    first = table.load_table()
    (kept,) = cache.iterdir()
    kept.write_bytes(damage)
    table.load_table.cache_clear()
    assert table.load_table() == first
    assert kept.stat().st_size > 1000


def test_cut_table_is_made_again(cache: Path) -> None:
    first = table.load_table()
    (kept,) = cache.iterdir()
    kept.write_bytes(kept.read_bytes()[:-100])
    table.load_table.cache_clear()
    assert table.load_table() == first


def test_another_grammar_has_another_name(cache: Path) -> None:
    assert table._kept_path("a") != table._kept_path("b")


def test_without_a_cache_directory_it_still_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda *_, **__: str(tmp_path / "file" / "below"))
    table.load_table.cache_clear()
    problems = Problems()
    assert parse(Source("t.maker", "task t { done when true }"), problems) is not None
    table.load_table.cache_clear()


def test_lark_is_not_imported_with_a_kept_table() -> None:
    table.load_table.cache_clear()
    table.load_table()
    code = (
        "import sys\n"
        "from maker_dsl.diagnostics import Problems, Source\n"
        "from maker_dsl.syntax.parser import parse\n"
        "parse(Source('t', 'task t { done when true }'), Problems())\n"
        "print([name for name in ('lark', 'litellm') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []
