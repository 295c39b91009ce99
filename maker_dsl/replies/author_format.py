"""A reply in a grammar of the author's own.

The text that a rule or terminal named like a field covers is that field's value: of a string the text itself, else read
as a hole of a format text. A match inside another match of the same field does not count. A field of list type takes
all its matches in order, one item each; a single match may also be the whole list. An optional field takes one match or
none, which is null; any other exactly one.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any

from lark import Lark, Token, Tree

from maker_dsl.replies import explanation, placement
from maker_dsl.replies.author_grammar import MAX_AUTHOR_REPLY, author_parser, field_symbols, first_texts
from maker_dsl.replies.derivation import Derivation
from maker_dsl.replies.exports.export import export
from maker_dsl.replies.grammar_header import read_header
from maker_dsl.replies.instructions import instructions
from maker_dsl.replies.longest import longest_tokens
from maker_dsl.replies.notation import FormatText, HoleSpec, LarkGrammar, Place
from maker_dsl.replies.rendering import hole_renderer
from maker_dsl.replies.samples import MAX_SAMPLE, sample, size
from maker_dsl.task import Parsed, Refused, ReplyFormat, ReplyValue, Target
from maker_dsl.types.codec import Codec
from maker_dsl.types.display import phrase, with_article, words
from maker_dsl.types.errors import ValueRefused
from maker_dsl.types.type import ListType, Member, OptionalType, RecordType, StringType, Type

_WORD = re.compile(r"(?:\(\?i:)?(\w+)\\b\)?")
"""A regex that is a word in disguise, such as `/and\\b/`."""


@dataclass(frozen=True, slots=True)
class _Cover:
    """A match of a field's rule: the characters it covers."""

    start: int
    end: int


class AuthorFormat:
    """The reply format of an author's grammar; `make_text_format` makes the formats that its fields are read with."""

    def __init__(self, notation: LarkGrammar, place: Place, text_format: Any) -> None:
        self.type: RecordType = notation.type
        self._notation = notation
        self._place = place
        self._parser = author_parser(notation.text)
        self._codec = Codec(notation.type, exact_ints=True)
        self._fields = {member.name: _Field(member, text_format) for member in notation.type.members}
        self._locate = placement.locator(place, placement.opening_literals(first_texts(self._parser) or frozenset()))
        self._symbols = field_symbols(notation.text, self._fields)
        self._phrases = _phrases(self._parser, notation.type)
        self._header = read_header(notation.text)

    @property
    def grammar(self) -> str:
        """The author's grammar."""
        return self._notation.text

    @cached_property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the reply value."""
        return self._codec.schema

    def export(self, target: Target) -> str:
        """The form of whole outputs in another notation; raises `NotExpressible`."""
        return export(self._notation, self._place, target)

    @cached_property
    def instructions(self) -> str:
        """What `{{ reply.format }}` puts into the prompt."""
        return instructions(self._notation, self._place)

    @cached_property
    def example(self) -> str:
        """What `{{ reply.example }}` puts into the prompt: the grammar's own, or one that is found, or nothing."""
        own = placement.placed(self._header.example, self._place)
        if isinstance(self.read(own), Parsed):
            return own
        try:
            return self.render(sample(self.type)) if size(self.type) <= MAX_SAMPLE else ""
        except ValueRefused:
            return ""

    @cached_property
    def longest_tokens(self) -> int | None:
        """The tokens that a right reply has at most."""
        return longest_tokens(self._notation, self._place, self._parser)

    def read(self, text: str) -> Parsed | Refused:
        """Locate, parse and type the reply in a model's text."""
        if len(text) > MAX_AUTHOR_REPLY:
            return Refused("locate", f"the reply is longer than {MAX_AUTHOR_REPLY:,} characters", MAX_AUTHOR_REPLY)
        located = self._locate(text)
        if isinstance(located, Refused):
            return located
        start, end = located.start, located.end
        try:
            text.encode()
        except UnicodeEncodeError as error:
            return Refused("parse", "half of a surrogate pair is not a character", error.start)
        value = self._value(text[start:end])
        if isinstance(value, Refused):
            return Refused(value.stage, value.message, None if value.offset is None else start + value.offset)
        return Parsed(value, start, end)

    def _value(self, body: str) -> ReplyValue | Refused:
        tree = explanation.parse(self._parser, self._phrases, body)
        if isinstance(tree, Refused) and tree.offset == len(body):
            # White space around a reply does not count, but a grammar may ask for the line break that ends it.
            ended = explanation.parse(self._parser, self._phrases, body + "\n")
            tree, body = (tree, body) if isinstance(ended, Refused) else (ended, body + "\n")
        if isinstance(tree, Refused):
            return tree
        value: ReplyValue = {}
        covers = self._covers(tree)
        for name, field in self._fields.items():
            read = field.read(body, covers[name])
            if isinstance(read, Refused):
                return read
            value[name] = read.value[name]
        try:
            typed: ReplyValue = self._codec.validate(value)
        except ValueRefused as refused:
            field_name = refused.path.split(".")[0].split("[")[0]
            at = covers.get(field_name) or [_Cover(0, 0)]
            return Refused("type", str(refused), at[0].start)
        return typed

    def _covers(self, tree: Tree[Token]) -> dict[str, list[_Cover]]:
        """The matches of each field in the order of the text, however deep the tree is."""
        covers: dict[str, list[_Cover]] = {name: [] for name in self._fields}
        waiting: list[tuple[Tree[Token] | Token, frozenset[str]]] = [(tree, frozenset())]
        while waiting:
            node, around = waiting.pop()
            name = self._symbols.get(node.type if isinstance(node, Token) else str(node.data))
            if name is not None and name not in around:
                covers[name].append(_cover(node))
                around = around | {name}
            if isinstance(node, Tree):
                waiting.extend((child, around) for child in reversed(node.children))
        return covers

    @cached_property
    def _derivation(self) -> Derivation:
        return Derivation(self._parser, self._symbols, self._header.example)

    def render(self, value: ReplyValue) -> str:
        """A text of the grammar that reads back as the value; raises `ValueRefused` where none is found."""
        value = self._codec.validate(value)
        wanted = self._codec.dump(value)
        texts = {name: field.texts(value[name]) for name, field in self._fields.items()}
        # A field that covers all of the reply says it all; what other fields there are stands in it.
        whole = {name: alone[0] for name, alone in texts.items() if len(alone) == 1}
        otherwise = ""
        for name, text in chain(whole.items(), (("", text) for text in self._derivation.texts(texts))):
            placed = placement.placed(text, self._place)
            again = self.read(placed)
            if isinstance(again, Parsed):
                if (found := self._codec.dump(again.value)) == wanted:
                    return placed
                if name and not otherwise:
                    otherwise = _difference(name, json.loads(wanted), json.loads(found))
        raise ValueRefused("", f"no text of the grammar was found for this value{otherwise}")


def _difference(source: str, wanted: dict[str, Any], found: dict[str, Any]) -> str:
    others = (name for name in wanted if found.get(name) != wanted[name] and name != source)
    name = next(others, None)
    return (
        "" if name is None else f": in that `{source}`, `{name}` is {json.dumps(found.get(name), ensure_ascii=False)}"
    )


class _Field:
    """How a field is read from what its rule covers."""

    def __init__(self, member: Member, text_format: Any) -> None:
        self.name = member.name
        type = member.type
        self.is_optional = isinstance(type, OptionalType)
        self.type: Type = type.inner if isinstance(type, OptionalType) else type
        self.is_list = isinstance(self.type, ListType)
        item = self.type.item if isinstance(self.type, ListType) else self.type
        self.item_is_string = isinstance(item, StringType)
        self.item: ReplyFormat = text_format(_alone(self.name, item), Place("whole"))
        self.whole: ReplyFormat = text_format(_alone(self.name, self.type), Place("whole"))
        self.render_item = str if self.item_is_string else hole_renderer(item)

    def read(self, text: str, covers: list[_Cover]) -> Parsed | Refused:
        """The field's value under its name."""
        if not covers and self.is_optional:
            return Parsed({self.name: None}, 0, 0)
        if self.is_list:
            return self._read_list(text, covers)
        if not covers:
            return Refused("parse", f"`{self.name}` is missing", None)
        if len(covers) > 1:
            return Refused("parse", f"`{self.name}` occurs twice", covers[1].start)
        return self._read_one(self.item, text, covers[0])

    def _read_list(self, text: str, covers: list[_Cover]) -> Parsed | Refused:
        if len(covers) == 1 and not self.item_is_string:
            whole = self._read_one(self.whole, text, covers[0])
            if isinstance(whole, Parsed):
                return whole
        items = []
        for cover in covers:
            read = self._read_one(self.item, text, cover)
            if isinstance(read, Refused):
                return read
            items.append(read.value[self.name])
        return Parsed({self.name: items}, 0, 0)

    def _read_one(self, format: ReplyFormat, text: str, cover: _Cover) -> Parsed | Refused:
        covered = text[cover.start : cover.end]
        if self.item_is_string:
            return Parsed({self.name: covered}, cover.start, cover.end)
        read = format.read(covered)
        if isinstance(read, Refused):
            stage = "parse" if read.stage == "locate" else read.stage
            offset = cover.start + (read.offset or 0)
            message = f"{read.message} (in `{self.name}`)" if stage == "parse" else read.message
            return Refused(stage, message, offset)
        return read

    def texts(self, value: Any) -> list[str]:
        """What the matches of the field's rule cover in a reply with this value."""
        if value is None:
            return []
        return [self.render_item(item) for item in value] if self.is_list else [self.render_item(value)]


def _alone(name: str, type: Type) -> FormatText:
    return FormatText((HoleSpec(name, type),))


def _cover(node: Tree[Token] | Token) -> _Cover:
    """The characters that a node covers; a rule that matched nothing has no place."""
    if isinstance(node, Token):
        return _Cover(node.start_pos or 0, node.end_pos or 0)
    return _Cover(0, 0) if node.meta.empty else _Cover(node.meta.start_pos, node.meta.end_pos)


def _phrases(parser: Lark, type: RecordType) -> dict[str, str]:
    """What to call each terminal: a fixed text by itself, a regex by its name or by that of the rule it makes up."""
    aliases = {member.name: phrase(member.type) for member in type.members if member.type.alias}
    alone = {str(r.expansion[0].name): str(r.origin.name) for r in parser.rules if len(r.expansion) == 1}
    said = {}
    for terminal in parser.terminals:
        value = str(terminal.pattern.value)
        named = alone.get(terminal.name) if terminal.name.startswith("__ANON") else terminal.name.lower()
        word = _WORD.fullmatch(value)
        if terminal.pattern.type == "str" or word is not None:
            said[terminal.name] = f"`{value if word is None else word[1]}`"
        elif named is None or not named.strip("_"):
            said[terminal.name] = f"`/{value}/`"
        else:
            said[terminal.name] = aliases.get(named) or with_article(words(named))
    return said
