"""From a layout to text: decides for each group whether it fits on the line. Takes time linear in the layout."""

from __future__ import annotations

from maker_dsl.formatting.documents import Concat, Doc, Either, Group, Indent, Line, Own, Text, Trailing

STEP = 2
"""Blanks for each level of indentation."""

_Command = tuple[int, bool, Doc]
"""Indentation, whether lines break, what to lay out."""


def render(doc: Doc, width: int) -> str:
    """The text of a layout, its lines no longer than `width` where they can be broken; ends with a line break."""
    page = _Page()
    waiting: list[_Command] = [(0, True, doc)]
    while waiting:
        depth, breaks, current = waiting.pop()
        match current:
            case Text(text=text):
                page.write(text, depth)
            case Line():
                if breaks or current.is_forced:
                    page.new_line(has_blank=current.has_blank)
                elif current.flat:
                    page.write(current.flat, depth)
            case Concat(parts=parts):
                waiting.extend((depth, breaks, part) for part in reversed(parts))
            case Indent(doc=inner):
                waiting.append((depth + STEP, breaks, inner))
            case Group(doc=inner):
                fits = not breaks or (
                    not inner.is_forced and not current.is_forced and _fits(page, width, depth, inner, waiting)
                )
                waiting.append((depth, not fits, inner))
            case Either(flat=flat, broken=broken):
                fits = not breaks or (not flat.is_forced and _fits(page, width, depth, flat, waiting))
                waiting.append((depth, not fits, flat if fits else broken))
            case Own():
                page.own_comment(current, depth)
            case Trailing(text=text):
                page.trailing.append(text)
    return page.finish()


class _Page:
    """The text so far. Indentation is written with the first character of a line, so that no line ends in blanks."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self.column = 0
        self.is_fresh = True
        self.trailing: list[str] = []
        self._is_done = False
        """A comment ends the line: what comes next begins a new one."""
        self._blank_next = False

    def write(self, text: str, depth: int) -> None:
        if not text:
            return
        if self.trailing or self._is_done:
            self.new_line()
        if self.is_fresh:
            text = text.lstrip(" ") if text.isspace() else text
            if not text:
                return
            self._parts.append(" " * depth)
            self.column = depth
            self.is_fresh = False
        self._parts.append(text)
        line_break = text.rfind("\n")
        self.column = self.column + len(text) if line_break < 0 else len(text) - line_break - 1

    def new_line(self, *, has_blank: bool = False) -> None:
        if self.trailing:
            self._parts.append(("" if self.is_fresh else "  ") + "  ".join(self.trailing))
            self.trailing.clear()
        self._parts.append("\n\n" if has_blank or self._blank_next else "\n")
        self.column = 0
        self.is_fresh = True
        self._is_done = self._blank_next = False

    def own_comment(self, comment: Own, depth: int) -> None:
        if not self.is_fresh or self.trailing or self._is_done:
            self.new_line(has_blank=comment.blank_before)
        self.write(comment.text, depth)
        self._is_done = True
        self._blank_next = comment.blank_after

    def finish(self) -> str:
        self.new_line()
        return "".join(self._parts).rstrip("\n") + "\n"


def _fits(page: _Page, width: int, depth: int, doc: Doc, rest: list[_Command]) -> bool:
    """Whether `doc` on one line, and what follows up to the next place to break, end within the width."""
    left = width - (depth if page.is_fresh else page.column)
    waiting: list[tuple[bool, Doc]] = [(False, doc)]
    below = len(rest)
    while left >= 0:
        if not waiting:
            if below == 0:
                return True
            below -= 1
            _, breaks, behind = rest[below]
            waiting.append((breaks, behind))
        breaks, current = waiting.pop()
        match current:
            case Text(text=text):
                head, line_break, _ = text.partition("\n")
                left -= len(head)
                if line_break:
                    return left >= 0
            case Line(flat=flat):
                if breaks or current.is_forced:
                    return True
                left -= len(flat)
            case Concat(parts=parts):
                waiting.extend((breaks, part) for part in reversed(parts))
            case Indent(doc=inner) | Group(doc=inner):
                waiting.append((breaks, inner))
            case Either(flat=flat_doc, broken=broken):
                waiting.append((breaks, broken if breaks else flat_doc))
            case Own():
                return True
            case _:
                pass
    return False
