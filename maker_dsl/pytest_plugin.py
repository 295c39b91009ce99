"""The pytest plug-in: every `test` of a `.maker` file is a test of pytest's, so that `pytest tasks/` just works.

Found by pytest through the entry point `maker`. Loads nothing of maker until a `.maker` file is met, since it is
imported in every project of an environment that maker is installed in. `maker_collect = false` in pytest's
configuration, or `-p no:maker`, switches it off.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from maker_dsl.testing import FileTest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the setting."""
    parser.addini("maker_collect", "whether the tests in .maker files are collected", type="bool", default=True)
    parser.addini("maker_allow", "plug-ins that the tasks' checkers may come from", type="args", default=[])


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> MakerFile | None:
    """Collect `.maker` files, given or met in a directory."""
    if file_path.suffix != ".maker" or not parent.config.getini("maker_collect"):
        return None
    return MakerFile.from_parent(parent, path=file_path)


class Failed(Exception):
    """A failed test, or a file that is wrong; the message is all that people are to read."""


class MakerFile(pytest.File):
    """A task file; its tests, or where it is wrong one item that fails with the diagnostics."""

    def collect(self) -> Iterable[pytest.Item]:
        """The tests in the file."""
        from maker_dsl.diagnostics.text import render_all
        from maker_dsl.language import FileProblem, InputRefused, load
        from maker_dsl.plugins.allowed import AllowedCheckers, PluginMissing
        from maker_dsl.testing import tests_of

        name = Path(os.path.relpath(self.path, self.config.invocation_params.dir))
        try:
            allowed = AllowedCheckers(self.config.getini("maker_allow"))
            checked = load(name if name.is_file() else self.path, allowed)
            if checked.has_errors:
                errors = [one for one in checked.diagnostics if one.severity.value == "error"]
                yield self._wrong(render_all(errors))
                return
            tests = tests_of(checked)
        except (FileProblem, PluginMissing) as problem:
            yield self._wrong(str(problem))
        except InputRefused as refused:
            yield self._wrong(render_all(refused.diagnostics))
        else:
            for found in tests:
                yield MakerTest.from_parent(self, name=found.name, found=found, file=checked.source.name)

    def _wrong(self, said: str) -> pytest.Item:
        return WrongFile.from_parent(self, name="check", said=said)


class _Item(pytest.Item):
    """What both kinds of item share: failures are told in the words of the language, without a traceback."""

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The text of a failed test; anything else is a bug, shown as pytest shows bugs."""
        if isinstance(excinfo.value, Failed):
            return str(excinfo.value)
        return super().repr_failure(excinfo)


class WrongFile(_Item):
    """A file that can't be read or has errors."""

    def __init__(self, *, said: str, **rest: Any) -> None:
        super().__init__(**rest)
        self._said = said

    def runtest(self) -> None:
        """Fail with what is wrong."""
        raise Failed(self._said)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """The file."""
        return self.path, None, f"{self.path.name}: check"


class MakerTest(_Item):
    """One `test` of a task file."""

    def __init__(self, *, found: FileTest, file: str, **rest: Any) -> None:
        super().__init__(**rest)
        self._found = found
        self._file = file

    def runtest(self) -> None:
        """Judge the test's reply, as `maker test` does."""
        from maker_dsl.testing import failure_text, run_test

        outcome = run_test(self._found.test)
        if outcome.unallowed is not None:
            pytest.skip(f"{outcome.unallowed.title}: see `maker_allow` in pytest's configuration")
        if not outcome.passed:
            raise Failed(failure_text(self._file, self._found.name, outcome.why))

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where the test stands in its file (pytest counts lines from 0)."""
        return self.path, self._found.place.line - 1, self.name
