"""From a reply's notation to another notation: the driver of this package."""

from __future__ import annotations

from functools import lru_cache
from typing import assert_never

import orjson

from maker_dsl.replies.exports.as_gbnf import as_gbnf
from maker_dsl.replies.exports.as_lark import as_lark
from maker_dsl.replies.exports.as_llguidance import as_llguidance
from maker_dsl.replies.exports.as_regex import TooLarge, as_regex
from maker_dsl.replies.exports.form import NOTHING, Form
from maker_dsl.replies.exports.lowering import object_form, text_form
from maker_dsl.replies.notation import FormatText, JsonObject, LarkGrammar, Notation, Place
from maker_dsl.task import NotExpressible, Target
from maker_dsl.types.schema import json_schema


def export(notation: Notation, place: Place, target: Target) -> str:
    """The form of whole outputs that hold nothing but a reply in its place; raises `NotExpressible`."""
    if target == "json-schema":
        return _schema(notation, place)
    form = reply_form(notation, place)
    if form.start == NOTHING:
        raise NotExpressible(target, "no text has this form")
    match target:
        case "lark":
            return as_lark(form)
        case "llguidance":
            return as_llguidance(form)
        case "gbnf":
            return as_gbnf(form)
        case "regex":
            try:
                return as_regex(form)
            except TooLarge as error:
                raise NotExpressible(target, str(error), ("lark", "llguidance", "gbnf")) from None
        case _:
            assert_never(target)


@lru_cache(maxsize=64)
def reply_form(notation: Notation, place: Place) -> Form:
    """The form that all notations but JSON Schema are written from."""
    match notation:
        case FormatText():
            return text_form(notation, place)
        case JsonObject():
            return object_form(notation, place)
        case LarkGrammar():
            raise NotExpressible("lark", "not yet")
        case _:
            assert_never(notation)


def _schema(notation: Notation, place: Place) -> str:
    others: tuple[Target, ...] = ("lark", "llguidance", "gbnf", "regex")
    if not isinstance(notation, JsonObject):
        raise NotExpressible("json-schema", "the reply is not a JSON object", others)
    if place.kind in ("fenced", "tag"):
        where = "a fenced block" if place.kind == "fenced" else f"`<{place.tag}>`"
        raise NotExpressible(
            "json-schema", f"the reply stands in {where}, and a schema knows nothing around it", others
        )
    return orjson.dumps(json_schema(notation.type), option=orjson.OPT_INDENT_2).decode() + "\n"
