"""How many tokens a right reply may need: from the types and the grammar of the reply, and from where it stands.

A token is at least one byte of UTF-8, so the bytes of the longest reply in canonical form bound its tokens. A model may
write more white space than that form has: half as much again leaves room for it, where every blank is a token of its
own. Where reasoning may come before the reply, there is room for that too, as much as in the method's paper.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from lark import Lark
from lark.grammar import NonTerminal, Symbol

from maker_dsl.replies.author_grammar import author_parser, field_symbols
from maker_dsl.replies.fast import is_json
from maker_dsl.replies.notation import FormatText, HoleSpec, JsonObject, LarkGrammar, Notation, Place
from maker_dsl.replies.placement import placed
from maker_dsl.replies.rendering import hole_renderer
from maker_dsl.replies.syntax import MAX_REPLY
from maker_dsl.types.longest import longest_json, longest_string
from maker_dsl.types.type import DateType, EnumType, OptionalType, StringType, Type

REASONING_TOKENS = 750
"""Room for thinking before a reply: in the paper, longer outputs were wrong far more often, and were cut off here."""

_SLACK_TOKENS = 16
_BYTES_PER_CHARACTER = 4


def longest_tokens(notation: Notation, place: Place, parser: Lark | None = None) -> int | None:
    """The tokens that a right reply has at most, with its reasoning; None where it may be of any length.

    `parser` is that of an author's grammar, if it is at hand.
    """
    length = _longest(notation, parser)
    if length is None or length > MAX_REPLY:
        return None
    length += len(placed("", place).encode())
    reasoning = 0 if place.kind == "whole" else REASONING_TOKENS
    return reasoning + length + length // 2 + _SLACK_TOKENS


def _longest(notation: Notation, parser: Lark | None) -> int | None:
    """Bytes of the longest reply in canonical form; None where there is none."""
    match notation:
        case FormatText(pieces=pieces):
            total = 0
            for piece in pieces:
                length = _longest_hole(piece.type) if isinstance(piece, HoleSpec) else len(piece.encode())
                if length is None:
                    return None
                total += length
            return total
        case JsonObject(type=type):
            return longest_json(type)
        case LarkGrammar(text=text, type=type):
            parser = parser or author_parser(text)
            fields = {member.name: _longest_match(member.type) for member in type.members}
            symbols = field_symbols(text, fields)
            return _Grammar(parser, {symbol: fields[name] for symbol, name in symbols.items()}).longest()
        case _:
            assert_never(notation)


def _longest_hole(type: Type) -> int | None:
    """Bytes of the longest value in a hole of a format text."""
    if is_json(type):
        return longest_json(type)
    match type:
        case OptionalType(inner=inner):
            length = _longest_hole(inner)
            return None if length is None else max(length, len("null"))
        case EnumType(values=values):
            render = hole_renderer(type)
            return max((len(render(value).encode()) for value in values), default=0)
        case StringType():
            return longest_string(type)
        case DateType():
            return len("2026-11-23")
        case _:
            return longest_json(type)


def _longest_match(type: Type) -> int | None:
    """Bytes of one match of a field's rule in a grammar; of a list's, nothing is known."""
    inner = type.inner if isinstance(type, OptionalType) else type
    return longest_string(inner) if isinstance(inner, StringType) else _longest_hole(inner)


class _Grammar:
    """The longest text of each symbol of a grammar; `known` are those that a field's type bounds."""

    def __init__(self, parser: Lark, known: Mapping[str, int | None]) -> None:
        self._parser = parser
        self._known = known
        self._found: dict[str, int | None] = {}
        for terminal in parser.terminals:
            width = terminal.pattern.max_width
            own = None if width > MAX_REPLY else _BYTES_PER_CHARACTER * width
            if terminal.pattern.type == "str":
                own = len(str(terminal.pattern.value).encode())
            self._found[terminal.name] = _less(own, known.get(terminal.name))

    def longest(self) -> int | None:
        (start,) = self._parser.options.start
        return self._of(NonTerminal(start))

    def _of(self, symbol: Symbol) -> int | None:
        name = str(symbol.name)
        if name in self._found:
            return self._found[name]
        self._found[name] = None  # of a rule that contains itself, until all its expansions are known
        longest: int | None = 0
        for rule in self._parser.rules:
            if rule.origin.name == name and longest is not None:
                lengths = [self._of(part) for part in rule.expansion]
                longest = None if None in lengths else max(longest, sum(length or 0 for length in lengths))
        self._found[name] = _less(longest, self._known.get(name))
        return self._found[name]


def _less(left: int | None, right: int | None) -> int | None:
    if left is None or right is None:
        return right if left is None else left
    return min(left, right)
