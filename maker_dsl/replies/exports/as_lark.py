"""A form as a grammar for Lark, which its LALR parser reads: every named part without others in it is a terminal."""

from __future__ import annotations

from maker_dsl.replies.exports.form import (
    Choice,
    Form,
    Named,
    Node,
    Repeat,
    Sequence,
    may_be_empty,
    names_in,
    repeat,
    sequence,
)
from maker_dsl.replies.exports.regexes import regex
from maker_dsl.replies.grammar import slashed


def as_lark(form: Form) -> str:
    """The grammar's text."""
    writer = _Writer(form)
    rules = {"start": form.start} | dict(form.rules)
    lines = {writer.symbol(name): writer.body(name, node) for name, node in rules.items()}
    width = max(map(len, lines))
    comments = [f"// {sentence}" for sentence in form.left_to_reading]
    return "\n".join([*comments, *(f"{name:{width}} : {body}" for name, body in lines.items())]) + "\n"


class _Writer:
    def __init__(self, form: Form) -> None:
        self._rules = form.rules
        self._tokens = {name for name, node in form.rules.items() if not any(names_in(node))}

    def symbol(self, name: str) -> str:
        """A terminal's name is in capitals."""
        return name.upper() if name in self._tokens else name

    def body(self, name: str, node: Node) -> str:
        """What stands after the colon."""
        return slashed(regex(node, {})) if name in self._tokens else self._write(node)

    def _write(self, node: Node) -> str:
        if not any(names_in(node)):
            return self._token(node)
        match node:
            case Sequence(parts):
                return " ".join(self._group(part) for part in _runs(parts))
            case Choice(options):
                return " | ".join(map(self._write, options))
            case Repeat(part, 0, 1):
                return f"[{self._write(part)}]"
            case Repeat(part, low, None) if low > 1:
                one = self._group(part, always=True)
                return f"{one}~{low} {one}*"
            case Repeat(part, low, high):
                return self._group(part, always=True) + _times(low, high)
            case Named(name):
                return self.symbol(name)
            case _:
                raise AssertionError(f"no name in {node}")

    def _group(self, part: Node, *, always: bool = False) -> str:
        is_one = isinstance(part, Named) or not any(names_in(part))
        closed = is_one or (isinstance(part, Repeat) and not always)
        return self._write(part) if closed or not (always or isinstance(part, Choice)) else f"({self._write(part)})"

    def _token(self, node: Node) -> str:
        """A part without names; Lark knows no terminal that matches nothing."""
        if not may_be_empty(node, self._rules):
            return slashed(regex(node, {}))
        match node:
            case Sequence(()):
                return ""
            case Repeat(part, 0, high) if not may_be_empty(part, self._rules):
                return f"[{slashed(regex(repeat(part, 1, high), {}))}]"
            case Sequence(parts):
                return " ".join(map(self._token, parts))
            case Choice(options):
                return f"({' | '.join(map(self._token, options))})"
            case Repeat(part, _, high):
                return f"({self._token(part)}){_times(0, high)}"
            case _:
                raise AssertionError(f"{node} is not empty")


def _runs(parts: tuple[Node, ...]) -> list[Node]:
    """Parts without names that stand side by side, as one."""
    found: list[Node] = []
    run: list[Node] = []
    for part in (*parts, None):
        if part is not None and not any(names_in(part)):
            run.append(part)
            continue
        if run:
            found.append(sequence(*run))
            run = []
        if part is not None:
            found.append(part)
    return found


def _times(low: int, high: int | None) -> str:
    match low, high:
        case 0, None:
            return "*"
        case 1, None:
            return "+"
        case 0, 1:
            return "?"
        case _:
            return f"~{low}" if low == high else f"~{low}..{high}"
