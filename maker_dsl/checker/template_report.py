"""Findings about a template, each at its place in the task file.

Jinja's nodes carry the offset at which they begin (see `templates.environment`); where they end is found in the text.
"""

from __future__ import annotations

from jinja2 import nodes

from maker_dsl.checker.template_scope import key_of
from maker_dsl.checker.template_values import FORBIDDEN, TemplateType
from maker_dsl.diagnostics import Problems
from maker_dsl.syntax import tree
from maker_dsl.types.type import NullType, OptionalType


class TemplateReport:
    """Reports about one template."""

    def __init__(self, text: tree.Text, problems: Problems) -> None:
        self.text = text
        self.problems = problems

    def may_be_null(self, node: nodes.Node, type_: TemplateType) -> bool:
        """Whether a value may be null where it must not be; reported if so."""
        if not isinstance(type_, OptionalType | NullType):
            return False
        key = key_of(node)
        help = f"write `{{% if {key} %}}` … `{{% endif %}}` around it, or `… if {key} else …`" if key else None
        self.wrong(node, "MK382", "this may be null here", "", help)
        return True

    def forbid(self, node: nodes.Node) -> None:
        """Report a part of Jinja that prompts don't have, with what to write instead."""
        name, help = FORBIDDEN.get(type(node).__name__, ("this", "compute the value in a `let` and show that"))
        start, length = self.extent(node)
        self.add(start, length, "MK284", f"{name} can't be used in a prompt", "", help)

    def wrong(self, node: nodes.Node, code: str, title: str, label: str = "", help: str | None = None) -> None:
        """Report something about a node."""
        start, length = self.extent(node)
        self.add(start, length, code, title, label, help)

    def add(self, start: int, length: int, code: str, title: str, label: str = "", help: str | None = None) -> None:
        """Report something about `length` characters of the template from `start`."""
        self.problems.add(code, title, self.text.part(start, start + max(length, 1)), label, help=help)

    def extent(self, node: nodes.Node) -> tuple[int, int]:
        """Where a node stands: exact for names and constants, else the word or sign that makes it."""
        start = node.lineno
        source = self.text.value
        if isinstance(node, nodes.Call):
            return self.extent(node.node)
        if isinstance(node, nodes.BinExpr | nodes.Concat):
            left = node.nodes[0] if isinstance(node, nodes.Concat) else node.left
            sign = "~" if isinstance(node, nodes.Concat) else str(node.operator)
            at, length = self.extent(left)
            found = source.find(sign, at + length)
            return (found, len(sign)) if found >= 0 else (start, 1)
        if isinstance(node, nodes.Getattr | nodes.Getitem):
            inner, _ = self.extent(node.node)
            end = start + 1
            if isinstance(node, nodes.Getattr):
                end = self.after_dot(start, node.attr) + len(node.attr)
            return (inner, end - inner) if inner < end else (start, 1)
        if isinstance(node, nodes.Name):
            return start, len(node.name)
        end = start
        if source[start : start + 1] in ("'", '"'):
            closing = source.find(source[start], start + 1)
            return start, (closing + 1 - start) if closing > 0 else 1
        while end < len(source) and (source[end].isalnum() or source[end] == "_"):
            end += 1
        return start, max(end - start, 1)

    def after_dot(self, dot: int, name: str) -> int:
        """Where the name after a dot begins."""
        found = self.text.value.find(name, dot)
        return dot if found < 0 else found
