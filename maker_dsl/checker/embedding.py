"""A task file's text with the grammars and the task files that it names put into it: all that it is, in one text.

Runs keep this text, so that they can be resumed and verified whatever became of the files.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from maker_dsl.checker.checked import CheckedTask
from maker_dsl.checker.grammar_fields import written_fields
from maker_dsl.checker.project import ProjectFile
from maker_dsl.diagnostics import Source
from maker_dsl.syntax import tree

_GAP = re.compile(r"\s+|#[^\n]*|;")
"""What may stand between two entries of a file: white space, a comment, a separator."""


@dataclass(frozen=True, slots=True)
class _Change:
    """What stands in the kept text instead of some characters of a file."""

    start: int
    end: int
    text: str


def whole_text(files: Sequence[ProjectFile], tasks: Iterable[CheckedTask]) -> str:
    """The text of the first file with each `from "file.lark"` replaced by the grammar itself, and all that it uses.

    A `use` becomes a comment of the same length, so that places stay what they were; the used files follow at the end.
    """
    all_tasks = tuple(tasks)
    texts: list[str] = []
    for number, file in enumerate(files):
        own = [task for task in all_tasks if task.source is file.source]
        changes = [*_grammars(file.source, own), *_uses(file)]
        if number > 0:
            changes += _version(file)
            texts.append(f"\n# {file.name!r}\n")
        texts.append(_changed(file.source.text, changes))
    return "".join(texts)


def _changed(text: str, changes: Iterable[_Change]) -> str:
    pieces: list[str] = []
    at = 0
    for change in sorted(changes, key=lambda one: one.start):
        pieces += [text[at : change.start], change.text]
        at = change.end
    return "".join([*pieces, text[at:]])


def _grammars(source: Source, tasks: Iterable[CheckedTask]) -> Iterable[_Change]:
    for task in tasks:
        for step in task.asking_steps:
            notation = step.reply.notation
            if isinstance(notation, tree.ReplyGrammar) and notation.path is not None and step.grammar is not None:
                span = notation.path.span
                start = _from(source.text, notation.span.start)
                yield _Change(start, span.end, _block(step.grammar) + _fields(notation, source))


def _uses(file: ProjectFile) -> Iterable[_Change]:
    text = file.source.text
    for use, _ in file.uses:
        start, end = use.span.start, use.span.end
        rest = text[end:].partition("\n")[0].strip()
        if (not rest or rest.startswith("#")) and "\n" not in text[start:end]:
            yield _Change(start, end, "#".ljust(len("use")) + text[start + len("use") : end])
        else:
            yield _Change(start, end, _blanks(text[start:end]))
        yield from _separators(text, end)


def _separators(text: str, start: int) -> Iterable[_Change]:
    """Every `;` behind a `use`, which would separate nothing any more."""
    while gap := _GAP.match(text, start):
        start = gap.end()
        if text[start - 1] == ";":
            yield _Change(start - 1, start, " ")


def _from(text: str, start: int) -> int:
    """Where the word `from` stands in `grammar from "name"`, which begins at `start`."""
    at = start + len("grammar")
    while gap := _GAP.match(text, at):
        at = gap.end()
    assert text.startswith("from", at)
    return at


def _version(file: ProjectFile) -> Iterable[_Change]:
    if file.parsed is not None and file.parsed.version is not None:
        text, end = file.source.text, file.parsed.version.span.end
        start = text.rindex("maker", 0, end)
        while end < len(text) and text[end] in " \t;":
            end += 1
        yield _Change(start, end, _blanks(text[start:end]))


def _blanks(text: str) -> str:
    return "".join(character if character == "\n" else " " for character in text)


def _block(grammar: str) -> str:
    """A text block that reads as the grammar, up to white space at the ends of lines and its indentation."""
    quoted = grammar.replace('"', '\\"')
    return f'"""\n{quoted}\n"""'


def _fields(notation: tree.ReplyGrammar, source: Source) -> str:
    """The braces that the author left out, because the grammar file has them."""
    files = [member.span.source for member in notation.members or ()]
    return f" {written_fields(files[0])}" if files and files[0] is not source else ""
