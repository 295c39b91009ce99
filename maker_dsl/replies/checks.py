"""What is wrong with a notation, as data; the checker turns it into diagnostics with places in the file.

A reply must be read in one way only: these checks refuse every format in which a hole could swallow what comes after
it, or in which the place where the reply starts could be mistaken. Doubled and reserved names, missing holes, and
`line` or `text` inside another type are the own business of the checker.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import assert_never

from maker_dsl.replies import syntax
from maker_dsl.replies.fast import is_json
from maker_dsl.replies.grammar_checks import check_grammar
from maker_dsl.replies.layout import Gap, Newlines, Part, Slot, Token, lead, parts, raw
from maker_dsl.replies.notation import AT_END, FormatText, JsonObject, LarkGrammar, Notation, Place
from maker_dsl.replies.placement import lead_regex
from maker_dsl.replies.problem import NotationProblem
from maker_dsl.types.type import (
    DecimalType,
    EnumType,
    FloatType,
    IntType,
    ListType,
    MapType,
    OptionalType,
    RecordType,
    StringType,
    TupleType,
    Type,
)

__all__ = ["NotationProblem", "check_notation"]

_TAG = re.compile(r"[A-Za-z_][\w.-]*")


def check_notation(notation: Notation, place: Place = AT_END) -> tuple[NotationProblem, ...]:
    """All that would keep a notation from being read without doubt; concrete and erased types both do."""
    found = [*_check_place(place)]
    match notation:
        case FormatText():
            found += _check_text(notation, place)
        case JsonObject():
            pass  # two values are never confused in JSON
        case LarkGrammar():
            found += check_grammar(notation, place)
        case _:
            assert_never(notation)
    return tuple(found)


def _check_place(place: Place) -> Iterator[NotationProblem]:
    if place.kind == "tag" and not _TAG.fullmatch(place.tag or ""):
        yield NotationProblem(
            "MK408",
            f"`{place.tag}` is no name for a tag",
            "a tag's name is a word such as `answer`",
            help='write `in tag "answer"`; the reply then stands between `<answer>` and `</answer>`',
        )


def _check_text(notation: FormatText, place: Place) -> Iterator[NotationProblem]:
    row = parts(notation)
    for part, after in zip(row, (*row[1:], None), strict=True):
        if isinstance(part, Slot):
            yield from _check_after(part, after, row)
    markers = [*_check_markers(row, place)]
    yield from markers
    if place.kind == "end" and not markers:
        yield from _check_start(row)


def _check_after(part: Slot, after: Part | None, row: tuple[Part, ...]) -> Iterator[NotationProblem]:
    if after is None:
        return
    name, kind = part.hole.name, raw(part.hole.type)
    next_line = isinstance(after.before, Newlines)
    if kind == "line" and not next_line:
        yield NotationProblem(
            "MK402",
            f"the line `{name}` takes all that follows on its line",
            "a `line` goes on to the end of the line",
            help=f"put what comes after it on the next line, or write `{{{name}: string}}`, which stands in quotes",
            piece=part.piece,
        )
    elif kind == "text" and not (next_line and isinstance(after, Token)):
        yield NotationProblem(
            "MK403",
            f"nothing shows where the text `{name}` ends",
            "a `text` goes on to a line that begins with fixed words, or to the end of the reply",
            help="put a fixed word at the start of the next line, or put the text last",
            piece=part.piece,
        )
    elif isinstance(after, Slot) and after.before is Gap.NOTHING:
        yield NotationProblem(
            "MK401",
            f"nothing stands between `{name}` and `{after.hole.name}`",
            f"where `{name}` ends and this begins can't be told",
            help="put a space, a sign or a word between them",
            piece=after.piece,
        )
    elif (swallowed := _swallowed(part, after, row)) is not None:
        yield NotationProblem(
            "MK405",
            f"`{name}` can run into the `{swallowed}` after it",
            f"a value of `{name}` could go on with `{swallowed}`",
            help=f"put a space before `{swallowed}`, or choose another sign",
            piece=part.piece,
        )


def _swallowed(part: Slot, after: Part, row: tuple[Part, ...]) -> str | None:
    """What comes right after a hole and could be taken for a part of its value."""
    type = part.hole.type.inner if isinstance(part.hole.type, OptionalType) else part.hole.type
    if not isinstance(after, Token) or is_json(type) or isinstance(after.before, Newlines):
        return None
    if after.before is Gap.NOTHING and not (isinstance(type, IntType) and not after.text[0].isdigit()):
        return after.text
    if isinstance(type, FloatType | DecimalType) and after.text.startswith("."):
        index = row.index(after)
        beyond = row[index + 1] if index + 1 < len(row) else None
        return after.text if beyond is not None and not isinstance(beyond.before, Newlines) else None
    if isinstance(type, EnumType):
        for value in filter(syntax.is_bare, type.values):
            longer = [v for v in type.values if syntax.is_bare(v) and v.startswith(value) and v != value]
            if any(v[len(value)] == after.text[0] for v in longer):
                return after.text
    return None


def _check_markers(row: tuple[Part, ...], place: Place) -> Iterator[NotationProblem]:
    for part in row:
        if isinstance(part, Token) and "```" in part.text:
            yield NotationProblem(
                "MK406",
                "a format has no fences of its own",
                "the lines of ``` around a reply are not part of its form",
                help="take them out and write `fenced` after the reply",
                piece=part.piece,
            )
    texts = [part.text for part in row if isinstance(part, Token)]
    if place.kind == "tag" and place.tag in texts and any(text.endswith(("<", "</")) for text in texts):
        yield NotationProblem(
            "MK406",
            "the format holds the tag that it stands in",
            f'`in tag "{place.tag}"` looks for the last `<{place.tag}>` and the `</{place.tag}>` after it',
            help="take the tag out of the format",
        )


def _check_start(row: tuple[Part, ...]) -> Iterator[NotationProblem]:
    tokens = lead(row)
    if not tokens:
        texts = [slot for slot in row if isinstance(slot, Slot) and raw(slot.hole.type) == "text"]
        for slot in texts[:1]:
            yield NotationProblem(
                "MK407",
                "nothing shows where the reply starts",
                "the format begins with a hole and has a `text`, which takes any number of lines",
                help='begin the format with a fixed word, or write `whole`, `fenced` or `in tag "answer"` after it',
                piece=slot.piece,
            )
        return
    regex = re.compile(lead_regex(tokens))
    first = tokens[0].text
    for index, part in enumerate(row):
        if not isinstance(part.before, Newlines) or index < len(tokens):
            continue
        if isinstance(part, Token) and _resembles(regex, tokens, row[index:]):
            shown, label = part.text, "this line begins as the reply does"
        elif isinstance(part, Slot) and _may_begin(part.hole.type, first):
            shown, label = part.hole.name, f"its value may begin with `{first}`, as the reply does"
        else:
            continue
        yield NotationProblem(
            "MK407",
            "where the reply starts can be mistaken",
            f"{label}: the reply is looked for at the last line that begins with `{first}`",
            help=f'let the line of `{shown}` begin otherwise, or write `whole`, `fenced` or `in tag "answer"`',
            piece=part.piece,
        )


def _resembles(regex: re.Pattern[str], tokens: tuple[Token, ...], rest: tuple[Part, ...]) -> bool:
    """Whether a later line could be taken for the start of the reply."""
    own = lead(rest)
    text = own[0].text + "".join(("\n" if isinstance(t.before, Newlines) else " ") + t.text for t in own[1:])
    same = all(mine.text == theirs.text for mine, theirs in zip(own, tokens, strict=False))
    return regex.match(text) is not None or (same and len(own) <= len(tokens))


def _may_begin(type: Type, first: str) -> bool:
    """Whether the notation of a type may begin with the first token of the format."""
    match type:
        case OptionalType():
            return first.startswith("null") or _may_begin(type.inner, first)
        case EnumType():
            return any((v if syntax.is_bare(v) else f'"{v}').startswith(first) for v in type.values)
        case StringType():
            return not type.raw and first.startswith('"')
        case ListType() | TupleType():
            return first.startswith("[")
        case MapType() | RecordType():
            return first.startswith("{")
        case _:
            return first[0] in "-0123456789" or first in ("true", "false")
