"""From a format text or a JSON object and its place to the form of whole outputs.

Where white space is free an export has a blank or nothing, or what the author wrote there; nothing stands around the
reply but what its place asks for. A reply at the end of a text stands alone: where every character is constrained,
nothing comes before it.
"""

from __future__ import annotations

import re

from maker_dsl.replies import syntax
from maker_dsl.replies.exports import strings
from maker_dsl.replies.exports.form import (
    EMPTY,
    Form,
    Node,
    Text,
    characters,
    choice,
    optional,
    repeat,
    sequence,
)
from maker_dsl.replies.exports.strings import Surroundings
from maker_dsl.replies.exports.values import BLANK, NULL, Rules
from maker_dsl.replies.fast import is_json
from maker_dsl.replies.layout import Between, Gap, Newlines, Part, Slot, Token, lead, parts, raw
from maker_dsl.replies.notation import FormatText, JsonObject, Place
from maker_dsl.types.type import OptionalType

_FENCE = "```"


def text_form(notation: FormatText, place: Place) -> Form:
    """The form of a format text."""
    row = parts(notation)
    around = _surroundings(place)
    rules = Rules(around)
    nodes: list[Node] = []
    for index, part in enumerate(row):
        nodes.append(_gap(part.before, part.written))
        if isinstance(part, Token):
            nodes.append(Text(part.text))
        elif raw(part.hole.type):
            nodes.append(_raw(part, row, index, place, rules))
        elif is_json(part.hole.type):
            nodes.append(rules.value(part.hole.type, part.hole.name))
        else:
            nodes.append(rules.bare(part.hole.type, part.hole.name))
    return _finish(sequence(*nodes), rules, place)


def object_form(notation: JsonObject, place: Place) -> Form:
    """The form of a JSON object."""
    rules = Rules(_surroundings(place))
    return _finish(rules.members(notation.type), rules, place)


def placed_form(reply: Node, place: Place) -> Node:
    """A reply in its place: in its fence or its tag, or alone."""
    match place.kind:
        case "fenced":
            info = repeat(characters("az"), 0, 12)
            return sequence(Text(_FENCE), info, Text("\n"), reply, Text(f"\n{_FENCE}"))
        case "tag":
            line_break = optional(Text("\n"))
            return sequence(Text(f"<{place.tag}>"), line_break, reply, line_break, Text(f"</{place.tag}>"))
        case _:
            return reply


def _finish(reply: Node, rules: Rules, place: Place) -> Form:
    return Form(placed_form(reply, place), rules.rules, tuple(rules.left_to_reading))


def _surroundings(place: Place) -> Surroundings:
    return Surroundings(place.tag if place.kind == "tag" else None)


def _gap(before: Between, written: str) -> Node:
    """What stands between two parts: what the author wrote there, or as little as will do."""
    match before:
        case Gap.NOTHING:
            return EMPTY
        case Gap.BLANKS:
            return BLANK if written in ("", " ") else choice(Text(written), BLANK)
        case Gap.BLANK:
            least = " "
        case Newlines(count):
            least = "\n" * count
    plain = written.replace("\r\n", "\n")
    fits = re.fullmatch(syntax.between(before), plain) is not None
    return choice(Text(plain), Text(least)) if fits and plain else Text(least)


def _raw(slot: Slot, row: tuple[Part, ...], index: int, place: Place, rules: Rules) -> Node:
    """A `line` or `text`, in which no line begins as another line of the reply does, or as a fence."""
    type = slot.hole.type
    words = set()
    if place.kind == "end":
        words |= {token.text for token in lead(row)[:1]} | {_FENCE}
    elif place.kind == "fenced":
        words.add(_FENCE)
    after = row[index + 1] if index + 1 < len(row) else None
    is_text = raw(type) == "text"
    if is_text and isinstance(after, Token):
        words.add(after.text)
    begins_line = index == 0 or isinstance(slot.before, Newlines)
    if not is_text and not begins_line:
        words = set()
    may_be_null = isinstance(type, OptionalType)
    if may_be_null:
        words.add("null")
    around = Surroundings(rules.around.tag, tuple(sorted(words)))
    free = not begins_line and not may_be_null
    node = strings.lines(around, first_is_free=free) if is_text else strings.line(around)
    # A reader that takes a rule as long as it goes would not give back the line break before what follows a text.
    is_last = after is None and place.kind not in ("fenced", "tag")
    named = node if is_text and not is_last else rules.name(slot.hole.name, node)
    return choice(NULL, named) if may_be_null else named
