"""The files that belong together: a file, those that it uses, and those that they use.

Files come through a reader, so that checking stays pure. All of them are diagnosed in one go, each with its own source;
what can't be read or parsed leaves the tasks that need it without findings of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from maker_dsl.checker.checked import CheckedTask
from maker_dsl.checker.replies import GrammarReader
from maker_dsl.checker.run_steps import runs_tasks
from maker_dsl.checker.signatures import TaskSignature, VisibleTasks
from maker_dsl.checker.task import DeclaredTask, declare_task, finish_task
from maker_dsl.diagnostics import Label, Problems, Severity, Source, Span
from maker_dsl.syntax import tree
from maker_dsl.syntax.parser import parse

MAX_FILES = 100
MAX_CHARACTERS = 1_000_000
"""How much text all the files may have together."""

MAX_TASKS = 1_000
"""How many tasks there may be in all files, where tasks run tasks."""


@dataclass(frozen=True, slots=True)
class UsedFile:
    """A file as a reader gives it. `key` tells files apart; `read_file` finds those that it uses."""

    key: str
    source: Source
    read_grammar: GrammarReader
    read_file: FileReader


FileReader = Callable[[str], UsedFile | None]
"""Gives a file by the name in `use "name"`; None where there is none. Raises FileUnreadable."""


class FileUnreadable(Exception):
    """A file that is there but can't be read; says why."""


@dataclass(slots=True)
class ProjectFile:
    """One of the files, parsed. `is_broken` where some of it could not be read."""

    file: UsedFile
    parsed: tree.TaskFile | None
    is_broken: bool
    uses: list[tuple[tree.Use, ProjectFile | None]] = field(default_factory=list)

    @property
    def source(self) -> Source:
        """Its text."""
        return self.file.source

    @property
    def name(self) -> str:
        """Its name without the folder."""
        return self.source.name.replace("\\", "/").rsplit("/", 1)[-1]

    @property
    def tasks(self) -> Sequence[tree.TaskDeclaration]:
        """The tasks in it, as far as they could be read."""
        return () if self.parsed is None else self.parsed.tasks


class _Gathering:
    """Follows the uses, depth first, in the order of the files."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._by_key: dict[str, ProjectFile] = {}
        self._path: list[tuple[ProjectFile, tree.Use]] = []
        self._characters = 0
        self._is_full = False

    @property
    def files(self) -> tuple[ProjectFile, ...]:
        return tuple(self._by_key.values())

    def add(self, file: UsedFile) -> ProjectFile:
        found = Problems()
        parsed = parse(file.source, found)
        self._problems.extend(found)
        self._characters += len(file.source.text)
        made = self._by_key[file.key] = ProjectFile(file, parsed, parsed is None or found.has_errors)
        for use in () if parsed is None else parsed.uses:
            self._path.append((made, use))
            made.uses.append((use, self._follow(made, use)))
            self._path.pop()
        return made

    def _follow(self, user: ProjectFile, use: tree.Use) -> ProjectFile | None:
        name = use.path.value
        if self._is_full:
            return None
        if len(user.uses) >= MAX_FILES:
            self._refuse_more(use)
            return None
        if not _is_plain(name):
            title = "only a `.maker` file beside this one can be used"
            help = 'write a relative path without `..`, such as `use "digits.maker"`'
            self._problems.add("MK221", title, use.path.span, help=help)
            return None
        if name == user.name:
            title = "this file uses itself"
            help = "delete this line: the tasks of a file can run one another"
            self._problems.add("MK222", title, use.path.span, help=help)
            return user
        try:
            file = user.file.read_file(name)
        except FileUnreadable as unreadable:
            self._problems.add("MK221", f"`{name}` can't be used", use.path.span, str(unreadable))
            return None
        if file is None:
            help = "it is looked for beside this file, then among the bundled tasks"
            self._problems.add("MK221", f"there is no file `{name}`", use.path.span, help=help)
            return None
        known = self._by_key.get(file.key)
        if known is not None:
            self._refuse_circle(known)
            return known
        if len(self._by_key) >= MAX_FILES or self._characters + len(file.source.text) > MAX_CHARACTERS:
            self._refuse_more(use)
            return None
        return self.add(file)

    def _refuse_more(self, use: tree.Use) -> None:
        """Report, once, that there is no room for more; what is used beyond that is not looked at."""
        self._is_full = True
        title = "these are too many files, or too large ones"
        label = f"at most {MAX_FILES} files with {MAX_CHARACTERS:,} characters in all can belong together"
        self._problems.add("MK221", title, use.path.span, label)

    def _refuse_circle(self, known: ProjectFile) -> None:
        """Report a file that is being used already by the files that lead to it, at the same place from wherever."""
        behind = [file for file, _ in self._path]
        if not any(file is known for file in behind):
            return
        start = next(index for index, file in enumerate(behind) if file is known)
        circle = self._path[start:]
        first = min(range(len(circle)), key=lambda index: circle[index][0].source.name)
        circle = [*circle[first:], *circle[:first]]
        (_, use), *others = circle
        title = "these files use one another in a circle"
        help = "put the tasks that several of them need into a file that uses none of them"
        also = [Label(one.path.span, f"`{file.name}` uses this file") for file, one in others]
        self._problems.add("MK222", title, use.path.span, f"`{circle[0][0].name}` uses this file", also=also, help=help)


def read_project(main: UsedFile, problems: Problems) -> tuple[ProjectFile, ...]:
    """Parse a file and all that belong to it; the file itself comes first."""
    gathering = _Gathering(problems)
    gathering.add(main)
    return gathering.files


def check_project(files: Sequence[ProjectFile], problems: Problems) -> tuple[CheckedTask, ...]:
    """Check all tasks of all files, those of the first file first; tasks with errors are left out."""
    declared = {
        id(file): [declare_task(task, file.source, problems) for task in file.tasks]
        for file in files
        if not file.is_broken
    }
    _refuse_clashes(files, problems)
    if _refuse_crowd(files, problems):
        return ()
    made: list[CheckedTask | None] = []
    seen: dict[int, VisibleTasks] = {}
    for file in files:
        if not file.is_broken:
            visible = seen[id(file)] = _visible(file, files, declared)
            made += [finish_task(task, file.file.read_grammar, visible) for task in declared[id(file)]]
    if not problems.has_errors:
        for file in files:
            _warn_unused(file, seen[id(file)], problems)
    return tuple(one for one in made if one is not None)


def _visible(file: ProjectFile, files: Sequence[ProjectFile], declared: dict[int, list[DeclaredTask]]) -> VisibleTasks:
    direct = {id(file): file} | {id(used): used for _, used in file.uses if used is not None}
    tasks: dict[str, TaskSignature | None] = {}
    for one in reversed(direct.values()):
        tasks.update((task.name.name, None) for task in one.tasks)
        tasks.update((task.signature.name, task.signature) for task in reversed(declared.get(id(one), [])))
    others = [one for one in files if id(one) not in direct]
    elsewhere = {task.name.name: task.name.span for one in others for task in one.tasks}
    users = _users(file, files)
    return VisibleTasks(
        tasks=tasks,
        missing=tuple(use.path.value for use, used in file.uses if used is None),
        is_complete=not any(used.is_broken for _, used in file.uses if used is not None),
        elsewhere={name: span for name, span in elsewhere.items() if name not in tasks},
        above=frozenset(task.name.name for one in others if id(one) in users for task in one.tasks),
    )


def _users(goal: ProjectFile, files: Sequence[ProjectFile]) -> set[int]:
    """The files that use a file, directly or not, by their `id`."""
    by_used: dict[int, set[int]] = {}
    for file in files:
        for _, used in file.uses:
            if used is not None:
                by_used.setdefault(id(used), set()).add(id(file))
    seen = {id(goal)}
    waiting = [id(goal)]
    while waiting:
        new = by_used.get(waiting.pop(), set()) - seen
        seen |= new
        waiting += new
    return seen


def _refuse_clashes(files: Sequence[ProjectFile], problems: Problems) -> None:
    """Report tasks of one name, and one that would be taken for the first file's main task."""
    first: dict[str, Span] = {}
    for file in files:
        for task in file.tasks:
            name = task.name.name
            if name in first:
                here = first[name].source is file.source
                title = f"the task `{name}` stands twice" if here else f"there are two tasks `{name}`"
                label = "a second time here" if here else "this file and the other one belong together"
                help = None if here else "rename one of them: a name means one task in all files that belong together"
                problems.add("MK275", title, task.name.span, label, also=[Label(first[name], "first here")], help=help)
            else:
                first[name] = task.name.span
    stem = files[0].name.removesuffix(".maker")
    place = first.get(stem)
    if place is not None and place.source is not files[0].source:
        title = f"the task `{stem}` of another file has the name of the file that uses it"
        help = f"`{files[0].name}` has to have a task `{stem}` itself then, or another name"
        problems.add("MK275", title, place, f"`{files[0].name}` stands for one of its own tasks", help=help)


def _refuse_crowd(files: Sequence[ProjectFile], problems: Problems) -> bool:
    """Report more tasks than may run one another: what each of them leads to is looked at together."""
    tasks = [task for file in files for task in file.tasks]
    is_crowd = len(tasks) > MAX_TASKS and any(runs_tasks(part) for task in tasks for part in task.parts)
    if is_crowd:
        title = f"where tasks run tasks, there can be {MAX_TASKS:,} of them"
        problems.add("MK221", title, tasks[MAX_TASKS].name.span, f"these are {len(tasks):,}")
    return is_crowd


def _warn_unused(file: ProjectFile, visible: VisibleTasks, problems: Problems) -> None:
    seen: dict[int, tree.Use] = {}
    for use, used in file.uses:
        if used is None:
            continue
        title = f'`use "{use.path.value}"` is never used'
        label = "no `run` in this file needs a task of it"
        also: tuple[Label, ...] = ()
        if id(used) in seen:
            label, also = "a second time here", (Label(seen[id(used)].path.span, "first here"),)
        elif {task.name.name for task in used.tasks} & visible.needed:
            seen[id(used)] = use
            continue
        seen[id(used)] = use
        problems.add("MK270", title, use.path.span, label, also=also, help="delete it", severity=Severity.WARNING)


def _is_plain(name: str) -> bool:
    """Whether the name is that of a `.maker` file below the folder of the one that uses it."""
    parts = name.replace("\\", "/").split("/")
    return name.endswith(".maker") and not (".." in parts or "" in parts or ":" in name or "\0" in name)


def whole_tasks(tasks: Sequence[CheckedTask]) -> tuple[CheckedTask, ...]:
    """Those of the tasks all of whose sub-tasks, direct or not, are among them."""
    users: dict[str, list[str]] = {}
    for task in tasks:
        for run in task.runs:
            users.setdefault(run.task, []).append(task.name)
    names = {task.name for task in tasks}
    waiting = [name for name in users if name not in names]
    wrong: set[str] = set()
    while waiting:
        for user in users.get(waiting.pop(), ()):
            if user not in wrong:
                wrong.add(user)
                waiting.append(user)
    return tuple(task for task in tasks if task.name not in wrong)
