"""Layouts of expressions: chains of operators, conditions, brackets, calls, comprehensions."""

from __future__ import annotations

from maker_dsl.formatting.concrete import Branch, Leaf, Part
from maker_dsl.formatting.documents import SOFT, SPACE, Doc, Line, concat, forced_group, group, joined
from maker_dsl.formatting.layout_base import LayoutBase, opens_behind

_LITERALS = frozenset(
    {"int_literal", "fraction_literal", "string_literal", "true_literal", "false_literal", "null_literal"}
)


class ExpressionLayout(LayoutBase):
    """One method for each construct of an expression that can be broken over lines."""

    def _conditional(self, branch: Branch) -> Doc:
        """`a if x else b if y else c`: one case on each line, where it doesn't fit or the author broke it."""
        cases: list[Doc] = []
        current: Part = branch
        lead: list[Doc] = []
        is_broken = False
        while isinstance(current, Branch) and current.construct == "conditional":
            then, if_, condition, else_, otherwise = current.parts
            words = concat(self.layout(if_), SPACE, self.layout(condition))
            make = forced_group if _is_broken(if_, condition) else group
            cases.append(make(*lead, self.layout(then), SOFT, words))
            is_broken = is_broken or _is_broken(else_, otherwise)
            lead = [self.layout(else_), SPACE]
            current = otherwise
        cases.append(concat(*lead, self.layout(current)))
        return (forced_group if is_broken else group)(joined(cases, SOFT))

    def _op_or(self, branch: Branch) -> Doc:
        return self._chain(branch, {"op_or"})

    def _op_and(self, branch: Branch) -> Doc:
        return self._chain(branch, {"op_and"})

    def _op_coalesce(self, branch: Branch) -> Doc:
        return self._chain(branch, {"op_coalesce"})

    def _binary(self, branch: Branch) -> Doc:
        return self._chain(branch, {"binary"})

    def _compare(self, branch: Branch) -> Doc:
        return self._chain(branch, set())

    def _op_power(self, branch: Branch) -> Doc:
        return self._chain(branch, set())

    def _chain(self, branch: Branch, same: set[str]) -> Doc:
        """Operands with operators between them; each operator begins a line where they don't fit or were broken."""
        parts = self._flattened(branch, same)
        docs = [self.layout(parts[0])]
        is_broken = False
        for operator, operand in zip(parts[1::2], parts[2::2], strict=True):
            docs += [SOFT, self.layout(operator), SPACE, self.layout(operand)]
            is_broken = is_broken or _is_broken(operator, operand)
        return (forced_group if is_broken else group)(*docs)

    def _flattened(self, branch: Branch, same: set[str]) -> list[Part]:
        parts = list(branch.parts)
        while isinstance(parts[0], Branch) and parts[0].construct in same and _is_of_kind(parts[0], branch):
            parts[0:1] = parts[0].parts
        last = parts[-1]
        while branch.construct == "op_coalesce" and isinstance(last, Branch) and last.construct in same:
            parts[-1:] = last.parts
            last = parts[-1]
        return parts

    def _group(self, branch: Branch) -> Doc:
        return self._bracket(self._split(branch, "("))

    def _list_literal(self, branch: Branch) -> Doc:
        found = self._split(branch, "[")
        return self._bracket(found, fill=len(found.items) > 1 and all(map(_is_literal, found.items)))

    def _braces(self, branch: Branch) -> Doc:
        return self._bracket(self._split(branch, "{"), pad=" ")

    def _list_comprehension(self, branch: Branch) -> Doc:
        found = self._split(branch, "[")
        return self._enclosed(found, concat(Line(""), self._clauses(found.items)))

    def _map_comprehension(self, branch: Branch) -> Doc:
        found = self._split(branch, "{")
        return self._enclosed(found, concat(Line(" "), self._clauses(found.items)), " ")

    def _generator(self, branch: Branch) -> Doc:
        return group(self._clauses(branch.parts))

    def _clauses(self, parts: list[Part]) -> Doc:
        """`item for x in xs if c`: each `for` begins a line where they don't fit on one."""
        return joined([self.layout(part) for part in parts], SOFT)

    def _clause(self, branch: Branch) -> Doc:
        starts = [number for number, part in enumerate(branch.parts) if isinstance(part, Leaf) and part.text == "if"]
        pieces = [branch.parts[a:b] for a, b in zip([0, *starts], [*starts, len(branch.parts)], strict=True)]
        return group(joined([self._row(piece, "clause") for piece in pieces], SOFT))

    def _call(self, branch: Branch) -> Doc:
        found = self._split(branch, "(")
        function = concat(*map(self.layout, found.before))
        hugs = len(found.items) == 1 and opens_behind(found.items[0])
        if hugs and not self._is_opened(found) and not found.closing.before:
            return concat(function, *map(self.layout, (found.opening, *found.items, found.closing)))
        return concat(function, self._bracket(found))

    def _index(self, branch: Branch) -> Doc:
        found = self._split(branch, "[")
        return concat(*map(self.layout, found.before), self._bracket(found))

    def _slice(self, branch: Branch) -> Doc:
        return concat(*map(self.layout, branch.parts))

    def _pair(self, branch: Branch) -> Doc:
        key, colon, value = branch.parts
        return self._assigned(concat(self.layout(key), self.layout(colon)), value)


def _is_broken(operator: Part, operand: Part) -> bool:
    """Whether the author broke the line before an operator or behind it."""
    return any((part if isinstance(part, Leaf) else part.first).starts_line for part in (operator, operand))


def _is_of_kind(inner: Branch, outer: Branch) -> bool:
    """Whether two arithmetic operations bind alike: `+` and `-`, or `*`, `/`, `//` and `%`."""
    if outer.construct != "binary":
        return True
    signs = [part.type for branch in (inner, outer) for part in branch.parts if isinstance(part, Leaf)]
    return signs[0] == signs[1]


def _is_literal(part: Part) -> bool:
    if isinstance(part, Branch) and part.construct == "unary":
        part = part.parts[-1]
    return isinstance(part, Branch) and part.construct in _LITERALS
