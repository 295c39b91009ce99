"""The terminals of a grammar that an author wrote: their form, and what they can begin and go on with."""

from __future__ import annotations

from collections.abc import Callable

from lark.lexer import PatternStr, TerminalDef

from maker_dsl.replies.exports.form import (
    Characters,
    Choice,
    Node,
    Ranges,
    Repeat,
    Sequence,
    Text,
    Unwritable,
    choice,
    common,
    may_be_empty,
    repeat,
    sequence,
    union,
    without,
)
from maker_dsl.replies.exports.strings import from_pattern
from maker_dsl.types.pattern_syntax import BadPattern, read_pattern

_BOUNDARY = r"\b"
"""Where a word ends or begins: dropped at the ends of a terminal, and what comes after it has to keep apart."""


def ends_a_word(terminal: TerminalDef) -> bool:
    """Whether no word character may follow."""
    return str(terminal.pattern.value).endswith(_BOUNDARY)


def terminal_form(terminal: TerminalDef) -> Node:
    """What a terminal matches; raises `Unwritable`."""
    pattern = terminal.pattern
    flags = set(pattern.flags)
    if flags - {"i", "s", "m", "u"}:
        raise Unwritable(f"the flags of the terminal `{terminal.name}` have no form")
    if isinstance(pattern, PatternStr):
        node: Node = Text(pattern.value)
    else:
        try:
            node = from_pattern(read_pattern(pattern.value.removeprefix(_BOUNDARY).removesuffix(_BOUNDARY)))
        except BadPattern as bad:
            raise Unwritable(f"`/{pattern.value}/`: {bad.message}") from None
    if "s" in flags:
        node = _with_line_breaks(node)
    return _in_any_case(node) if "i" in flags else node


def _with_line_breaks(node: Node) -> Node:
    dot = without(((10, 10),))
    return _mapped(node, lambda leaf: without() if leaf == dot else leaf)


def _in_any_case(node: Node) -> Node:
    def both(leaf: Node) -> Node:
        if isinstance(leaf, Text):
            return sequence(*(_cased(one) for one in leaf.text))
        assert isinstance(leaf, Characters)
        cased = [_cased(chr(code)) for low, high in leaf.ranges for code in range(low, min(high, low + 1000) + 1)]
        return Characters(union(leaf.ranges, *(beginning(one) for one in cased)))

    return _mapped(node, both)


def _cased(character: str) -> Node:
    kinds = {one for one in (character, character.lower(), character.upper()) if len(one) == 1}
    if len(kinds) == 1:
        return Text(character)
    return Characters(union(*(((ord(one),) * 2,) for one in kinds)))


def _mapped(node: Node, leaf: Callable[[Node], Node]) -> Node:
    match node:
        case Sequence(parts):
            return sequence(*(_mapped(part, leaf) for part in parts))
        case Choice(options):
            return choice(*(_mapped(option, leaf) for option in options))
        case Repeat(part, low, high):
            return repeat(_mapped(part, leaf), low, high)
        case _:
            return leaf(node)


def beginning(node: Node) -> Ranges:
    """The characters that a terminal can begin with."""
    match node:
        case Text(text):
            return ((ord(text[0]),) * 2,)
        case Characters(ranges):
            return ranges
        case Sequence(parts):
            found: Ranges = ()
            for part in parts:
                found = union(found, beginning(part))
                if not may_be_empty(part, {}):
                    break
            return found
        case Choice(options):
            return union(*map(beginning, options))
        case Repeat(part):
            return beginning(part)
        case _:
            return ()


def going_on(node: Node) -> Ranges:
    """Characters that a terminal, whatever it holds, can go on with."""
    match node:
        case Repeat(Characters(ranges), _, None):
            return ranges
        case Sequence(parts) if parts:
            return going_on(parts[-1])
        case Choice(options) if options:
            tail = going_on(options[0])
            for option in options[1:]:
                tail = common(tail, going_on(option))
            return tail
        case _:
            return ()
