"""Puts packages with plug-ins where this process and those of the plug-ins find them, as an installation would."""

from __future__ import annotations

import os
import shutil
import tomllib
from pathlib import Path

import pytest

from maker_dsl.plugins import allowed

EXAMPLE = Path(__file__).parent / "plugins" / "example_package"


def install(package: Path, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Copy a package and write the metadata that an installer would write from its pyproject.toml."""
    project = tomllib.loads((package / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    shutil.copytree(package, site, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    info = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    points = project["entry-points"]["maker_dsl.checkers"]
    lines = [f"{name} = {target}" for name, target in points.items()]
    (info / "entry_points.txt").write_text("\n".join(["[maker_dsl.checkers]", *lines]) + "\n")
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setattr(allowed, "_STARTED", {})


def write_plugin(folder: Path, name: str, body: str) -> Path:
    """A package of one module that offers a plug-in of its name; `body` must define `plugin`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").write_text(
        f'[project]\nname = "{name}"\nversion = "1"\n'
        f'[project.entry-points."maker_dsl.checkers"]\n{name} = "{name}:plugin"\n'
    )
    (folder / f"{name}.py").write_text("from maker_dsl.plugins import CannotJudge, CheckerPlugin\n" + body)
    return folder
