"""From a layout to text: decides for each group whether it fits on the line. Takes time linear in the layout."""

from __future__ import annotations

from maker_dsl.formatting.documents import SPACE, Concat, Doc, Group, Indent, Line, Own, Sign, Text, Trailing, Value

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
            case Sign(text=text):
                page.sign(text, depth)
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
                fits = not breaks or _fits(width - page.place(depth), current, waiting)
                waiting.append((depth, not fits, inner))
            case Value(doc=inner, opens=opens, is_below=is_below):
                room = width - page.place(depth) - 1
                below = width - depth - STEP
                if not breaks or (not is_below and _fits(room, inner, waiting)):
                    page.write(" ", depth)
                    waiting.append((depth, False, inner))
                elif opens and not _fits(below, inner, waiting):
                    page.write(" ", depth)
                    waiting.append((depth, True, inner))
                else:
                    page.new_line()
                    waiting.append((depth + STEP, True, Group(inner, is_forced=inner.is_forced)))
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

    def place(self, depth: int) -> int:
        """The column where the next text would begin."""
        return depth if self.is_fresh else self.column

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

    def sign(self, text: str, depth: int) -> None:
        if self.is_fresh or self._is_done:
            self.write(text, depth)
        else:
            self._parts.append(text)
            self.column += len(text)

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


def _fits(left: int, doc: Doc, rest: list[_Command]) -> bool:
    """Whether `doc` on one line, and what follows up to the next place to break, take at most `left` columns."""
    if doc.is_forced:
        return False
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
            case Sign(text=text):
                left -= len(text)
            case Line(flat=flat):
                if breaks or current.is_forced:
                    return True
                left -= len(flat)
            case Concat(parts=parts):
                waiting.extend((breaks, part) for part in reversed(parts))
            case Indent(doc=inner) | Group(doc=inner):
                waiting.append((breaks, inner))
            case Value(doc=inner):
                if breaks:
                    return True
                waiting += [(breaks, inner), (breaks, SPACE)]
            case Own():
                return True
            case _:
                pass
    return False
