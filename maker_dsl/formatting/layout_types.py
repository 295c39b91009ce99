"""Layouts of types."""

from __future__ import annotations

from maker_dsl.formatting.concrete import Branch, Leaf
from maker_dsl.formatting.documents import SOFT, SPACE, Doc, concat, group
from maker_dsl.formatting.layout_base import LayoutBase


class TypeLayout(LayoutBase):
    """One method for each construct of a type that has brackets or can be broken over lines."""

    def _type_list(self, branch: Branch) -> Doc:
        return self._generic(branch)

    def _type_map(self, branch: Branch) -> Doc:
        return self._generic(branch)

    def _generic(self, branch: Branch) -> Doc:
        """`list[T]`, `list[T] of 3`, `map[string, T]`."""
        found = self._split(branch, "[")
        doc = concat(self._row(found.before, branch.construct), self._bracket(found))
        return concat(doc, SPACE, self._row(found.behind, branch.construct)) if found.behind else doc

    def _type_record(self, branch: Branch) -> Doc:
        return self._bracket(self._split(branch, "{"), pad=" ", between="")

    _fields = _type_record

    def _type_tuple(self, branch: Branch) -> Doc:
        return self._bracket(self._split(branch, "["))

    def _type_group(self, branch: Branch) -> Doc:
        return self._bracket(self._split(branch, "("))

    def _type_enum(self, branch: Branch) -> Doc:
        """`"a" | "b"`: each `|` begins a line where they don't fit on one."""
        docs: list[Doc] = []
        for part in branch.parts:
            is_sign = isinstance(part, Leaf) and part.text == "|"
            docs.append(SOFT if is_sign else SPACE)
            docs.append(self.layout(part))
        return group(*docs[1:])
