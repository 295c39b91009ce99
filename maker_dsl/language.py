"""The language, from a text to a program: read → parse → check → compile → try out.

This is the whole path, to be read aloud; each phase has a folder of its own. The files that a text uses go the same way
with it. Texts are checked without being run:
what is wrong comes back as diagnostics, all that can be found in one go.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from maker_dsl.bundled import bundled_names, bundled_path, reply_grammar_names, reply_grammar_path
from maker_dsl.checker.embedding import whole_text
from maker_dsl.checker.project import (
    FileReader,
    FileUnreadable,
    UsedFile,
    check_project,
    read_project,
    whole_tasks,
)
from maker_dsl.checker.replies import GrammarReader
from maker_dsl.compiler.binding import InputRefused
from maker_dsl.compiler.checkers import BoundCheckers
from maker_dsl.compiler.program import Program, TaskInput
from maker_dsl.compiler.trial import try_out
from maker_dsl.diagnostics import Diagnostic, Problems, Severity, Source, did_you_mean
from maker_dsl.expressions.fuel import FUEL, shared_fuel
from maker_dsl.expressions.limits import MAX_PROJECT_FUEL, MAX_TRIAL_FUEL
from maker_dsl.task import Checkers

__all__ = ["Checked", "FileProblem", "InputRefused", "Program", "TaskInput", "check_text", "load", "read_source"]

MAX_FILE_BYTES = 1_000_000
"""How large a task file may be."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a file turned out to be: the findings, and its programs unless there are errors.

    Findings and programs are those of the file, followed by those of the files that it uses.
    """

    source: Source
    diagnostics: tuple[Diagnostic, ...]
    programs: tuple[Program, ...]

    @property
    def program(self) -> Program | None:
        """The main task: the one named like the file, else the first in it; None after errors."""
        stem = Path(self.source.name).stem
        own = [program for program in self.programs if program.source is self.source]
        named = [program for program in own if program.name == stem]
        return next(iter([*named, *own]), None)

    @property
    def has_errors(self) -> bool:
        """Whether something keeps the file from being run."""
        return any(one.severity is Severity.ERROR for one in self.diagnostics)


class FileProblem(Exception):
    """A task file can't be read at all; `hint` says what to do."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


def load(name: str | Path, checkers: Checkers | None = None) -> Checked:
    """Read and check a file, given its path or the name of a bundled task; raises FileProblem."""
    path = find_file(name)
    return check_text(read_source(path), grammar_reader(path.parent), checkers=checkers)


def check_text(
    source: Source,
    read_grammar: GrammarReader | None = None,
    read_file: FileReader | None = None,
    *,
    checkers: Checkers | None = None,
) -> Checked:
    """Parse, check, compile and try out a text and the files that it uses.

    `read_grammar` gives the files that `grammar from` names, `read_file` those that `use` names. Without them they are
    looked for beside the file that the source is named after, and among the bundled ones. `checkers` are those of the
    plug-ins that are allowed.
    """
    folder = Path(source.name).parent
    main = UsedFile(
        os.path.realpath(source.name),
        source,
        read_grammar or grammar_reader(folder),
        read_file or task_file_reader(folder),
    )
    problems = Problems()
    files = read_project(main, problems)
    tasks = check_project(files, problems)
    programs: dict[str, Program] = {}
    is_broken = False
    text = whole_text(files, tasks)
    for checked in tasks:
        bound = BoundCheckers(checked.checkers, checkers, problems)
        programs[checked.name] = Program(checked, text, programs, bound)
        is_broken = is_broken or bound.is_broken
    with shared_fuel(MAX_PROJECT_FUEL):
        for checked in () if is_broken else whole_tasks(tasks):
            if FUEL.left >= MAX_TRIAL_FUEL:
                try_out(programs[checked.name], problems)
    return Checked(source, problems.sorted(), () if problems.has_errors else tuple(programs.values()))


def find_file(name: str | Path) -> Path:
    """The path of a task given by path or bundled name; raises FileProblem."""
    path = Path(name)
    if path.suffix == ".maker" or path.is_file():
        if path.is_file():
            return path
        beside = [str(one) for one in path.parent.glob("*.maker")] if path.parent.is_dir() else []
        hint = did_you_mean(str(path), sorted(beside), "see `maker --help` for how to name a task")
        raise FileProblem(f"there is no file `{name}`", hint)
    bundled = bundled_path("tasks", str(name))
    if bundled is not None:
        return bundled
    known = bundled_names("tasks")
    listed = "give a path, or the name of a bundled task: " + ", ".join(known)
    raise FileProblem(f"there is no task `{name}`", did_you_mean(str(name), known, listed))


def read_source(path: Path) -> Source:
    """The text of a file with its name; raises FileProblem."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise FileProblem(f"`{path}` can't be read: {error.strerror}") from error
    if len(data) > MAX_FILE_BYTES:
        raise FileProblem(f"`{path}` is larger than {MAX_FILE_BYTES:,} bytes")
    try:
        # A file's name need not be UTF-8; what is written down of a run has to be.
        name = os.fsencode(path).decode("utf-8", "replace")
        return Source(name, data.decode("utf-8-sig").replace("\r\n", "\n"))
    except UnicodeDecodeError as error:
        raise FileProblem(f"`{path}` is not UTF-8 text (byte {error.start})") from error


@dataclass(frozen=True, slots=True)
class GrammarFolder:
    """Finds grammar files beside a task file, then among the bundled ones."""

    folder: Path

    @property
    def names(self) -> tuple[str, ...]:
        """The grammars that a task in the folder can take, without suffix."""
        beside = (path.stem for path in self.folder.glob("*.lark")) if self.folder.is_dir() else ()
        return tuple(sorted({*beside, *reply_grammar_names()}))

    def __call__(self, name: str, /) -> Source | None:
        """The file of that name; raises FileProblem where it can't be read."""
        beside = self.folder / name
        path = beside if beside.is_file() else reply_grammar_path(name)
        return None if path is None else read_source(path)


def grammar_reader(folder: Path) -> GrammarReader:
    """Finds the grammar files that a task in the folder names."""
    return GrammarFolder(folder)


def task_file_reader(folder: Path) -> FileReader:
    """Finds task files beside one that uses them, then among the bundled ones."""

    def read(name: str) -> UsedFile | None:
        beside = folder / name
        try:
            path = beside if beside.is_file() else bundled_path("tasks", name)
        except OSError:  # such as a name that is too long
            return None
        if path is None:
            return None
        try:
            source = read_source(path)
        except FileProblem as problem:
            raise FileUnreadable(str(problem)) from problem
        return UsedFile(os.path.realpath(path), source, grammar_reader(path.parent), task_file_reader(path.parent))

    return read
