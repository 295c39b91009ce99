"""Layouts of a file's entries: a head and a value, a head and a block."""

from __future__ import annotations

from maker_dsl.formatting.concrete import Branch, Leaf, Part
from maker_dsl.formatting.documents import SOFT, SPACE, Doc, Text, concat, group, indent
from maker_dsl.formatting.layout_base import is_text_block
from maker_dsl.formatting.layout_blocks import BlockLayout


class EntryLayout(BlockLayout):
    """One method for each entry that is not just words in a row."""

    # A head and a value

    def _valued(self, branch: Branch) -> Doc:
        """`head = value` and `head: value`; a head without a value is words in a row."""
        *head, sign, value = branch.parts
        if not isinstance(sign, Leaf) or sign.text not in ("=", ":"):
            return self._row(branch.parts, branch.construct)
        pad = Text(" " * self._pads.get(branch.start, 0))
        if sign.text == "=":
            return self._assigned(
                concat(self._row(head, branch.construct), pad, SPACE, self.layout(sign)), value, keeps=True
            )
        return self._assigned(concat(self._row(head, branch.construct), self.layout(sign), pad), value, keeps=True)

    _input = _type_declaration = _state_field = _invariant = _check = _assignment = _let = _valued

    def _definition(self, branch: Branch) -> Doc:
        found = self._split(branch, "(")
        *result, sign, body = found.behind
        head = concat(self._row(found.before, "definition"), self._bracket(found), SPACE)
        return self._assigned(concat(head, self._row([*result, sign], "definition")), body, keeps=True)

    def _checker(self, branch: Branch) -> Doc:
        # No line may begin with `from`: an entry would.
        found = self._split(branch, "(")
        head = concat(self._row(found.before, "checker"), self._bracket(found))
        return concat(head, SPACE, self._row(found.behind, "checker"))

    def _done(self, branch: Branch) -> Doc:
        done, when, condition = branch.parts
        return self._assigned(self._row([done, when], "done"), condition, keeps=True)

    def _test_then(self, branch: Branch) -> Doc:
        then, condition = branch.parts
        return self._assigned(self.layout(then), condition, keeps=True)

    # Parts of a step

    def _step_header(self, parts: list[Part]) -> Doc:
        """`step name when condition`, the condition on a line of its own where it doesn't fit."""
        if not isinstance(parts[-1], Branch):
            return self._row(parts, "step")
        return concat(self._row(parts[:-2], "step"), group(indent(SOFT, self._row(parts[-2:], "step"))))

    def _run(self, branch: Branch) -> Doc:
        found = self._split(branch, "(")
        head = concat(self._row(found.before, "run"), self._bracket(found, each=self._given))
        return concat(head, *(group(indent(SOFT, self.layout(part))) for part in found.behind))

    def _given(self, part: Part) -> Doc:
        """An input of a sub-task: `name = value`."""
        if not isinstance(part, Branch) or part.construct != "keyword_argument":
            return self.layout(part)
        name, sign, value = part.parts
        return self._assigned(concat(self.layout(name), SPACE, self.layout(sign)), value)

    def _reply(self, branch: Branch) -> Doc:
        *parts, last = branch.parts
        if not isinstance(last, Branch) or last.construct != "format_with":
            return self._row(branch.parts, "reply")
        if is_text_block(last.parts[-1]):
            return self._row(branch.parts, "reply")
        return concat(self._row(parts, "reply"), group(indent(SOFT, self._format_with(last))))

    def _format_with(self, branch: Branch) -> Doc:
        if len(branch.branches) < 2 or is_text_block(branch.parts[-1]):
            return self._row(branch.parts, "format_with")
        *words, template = branch.parts
        return concat(self._row(words, "format_with"), group(indent(SOFT, self.layout(template))))

    def _reply_json(self, branch: Branch) -> Doc:
        found = self._split(branch, "{")
        return concat(self._row(found.before, "reply"), SPACE, self._bracket(found, pad=" ", between=""))

    _reply_grammar = _reply_json
