"""What the grammar makes of a reply: its raw value, or what was expected where.

Run when the fast reader has refused, and in tests beside it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, assert_never

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput
from lark.parsers.lalr_interactive_parser import InteractiveParser

from maker_dsl.replies import syntax
from maker_dsl.replies.fast import Raw, finite, is_json, plain_value
from maker_dsl.task import Refused
from maker_dsl.types.type import (
    BoolType,
    DateType,
    DecimalType,
    EnumType,
    FloatType,
    IntType,
    ListType,
    MapType,
    NeverType,
    NullType,
    OptionalType,
    RecordType,
    StringType,
    TupleType,
    Type,
)

_WORD = re.compile(r'\w{1,30}|"[^"\s]{0,30}"?|[^\w\s]')
_SHOWN_CHOICES = 6

DEAD_ENDS = {"RESERVED": "is a reserved word, not a name", "UNCLOSED": "is not closed"}
"""Terminals of an author's grammar that lead nowhere, as in `name: NAME | RESERVED NEVER`, and what to say of them.

Each goes before another terminal, so that what it stands for is never taken for that one.
"""


@dataclass(frozen=True, slots=True)
class RawReply:
    """The raw value of a reply and the offset of each field in the reply."""

    value: Raw
    offsets: dict[str, int]


class _Refusal(Exception):
    def __init__(self, stage: str, message: str, offset: int | None) -> None:
        super().__init__(message)
        self.refused = Refused("type" if stage == "type" else "parse", message, offset)


Node = Token | Tree[Token]


def parse(parser: Lark, phrases: dict[str, str], text: str) -> Tree[Token] | Refused:
    """The parse tree of a whole reply, or what was expected where."""
    interactive = parser.parse_interactive(text)
    before: Token | None = None
    last: Token | None = None
    try:
        for token in interactive.iter_parse():
            before, last = last, token
        tree: object = interactive.feed_eof(last)  # type: ignore[no-untyped-call]
    except UnexpectedInput as error:
        offset = error.pos_in_stream if error.pos_in_stream is not None else len(text)
        refused = getattr(error, "token", None)
        at_end = getattr(refused, "type", None) == "$END"
        if refused is not None and refused is last:
            last = before
        return _explain(interactive, phrases, text, len(text) if at_end else offset, last)
    assert isinstance(tree, Tree)
    return tree


def _explain(
    interactive: InteractiveParser, phrases: dict[str, str], text: str, offset: int, last: Token | None
) -> Refused:
    if last is not None and last.type in DEAD_ENDS:
        return Refused("parse", f"`{last}` {DEAD_ENDS[last.type]}", last.start_pos)
    offset += len(text[offset:]) - len(text[offset:].lstrip(syntax.WHITE))
    accepted: list[str] = sorted(interactive.accepts())  # type: ignore[no-untyped-call]
    names = [name for name in accepted if name not in DEAD_ENDS]
    choices = list(dict.fromkeys("the end of the reply" if name == "$END" else phrases[name] for name in names))
    shown = choices if len(choices) == _SHOWN_CHOICES + 1 else choices[:_SHOWN_CHOICES]
    expected = " or ".join(filter(None, [", ".join(shown[:-1]), shown[-1]])) if shown else "nothing more"
    if len(choices) > len(shown):
        expected += f" (or one of {len(choices) - len(shown)} others)"
    after = "" if last is None else f" after {_tail(last)}"
    return Refused("parse", f"expected {expected}{after}, found {found(text, offset)}", offset)


def found(text: str, offset: int) -> str:
    """What stands at an offset, for a message."""
    word = _WORD.match(text, offset)
    if word is not None:
        return "a backtick" if word[0] == "`" else f"`{word[0].encode('utf-8', 'backslashreplace').decode()}`"
    return "the end of the reply" if offset >= len(text) else f"U+{ord(text[offset]):04X}"


def _tail(token: Token) -> str:
    text = token.strip(syntax.WHITE).encode("utf-8", "backslashreplace").decode()
    if not text:
        return "the line break" if "\n" in token else "the space"
    return f"`{text if len(text) <= 20 else '…' + text[-19:]}`"


def holes_value(tree: Tree[Token], type: RecordType) -> RawReply | Refused:
    """The raw value of a format text's parse tree: one child for each hole."""
    try:
        values: Raw = {}
        offsets: dict[str, int] = {}
        for member, node in zip(type.members, tree.children, strict=True):
            offsets[member.name] = _offset(node) or 0
            values[member.name] = _hole(member.type, node)
    except _Refusal as refusal:
        return refusal.refused
    return RawReply(values, offsets)


def object_value(tree: Tree[Token], type: RecordType) -> RawReply | Refused:
    """The raw value of a JSON object's parse tree."""
    node = tree.children[0]
    assert isinstance(node, Tree)
    try:
        value = _json(type, node)
    except _Refusal as refusal:
        return refusal.refused
    pairs = list(zip(node.children[::2], node.children[1::2], strict=True))
    return RawReply(value, {json.loads(str(key)): _offset(item) or 0 for key, item in pairs})


def _offset(node: Node) -> int | None:
    return node.start_pos if isinstance(node, Token) else getattr(node.meta, "start_pos", None)


def _hole(type: Type, node: Node) -> Any:
    if is_json(type):
        return _json(type, node)
    try:
        return plain_value(type)(str(node))
    except (ValueError, ArithmeticError):
        raise _Refusal("type", _no_value(type, str(node)), _offset(node)) from None


def _json(type: Type, node: Node) -> Any:
    match type:
        case OptionalType():
            return None if isinstance(node, Token) and node.type == "NULL" else _json(type.inner, node)
        case IntType() | FloatType() | DecimalType():
            return _number(type, node)
        case BoolType() | NullType() | StringType() | EnumType() | DateType():
            return json.loads(str(node))
        case ListType():
            return [_json(type.item, item) for item in _children(node)]
        case TupleType():
            return [_json(place.type, item) for place, item in zip(type.places, _children(node), strict=True)]
        case MapType():
            return _members({}, type.value, node)
        case RecordType():
            value = _members({member.name: member.type for member in type.members}, None, node)
            for member in type.members:
                if member.name not in value and not isinstance(member.type, OptionalType):
                    raise _Refusal("parse", f'the member `"{member.name}"` is missing', _offset(node))
            return value
        case NeverType():
            raise AssertionError("no reply has a value of no type")
        case _:
            assert_never(type)


def _children(node: Node) -> list[Node]:
    assert isinstance(node, Tree)
    return list(node.children)


def _members(types: dict[str, Type], other: Type | None, node: Node) -> dict[str, Any]:
    children = _children(node)
    value: dict[str, Any] = {}
    for key, item in zip(children[::2], children[1::2], strict=True):
        name = json.loads(str(key))
        if name in value:
            raise _Refusal("parse", f"the key {key} occurs twice", _offset(key))
        type = types.get(name, other)
        assert type is not None
        value[name] = _json(type, item)
    return value


def _number(type: IntType | FloatType | DecimalType, node: Node) -> Any:
    text = str(node)
    try:
        if isinstance(type, IntType):
            return int(text)
        return Decimal(text) if isinstance(type, DecimalType) else finite(text)
    except (ValueError, ArithmeticError):
        raise _Refusal("type", _no_value(type, text), _offset(node)) from None


def _no_value(type: Type, text: str) -> str:
    if isinstance(type, DateType):
        return f"there is no day `{text}`"
    return f"the number `{text}` is too large" if len(text) <= 20 else f"the number `{text[:20]}…` has too many digits"
