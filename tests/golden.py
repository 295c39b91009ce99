"""Literate golden cases: Markdown files that read as prose and hold inputs and the full output.

    ## A misspelt part

    Why this case is worth having.

    ```maker
    task t { promt "x" }
    ```

    ```output
    error[MK111]: …
    ```

Every `##` section is one case: any number of input blocks, told apart by the first word after the backticks, then
exactly one `output` block. A test asks for `cases(folder)`, computes the output of each and calls the `golden` fixture
with it; `pytest --update-golden` rewrites the output blocks (review the diff as prose). Blocks that contain backtick
fences are fenced with four or more. A section that is no complete case is an error when the tests are collected.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

_FENCE = re.compile(r"(`{3,})([^`\n]*)\n(.*?)^\1[ \t]*$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^## +(.+?) *$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block: what stands after the backticks, the text inside, and where that is in the file."""

    info: str
    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Case:
    """A section of a file of cases."""

    path: Path
    title: str
    inputs: tuple[Block, ...]
    output: Block

    def __str__(self) -> str:
        return f"{self.path.stem}: {self.title}"

    def input(self, kind: str) -> str:
        """The text of the only input block whose first word is `kind`."""
        found = [block.text for block in self.inputs if block.info.split()[:1] == [kind]]
        assert len(found) == 1, f"{self}: {len(found)} blocks of kind {kind!r}"
        return found[0]

    def has(self, kind: str) -> bool:
        """Whether there is an input block of that kind."""
        return any(block.info.split()[:1] == [kind] for block in self.inputs)

    def check(self, actual: str, *, update: bool) -> None:
        """Compare with the output block, or write it anew."""
        if actual and not actual.endswith("\n"):
            actual += "\n"
        if actual == self.output.text:
            return
        if not update:
            assert actual == self.output.text, f"{self} (rewrite with pytest --update-golden)"
        assert "```" not in actual, f"{self}: the output has backtick fences"
        # Another case of the file may have been rewritten since this one was read.
        now = next(case for case in read_cases(self.path) if case.title == self.title)
        text = self.path.read_text(encoding="utf-8")
        self.path.write_text(text[: now.output.start] + actual + text[now.output.end :], encoding="utf-8")


def cases(folder: Path) -> list[object]:
    """All cases of a folder, as parameters of a test with readable ids."""
    found = [case for path in sorted(folder.glob("*.md")) for case in read_cases(path)]
    assert found, f"no cases in {folder}"
    return [pytest.param(case, id=str(case)) for case in found]


def read_cases(path: Path) -> list[Case]:
    """The cases of one file; raises AssertionError for a section that is no complete case."""
    text = path.read_text(encoding="utf-8")
    found = [_case(path, title, list(_blocks(text, start, end))) for title, start, end in _sections(text)]
    titles = [case.title for case in found]
    assert len(set(titles)) == len(titles), f"{path}: two sections have the same title"
    return found


def _sections(text: str) -> Iterator[tuple[str, int, int]]:
    fences = [match.span() for match in _FENCE.finditer(text)]
    headings = [heading for heading in _HEADING.finditer(text) if not any(a <= heading.start() < b for a, b in fences)]
    ends = [heading.start() for heading in headings[1:]] + [len(text)]
    for heading, end in zip(headings, ends, strict=True):
        yield heading.group(1), heading.end(), end


def _blocks(text: str, start: int, end: int) -> Iterator[Block]:
    for match in _FENCE.finditer(text, start, end):
        yield Block(match.group(2).strip(), match.group(3), match.start(3), match.end(3))


def _case(path: Path, title: str, blocks: list[Block]) -> Case:
    outputs = [block for block in blocks if block.info == "output"]
    assert len(outputs) == 1, f"{path}: section {title!r} has {len(outputs)} output blocks"
    assert blocks[-1] is outputs[0], f"{path}: section {title!r} has blocks after its output"
    assert len(blocks) > 1, f"{path}: section {title!r} has no input"
    return Case(path, title, tuple(blocks[:-1]), outputs[0])
