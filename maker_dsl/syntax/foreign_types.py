"""Types as other languages write them, and how they are written here."""

from __future__ import annotations

import re

from maker_dsl.syntax.broken import Broken
from maker_dsl.syntax.lexer import Token

_LISTS = ("List", "Array", "array", "Sequence", "Set", "set", "Vec", "vector")
_MAPS = ("Dict", "dict", "Map", "Mapping", "dictionary", "HashMap")
_OPTIONALS = ("Optional", "optional", "Maybe", "Option")
_CHOICES = ("enum", "Enum", "Literal", "choice", "oneof", "one_of")

TYPES = {
    **dict.fromkeys(_LISTS, "`list[…]`, such as `list[int]`"),
    **dict.fromkeys(_MAPS, "`map[string, …]`, or `{ name: type }` for a record"),
    **dict.fromkeys(_OPTIONALS, "`…?`, such as `int?`"),
    **dict.fromkeys(_CHOICES, '`"a" | "b"`'),
    **dict.fromkeys(("object", "Object", "record", "struct"), "a record: `{ name: type }`"),
    **dict.fromkeys(("str", "String", "char", "varchar"), "`string`"),
    **dict.fromkeys(("boolean", "Boolean", "Bool"), "`bool`"),
    **dict.fromkeys(("integer", "Integer", "Int", "long", "uint", "int32", "int64"), "`int`"),
    **dict.fromkeys(("number", "Number", "numeric"), "`int`, or `decimal` or `float` for fractions"),
    **dict.fromkeys(("double", "real", "Float", "float64"), "`float`"),
    **dict.fromkeys(("Decimal", "money"), "`decimal`"),
    **dict.fromkeys(("datetime", "Date", "timestamp", "time"), "`date`, or `string` for a time"),
    **dict.fromkeys(("Tuple", "tuple", "pair"), "`[x: int, y: int]`: the places of a tuple have names"),
}
"""What to write for the names of types in other languages."""

_PRIMITIVES = ("int", "float", "decimal", "bool", "string", "date")
_INSIDE = re.compile(r"[\[(<]([^\[\]()<>\n]*(?:\[[^\[\]\n]*\])?[^\[\]()<>\n]*)[\])>]")
_CHOICE = re.compile(r"\"?\w+\"?(?:[ \t]*\|[ \t]*\"?\w+\"?)*")


def of_type(text: str, token: Token, before: Token | None, expected: frozenset[str]) -> Broken | None:
    """What to say about a token that is no part of a type here, though it is elsewhere."""
    if before is None:
        return None
    if token.text == "?" and before.type == "NAME" and ":" in expected:
        found = re.compile(r"\?[ \t]*:[ \t]*(\w+)").match(text, token.start)
        inner = "type" if found is None else found.group(1)
        help_text = f"the `?` stands behind the type: `{before.text}: {inner}?`"
        return Broken("MK108", "a name has no `?`", before.start, token.end, help=help_text)
    if token.text == "]" and before.type == "NAME" and expected == {":"}:
        help_text = f"a list is written `list[{before.text}]`; the places of a tuple have names: `[x: int, y: int]`"
        return Broken("MK108", "this place has no type", before.start, before.end, help=help_text)
    if before.text == "|" and token.type == "NAME" and "STRING" in expected:
        return _choice(text, token.start)
    if before.type != "NAME" or not {"?", "matching"} <= expected:
        return None
    if token.text == "|":
        return _choice(text, before.start)
    if token.text in ("[", "(", "<"):
        return _bracketed(text, token, before)
    return None


def _choice(text: str, at: int) -> Broken:
    line = text.rfind("\n", 0, at) + 1
    written = next((one for one in _CHOICE.finditer(text, line) if one.end() > at), None)
    start, end = (at, at + 1) if written is None else written.span()
    words = [word.strip().strip('"') for word in text[start:end].split("|")]
    if "null" in words or "None" in words:
        rest = [word for word in words if word not in ("null", "None")]
        help_text = f"a value that may be null is written `{rest[0] if len(rest) == 1 else 'type'}?`"
        return Broken("MK108", "`null` is not a type", start, end, help=help_text)
    if any(word in _PRIMITIVES or word in TYPES for word in words):
        help_text = 'a choice is among texts: `"a" | "b"`; a record with optional members can hold either'
        return Broken("MK108", "a value has one type", start, end, help=help_text)
    quoted = " | ".join(f'"{word}"' for word in words)
    return Broken("MK108", "the values of a choice stand in quotes", start, end, help=f"write `{quoted}`")


def _bracketed(text: str, token: Token, before: Token) -> Broken | None:
    """`List[int]`, `Optional[bool]`, `enum("a", "b")`, `string[]`."""
    inside = _INSIDE.match(text, token.start)
    inner = "" if inside is None else inside.group(1).strip()
    end = token.end if inside is None else inside.end()
    name = before.text
    shown: str | None = None
    if name in TYPES and inner:
        if name in _LISTS:
            shown = f"list[{inner}]"
        elif name in _MAPS:
            shown = f"map[string, {inner.rpartition(',')[2].strip()}]"
        elif name in _OPTIONALS:
            shown = f"{inner}?"
        elif name in _CHOICES:
            words = [word.strip().strip("\"'") for word in inner.split(",")]
            shown = " | ".join(f'"{word}"' for word in words)
    elif name not in TYPES and token.text == "[" and (not inner or inner.isdigit()) and inside is not None:
        shown = f"list[{name}]" + (f" of {inner}" if inner else "")
    if shown is None and name not in TYPES:
        return None
    help_text = f"write {TYPES[name]}" if shown is None else f"write `{shown}`"
    return Broken("MK108", f"`{text[before.start : end]}` is not a type here", before.start, end, help=help_text)
