"""What a grammar says of itself in the comment lines that it begins with.

`// fields { name: type, … }` declares what it gives (read by `checker.grammar_fields`), `// form: …` says in words for
a prompt what it describes, and `// example: …` shows a text of it; each line of either adds a line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_LINE = re.compile(r"[ \t]*(?://(?P<said>[^\n]*))?(?:\n|\Z)")
_FIELDS = re.compile(r"[ \t]*fields[ \t]*(?=\{)")
_SAYING = re.compile(r"[ \t]*(?P<kind>form|example):[ \t]?(?P<text>.*)")
_NEARLY_FIELDS = re.compile(r"^[ \t]*//[ \t]*\w*fields?\b[ \t]*[:=]?[ \t]*\{.*", re.MULTILINE | re.IGNORECASE)
_BRACE = re.compile(r'"(?:\\.|[^"\\\n])*"|[{}]')


@dataclass(frozen=True, slots=True)
class GrammarHeader:
    """The declarations at the top of a grammar's text; `fields` are the places of `{ … }`, the doubled ones too."""

    fields: tuple[tuple[int, int], ...]
    form: str
    example: str
    example_line: int | None
    """The line, from 1, on which the example begins."""


def read_header(text: str) -> GrammarHeader:
    """The declarations in the comment lines that a grammar begins with."""
    comments = _comments(text)
    fields: list[tuple[int, int]] = []
    said: dict[str, list[str]] = {"form": [], "example": []}
    example_line: int | None = None
    for start, end in comments:
        if fields and start < fields[-1][1]:
            continue
        opening = _FIELDS.match(text, start, end)
        saying = _SAYING.fullmatch(text, start, end)
        if opening is not None:
            fields.append((opening.end(), _end_of_fields(text, opening.end(), comments)))
        elif saying is not None:
            said[saying["kind"]].append(saying["text"].rstrip())
            if saying["kind"] == "example" and example_line is None:
                example_line = text.count("\n", 0, start) + 1
    return GrammarHeader(tuple(fields), "\n".join(said["form"]), "\n".join(said["example"]), example_line)


def nearly_fields(text: str) -> tuple[int, int] | None:
    """The place of a line that looks like a declaration of fields, for a grammar whose header has none."""
    found = _NEARLY_FIELDS.search(text)
    return None if found is None else found.span()


def without_comment_signs(text: str, start: int, end: int) -> str:
    """What stands between two places, with blanks for the `//` that its lines begin with."""
    return re.sub(r"\n([ \t]*)//", r"\n\1  ", text[start:end])


def _comments(text: str) -> list[tuple[int, int]]:
    """Where the words of each comment line at the top begin and end."""
    found = []
    at = 0
    while at < len(text):
        line = _LINE.match(text, at)
        if line is None:
            break
        if line["said"] is not None:
            found.append(line.span("said"))
        at = line.end()
    return found


def _end_of_fields(text: str, start: int, comments: list[tuple[int, int]]) -> int:
    """The end of the line on which the brace at `start` is closed, or of the last comment where none is."""
    depth = 0
    for begin, end in comments:
        if end <= start:
            continue
        for sign in _BRACE.finditer(text, max(begin, start), end):
            depth += {"{": 1, "}": -1}.get(sign[0], 0)
        if depth <= 0:
            return end
    return comments[-1][1]
