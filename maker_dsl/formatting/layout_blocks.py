"""Layouts of blocks: entries on lines of their own, or all on the one line where the author put them."""

from __future__ import annotations

from maker_dsl.formatting.alignment import pads_of
from maker_dsl.formatting.concrete import Branch, Concrete, Leaf, Part
from maker_dsl.formatting.documents import (
    SPACE,
    Doc,
    Line,
    Text,
    concat,
    forced_group,
    group,
    hard_line,
    indent,
    trailing,
)
from maker_dsl.formatting.layout_base import Bracketed, LayoutBase
from maker_dsl.formatting.rendering import STEP


class BlockLayout(LayoutBase):
    """One method for each construct that has a block of entries."""

    def __init__(self, text: str, width: int) -> None:
        super().__init__(text)
        self._width = width
        self._level = 0
        """How many blocks the current entry stands in."""
        self._pads: dict[int, int] = {}
        """For an entry, by its start, how many blanks align it with its neighbours."""

    def file(self, concrete: Concrete) -> Doc:
        """The whole file."""
        docs: list[Doc] = []
        for number, branch in enumerate(concrete.root.branches):
            if number:
                docs.append(hard_line(has_blank=branch.first.blank_above))
            docs.append(self.layout(branch))
        if concrete.end.before:
            docs.append(hard_line(has_blank=concrete.end.blank_above))
            docs += self._comments_before(concrete.end)
        return concat(*docs)

    def _block(self, branch: Branch) -> Doc:
        found = self._split(branch, "{")
        make = self._step_header if branch.construct == "step" else self._header
        return concat(make(found.before), SPACE, self._braces_of(found))

    _task = _state = _result = _update = _vote = _step = _reference = _mistake = _test = _block
    _test_with = _test_given = _block

    def _header(self, parts: list[Part]) -> Doc:
        return self._row(parts, "block")

    _step_header = _header

    def _braces_of(self, found: Bracketed) -> Doc:
        opening, closing = found.opening, found.closing
        entries = [item for item in found.items if isinstance(item, Branch)]
        if not entries and not closing.before and not opening.after:
            return concat(self.layout(opening), self._closing(closing))
        self._level += 1
        self._pads.update(pads_of(self._source, entries, self.layout, self._width - STEP * self._level))
        inside: list[Doc] = []
        for number, entry in enumerate(entries):
            inside.append(Line("; ", entry.first.blank_above) if number else Line(" "))
            inside.append(self.layout(entry))
        if closing.before:
            inside.append(hard_line(has_blank=closing.blank_above and bool(entries)))
            inside += self._comments_before(closing)
        self._level -= 1
        parts = (self.layout(opening), indent(*inside), Line(" "), self._closing(closing))
        is_on_one_line = "\n" not in self._source[opening.start : closing.start]
        return group(*parts) if is_on_one_line else forced_group(*parts)

    def _closing(self, closing: Leaf) -> Doc:
        return concat(Text(closing.text), *map(trailing, closing.after))
