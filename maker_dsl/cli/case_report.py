"""What `maker test` reports of each test, and in which form: text, JSON Lines, JUnit's XML, GitHub's annotations.

Text and JSON go out as the tests run, the others when all are done. With a file to write to, the text goes to standard
output as ever and the file takes the form.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, TextIO

import click

from maker_dsl.cli import github, junit
from maker_dsl.cli.exits import ExitCode, Leave
from maker_dsl.cli.output import plain, result

Form = Literal["text", "json", "junit", "github"]


@dataclass(frozen=True, slots=True)
class Case:
    """One test and how it went: passed if none of `failure`, `error` and `skipped` says otherwise."""

    file: str
    """The path of the task file, also where a bundled task was named."""
    name: str
    line: int = 1
    column: int = 1
    seconds: float = 0.0
    failure: str | None = None
    """What differed."""
    error: str | None = None
    """Why nothing could be said: the file is wrong, or the provider failed."""
    skipped: str | None = None
    """Why it was not asked."""
    details: str | None = None
    """Numbers that belong to it, failed or not."""


class Reporter:
    """Takes the cases and what people and programs are to read of each."""

    def __init__(self, form: Form, output: Path | None) -> None:
        self._form = form
        self._cases: list[Case] = []
        self._file: TextIO | None = None
        if output is not None:
            # Opened before anything is run: what was paid for must not be lost to a wrong path.
            try:
                self._file = output.open("w", encoding="utf-8")
            except OSError as error:
                raise Leave(
                    ExitCode.USAGE, f"--output {output}: the file can't be written: {error.strerror}"
                ) from error

    def __enter__(self) -> Reporter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, case: Case) -> None:
        """Take note of a case."""
        self._cases.append(case)

    def text(self, text: str) -> None:
        """Print what people read."""
        if self._form == "text" or self._file is not None:
            result(text)

    def json(self, value: Any) -> None:
        """Print what programs read."""
        if self._form == "json":
            self._print(plain(value))

    def finish(self) -> None:
        """Write the report of all cases, in the forms that have one."""
        if self._form == "junit":
            self._print(junit.render(self._cases))
        elif self._form == "github":
            annotations = github.render(self._cases)
            if annotations:
                self._print(annotations)

    def _print(self, text: str) -> None:
        click.echo(text, file=self._file)
