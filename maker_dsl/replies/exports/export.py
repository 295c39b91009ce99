"""From a reply's notation to another notation: the driver of this package."""

from __future__ import annotations

from functools import lru_cache
from typing import assert_never

import orjson

from maker_dsl.replies.exports.as_gbnf import as_gbnf
from maker_dsl.replies.exports.as_lark import as_lark
from maker_dsl.replies.exports.as_llguidance import as_llguidance
from maker_dsl.replies.exports.as_regex import as_regex
from maker_dsl.replies.exports.author import author_form
from maker_dsl.replies.exports.form import NOTHING, Form, Unwritable
from maker_dsl.replies.exports.lowering import object_form, text_form
from maker_dsl.replies.notation import FormatText, JsonObject, LarkGrammar, Notation, Place
from maker_dsl.task import TARGETS, NotExpressible, Target
from maker_dsl.types.canonical import with_large_ints
from maker_dsl.types.schema import json_schema


def export(notation: Notation, place: Place, target: Target) -> str:
    """The form of whole outputs that hold nothing but a reply in its place; raises `NotExpressible`."""
    others = tuple(one for one in TARGETS if one != target)
    try:
        return _write(notation, place, target)
    except Unwritable as error:
        raise NotExpressible(
            target, str(error), tuple(one for one in others if _can_write(notation, place, one))
        ) from None


def _can_write(notation: Notation, place: Place, target: Target) -> bool:
    try:
        _write(notation, place, target)
    except Unwritable:
        return False
    return True


def _write(notation: Notation, place: Place, target: Target) -> str:
    if target == "json-schema":
        return _schema(notation, place)
    if target == "lark" and isinstance(notation, LarkGrammar):
        return _as_written(notation, place)
    form = reply_form(notation, place)
    if form.start == NOTHING:
        raise Unwritable("no text has this form")
    match target:
        case "lark":
            return as_lark(form)
        case "llguidance":
            return as_llguidance(form)
        case "gbnf":
            return as_gbnf(form)
        case "regex":
            return as_regex(form)
        case _:
            assert_never(target)


@lru_cache(maxsize=64)
def reply_form(notation: Notation, place: Place) -> Form:
    """The form that all notations but JSON Schema are written from; raises `Unwritable`."""
    match notation:
        case FormatText():
            return text_form(notation, place)
        case JsonObject():
            return object_form(notation, place)
        case LarkGrammar():
            return author_form(notation, place)
        case _:
            assert_never(notation)


def _as_written(notation: LarkGrammar, place: Place) -> str:
    if place.kind in ("fenced", "tag"):
        raise Unwritable(f"the grammar is of what stands in {_where(place)}, not of what is around it")
    return notation.text


def _schema(notation: Notation, place: Place) -> str:
    if not isinstance(notation, JsonObject):
        raise Unwritable("the reply is not a JSON object")
    if place.kind in ("fenced", "tag"):
        raise Unwritable(f"the reply stands in {_where(place)}, and a schema knows nothing of what is around JSON")
    return orjson.dumps(with_large_ints(json_schema(notation.type)), option=orjson.OPT_INDENT_2).decode() + "\n"


def _where(place: Place) -> str:
    return "a fenced block" if place.kind == "fenced" else f"`<{place.tag}>`"
