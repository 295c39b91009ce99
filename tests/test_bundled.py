"""Finding the files that come with the package."""

from __future__ import annotations

from pathlib import Path

import pytest

from maker_dsl import bundled
from maker_dsl.bundled import bundled_names, bundled_path


def test_found_with_and_without_suffix() -> None:
    path = bundled_path("grammars", "maker")
    assert path is not None
    assert path.name == "maker.lark"
    assert bundled_path("grammars", "maker.lark") == path
    assert "maker" in bundled_names("grammars")


@pytest.mark.parametrize("name", ["", ".lark", "../grammars/maker", "/etc/passwd", "nothing", "maker\0", "a/b", "."])
def test_other_names_are_not_found(name: str) -> None:
    assert bundled_path("grammars", name) is None


def test_the_wheels_copy_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "package"
    for folder in (package / "_bundled" / "tasks", tmp_path / "tasks", tmp_path / "providers"):
        folder.mkdir(parents=True)
        (folder / ("x" + (".toml" if folder.name == "providers" else ".maker"))).write_text("")
    monkeypatch.setattr(bundled, "_PACKAGE", package)
    assert bundled_path("tasks", "x") == package / "_bundled" / "tasks" / "x.maker"
    assert bundled_path("providers", "x") == tmp_path / "providers" / "x.toml"
    assert bundled_names("grammars") == ()
    assert bundled_path("grammars", "maker") is None
