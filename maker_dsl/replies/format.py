"""From a notation to the finished reply format: the driver of this package."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, assert_never

from lark import Lark, Token, Tree
from pydantic_core import ValidationError

from maker_dsl.errors import InternalError
from maker_dsl.replies import explanation, placement
from maker_dsl.replies.author_format import AuthorFormat
from maker_dsl.replies.explanation import RawReply
from maker_dsl.replies.exports.export import export
from maker_dsl.replies.fast import FastRead, fast_object, fast_text, has_fixed_texts, is_json
from maker_dsl.replies.grammar import GrammarText, object_grammar, text_grammar
from maker_dsl.replies.instructions import instructions
from maker_dsl.replies.layout import Gap, Slot, lead, line_count, parts, raw
from maker_dsl.replies.lexing import generated_parser
from maker_dsl.replies.longest import longest_tokens
from maker_dsl.replies.notation import AT_END, FormatText, HoleSpec, JsonObject, LarkGrammar, Notation, Place
from maker_dsl.replies.rendering import hole_renderer, json_renderer
from maker_dsl.replies.samples import MAX_SAMPLE, sample, size
from maker_dsl.replies.syntax import WHITE
from maker_dsl.task import Parsed, Refused, ReplyFormat, ReplyValue, Target
from maker_dsl.types.codec import Codec
from maker_dsl.types.errors import ValueRefused
from maker_dsl.types.type import Member, RecordType
from maker_dsl.types.validation import validator


def reply_format(notation: Notation, place: Place = AT_END) -> ReplyFormat:
    """The format of a notation that `check_notation` finds nothing wrong with; types must be concrete."""
    match notation:
        case FormatText():
            return GeneratedFormat(notation, place, _of_text(notation))
        case JsonObject():
            return GeneratedFormat(notation, place, _of_object(notation))
        case LarkGrammar():
            return AuthorFormat(notation, place, reply_format)
        case _:
            assert_never(notation)


@dataclass(frozen=True, slots=True)
class Machinery:
    """What a generated format is made of; each part is described in its own file."""

    type: RecordType
    opening: placement.Opening
    fast: FastRead
    grammar: GrammarText
    raw_value: Callable[[Tree[Token], RecordType], RawReply | Refused]
    render: Callable[[ReplyValue], str]
    may_run_on: bool
    """Whether a value may hold what ends it, so that rendering has to make sure."""


def _of_text(notation: FormatText) -> Machinery:
    row = parts(notation)
    holes = [part for part in row if isinstance(part, Slot)]
    type = RecordType(tuple(Member(part.hole.name, part.hole.type) for part in holes))
    tokens = lead(row)
    if tokens:
        spaced = len(tokens) < len(row) and row[len(tokens)].before is not Gap.NOTHING
        opening = placement.opening_tokens(tokens, spaced=spaced)
    else:
        opening = placement.opening_lines(line_count(row))
    pieces = tuple(
        (piece.name, hole_renderer(piece.type)) if isinstance(piece, HoleSpec) else piece for piece in notation.pieces
    )

    def render(value: ReplyValue) -> str:
        return "".join(p if isinstance(p, str) else p[1](value[p[0]]) for p in pieces).strip(WHITE)

    runs_on = any(raw(part.hole.type) for part in holes)
    grammar = text_grammar(row)
    return Machinery(type, opening, fast_text(row, type), grammar, explanation.holes_value, render, runs_on)


def _of_object(notation: JsonObject) -> Machinery:
    type = notation.type
    render = json_renderer(type)
    return Machinery(
        type,
        placement.opening_object,
        fast_object(type),
        object_grammar(type),
        explanation.object_value,
        render,
        False,
    )


class GeneratedFormat:
    """A format text or a JSON object: read by the fast reader, explained by the grammar."""

    def __init__(self, notation: Notation, place: Place, machinery: Machinery) -> None:
        self.type = machinery.type
        self._notation = notation
        self._place = place
        self._machinery = machinery
        self._locate = placement.locator(place, machinery.opening)
        self._codec = Codec(machinery.type, exact_ints=True)
        self._validate = validator(machinery.type, exact_ints=True).validate_python
        types = [member.type for member in machinery.type.members]
        self._has_fixed = isinstance(notation, JsonObject) or any(is_json(t) and has_fixed_texts(t) for t in types)

    @property
    def grammar(self) -> str:
        """The Lark grammar that is the meaning of the format."""
        return self._machinery.grammar.text

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
        """What `{{ reply.example }}` puts into the prompt; empty where the smallest value is too large to show."""
        if size(self.type) > MAX_SAMPLE:
            return ""
        return placement.placed(self._machinery.render(self._codec.validate(sample(self.type))), self._place)

    @cached_property
    def longest_tokens(self) -> int | None:
        """The tokens that a right reply has at most."""
        return longest_tokens(self._notation, self._place)

    @cached_property
    def _parser(self) -> Lark:
        return generated_parser(self.grammar)

    def read(self, text: str) -> Parsed | Refused:
        """Locate, parse and type the reply in a model's text."""
        located = placement.too_long(text) or self._locate(text)
        if isinstance(located, Refused):
            return located
        start, end = located.start, located.end
        # An escape may spell a key or an enum value in another way than the grammar has it: then the grammar decides.
        escapes = self._has_fixed and "\\u" in text
        if not escapes:
            raw = self._machinery.fast(text, start, end)
            if raw is not None:
                try:
                    return Parsed(self._validate(raw), start, end)
                except ValidationError:
                    pass
        explained = self.read_by_grammar(text, start, end)
        if isinstance(explained, Parsed) and not escapes:
            raise InternalError(f"the fast reader refuses what its grammar accepts: {text[start:end]!r}")
        return explained

    def read_by_grammar(self, text: str, start: int, end: int) -> Parsed | Refused:
        """What the grammar makes of text[start:end]."""
        body = text[start:end]
        tree = explanation.parse(self._parser, self._machinery.grammar.phrases, body)
        raw = tree if isinstance(tree, Refused) else self._machinery.raw_value(tree, self.type)
        if isinstance(raw, Refused):
            return Refused(raw.stage, raw.message, None if raw.offset is None else start + raw.offset)
        try:
            return Parsed(self._codec.validate(raw.value), start, end)
        except ValueRefused as refused:
            field = refused.path.split(".")[0].split("[")[0]
            return Refused("type", str(refused), start + raw.offsets.get(field, 0))

    def render(self, value: ReplyValue) -> str:
        """The canonical text of a value; raises `ValueRefused` for one that is not of the type or has no text."""
        value = self._codec.validate(value)
        text = self._machinery.render(value)
        placed = placement.placed(text, self._place)
        if self._machinery.may_run_on or self._is_cut_short(text):
            again = self.read(placed)
            if not isinstance(again, Parsed) or self._codec.dump(again.value) != self._codec.dump(value):
                raise ValueRefused("", "the value cannot be written in this form: it holds what would end it")
        return placed

    def _is_cut_short(self, text: str) -> bool:
        match self._place.kind:
            case "fenced":
                return "```" in text
            case "tag":
                return f"<{self._place.tag}>" in text or f"</{self._place.tag}>" in text
            case _:
                return False
