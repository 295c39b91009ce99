"""What `{{ reply.format }}` says to a model: the form with named places, and what stands in each."""

from __future__ import annotations

import json
from typing import Any, assert_never

from maker_dsl.replies import syntax
from maker_dsl.replies.fast import is_json
from maker_dsl.replies.grammar_header import read_header
from maker_dsl.replies.notation import FormatText, HoleSpec, JsonObject, LarkGrammar, Notation, Place
from maker_dsl.types.display import items
from maker_dsl.types.type import (
    BoolType,
    DateType,
    DecimalType,
    EnumType,
    FloatType,
    IntType,
    ListType,
    MapType,
    Member,
    NeverType,
    NullType,
    OptionalType,
    RecordType,
    StringType,
    TupleType,
    Type,
)


def instructions(notation: Notation, place: Place) -> str:
    """The words for the prompt: where the answer stands, its form, and a line for each place in it."""
    match notation:
        case FormatText():
            form = "".join(f"<{p.name}>" if isinstance(p, HoleSpec) else p for p in notation.pieces).strip()
            holes = [p for p in notation.pieces if isinstance(p, HoleSpec)]
            legend = [f"<{hole.name}> is {describe(hole.type, in_json=is_json(hole.type))}." for hole in holes]
        case JsonObject():
            form = "{\n" + ",\n".join(f'  "{m.name}": <{m.name}>' for m in notation.type.members) + "\n}"
            legend = [_member_line(member) for member in notation.type.members]
        case LarkGrammar():
            said = read_header(notation.text).form
            if said:
                what, _, more = said.partition("\n")
                return "\n\n".join(filter(None, [_place_of(place, what).removesuffix(":") + ".", more]))
            form = notation.text.strip()
            return "\n\n".join([_where(place, "grammar", form), form])
        case _:
            assert_never(notation)
    kind = "JSON object" if isinstance(notation, JsonObject) else "form"
    return "\n\n".join([_where(place, kind, form), form, "\n".join(legend)])


def _member_line(member: Member) -> str:
    return f"<{member.name}> is {describe(member.type)}."


def _where(place: Place, kind: str, form: str) -> str:
    lines = "these lines" if "\n" in form else "this line"
    match kind, place.kind:
        case "form", "end":
            return f"End your reply with exactly {lines}, the places in <> filled in, and write nothing after:"
        case "form", "whole":
            return f"Reply with exactly {lines}, the places in <> filled in, and nothing else:"
    what = {
        "form": f"exactly {lines}, the places in <> filled in",
        "JSON object": "one JSON object with exactly these members",
        "grammar": "a text that follows this grammar",
    }[kind]
    return _place_of(place, what)


def _place_of(place: Place, what: str) -> str:
    match place.kind:
        case "end":
            return f"End your reply with {what}, beginning on a line of its own, and write nothing after:"
        case "whole":
            return f"Reply with {what}, and nothing else:"
        case "fenced":
            return f"Give your answer in one fenced code block (between lines of ```) that holds {what}:"
        case "tag":
            return f"Give your answer between <{place.tag}> and </{place.tag}>: {what}:"


def describe(type: Type, *, in_json: bool = True) -> str:
    """A type in plain words for someone who has never seen a task."""
    match type:
        case IntType():
            return "a whole number" + _range(type.minimum, type.maximum)
        case FloatType():
            return "a number" + _range(type.minimum, type.maximum)
        case DecimalType():
            return "an exact decimal number" + _range(type.minimum, type.maximum)
        case BoolType():
            return "true or false"
        case StringType():
            return _string(type)
        case DateType():
            return 'a date such as "2026-11-23"' if in_json else "a date such as 2026-11-23"
        case EnumType():
            return _enum(type, in_json)
        case ListType():
            count = _count(type.min_length, type.max_length)
            return f"a JSON array{count or ' whose items are'}{',' if count else ''} each {describe(type.item)}"
        case MapType():
            return f"a JSON object whose keys are strings and whose values are each {describe(type.value)}"
        case RecordType():
            shape = ", ".join(f'"{member.name}": …' for member in type.members)
            return f"a JSON object {{{shape}}}" + _where_each(type.members)
        case TupleType():
            shape = ", ".join(place.name for place in type.places)
            return f"a JSON array [{shape}]" + _where_each(type.places)
        case OptionalType():
            return f"{describe(type.inner, in_json=in_json)}, or null"
        case NullType():
            return "null"
        case NeverType():
            return "nothing"
        case _:
            assert_never(type)


def _where_each(members: tuple[Member, ...]) -> str:
    return " where " + ", ".join(f"{m.name} is {describe(m.type)}" for m in members) if members else ""


def _string(type: StringType) -> str:
    kinds = {"line": "text on one line", "text": "text, on several lines if need be"}
    bounds = "" if type.max_length is None else f" of at most {type.max_length} characters"
    matching = "" if type.pattern is None else f" that matches the regular expression /{type.pattern}/"
    return kinds.get(type.raw, "a JSON string in double quotes") + bounds + matching


def _enum(type: EnumType, in_json: bool) -> str:
    written = [value if not in_json and syntax.is_bare(value) else _quoted(value) for value in type.values]
    return written[0] if len(written) == 1 else "one of " + ", ".join(written)


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _range(low: Any, high: Any) -> str:
    match low is not None, high is not None:
        case True, True:
            return f" from {low} to {high}" if low != high else f", namely {low}"
        case True, False:
            return f" of at least {low}"
        case False, True:
            return f" of at most {high}"
    return ""


def _count(low: int | None, high: int | None) -> str:
    if low is not None and high is not None:
        return f" of {items(low)}" if low == high else f" of {low} to {high} items"
    if low is not None:
        return f" of at least {items(low)}"
    return "" if high is None else f" of at most {items(high)}"
