"""The Lark grammar of a format text or a JSON object: what the format means, and what explains a refusal.

White space belongs to the punctuation beside it, so that the grammar needs no rule for it and stays LALR. A bracketed
hole has rules of its own for its outermost brackets, so that what may follow it is known exactly.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import assert_never

from maker_dsl.replies import syntax
from maker_dsl.replies.fast import is_json, plain_regex
from maker_dsl.replies.layout import Between, Gap, Newlines, Part, Token
from maker_dsl.types.display import phrase, with_article, words
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


@dataclass(frozen=True, slots=True)
class GrammarText:
    """A Lark grammar, and for each of its terminals what to call it in a message."""

    text: str
    phrases: dict[str, str]


def text_grammar(parts: tuple[Part, ...]) -> GrammarText:
    """The grammar of a format text."""
    writer = _Writer()
    row: list[str] = []
    for index, part in enumerate(parts):
        following = parts[index + 1].before if index + 1 < len(parts) else Gap.NOTHING
        if isinstance(part, Token):
            row += [*writer.separator(part.before), writer.literal(part, following)]
            continue
        row += writer.separator(part.before)
        name, type = part.hole.name, part.hole.type
        if is_json(type):
            row.append(writer.value(type, name, outer=True))
        else:
            row.append(writer.plain(type, name, plain_regex(type, parts[index + 1 :])))
    return writer.finish(row)


def object_grammar(type: RecordType) -> GrammarText:
    """The grammar of a JSON object."""
    writer = _Writer()
    return writer.finish([writer.value(type, "reply", outer=True)])


@dataclass(slots=True)
class _Writer:
    """Collects rules and terminals under unique names; equal definitions of the same name are shared."""

    rules: dict[str, str] = field(default_factory=dict)
    terminals: dict[str, str] = field(default_factory=dict)
    phrases: dict[str, str] = field(default_factory=dict)
    inner: dict[str, str] = field(default_factory=dict)
    """Rules of values inside others, by their bodies: equal ones are shared."""

    def finish(self, row: list[str]) -> GrammarText:
        width = max(map(len, [*self.rules, *self.terminals, "start"]))
        lines = [f"{'start':{width}} : {' '.join(row)}"]
        lines += [f"{name:{width}} : {body}" for name, body in self.rules.items()]
        lines += [f"{name:{width}} : {slashed(regex)}" for name, regex in self.terminals.items()]
        return GrammarText("\n".join(lines) + "\n", self.phrases)

    def terminal(self, name: str, regex: str, said: str) -> str:
        stem = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_").upper() or "TOKEN"
        if stem[0].isdigit():
            stem = f"T{stem}"
        if name.startswith("_"):
            stem = f"_{stem}"
        return self._unique(self.terminals, stem, regex, said)

    def rule(self, name: str, body: str) -> str:
        stem = re.sub(r"\W+", "_", words(name), flags=re.ASCII).strip("_") or "value"
        if stem[0].isdigit() or stem == "start":
            stem = f"the_{stem}"
        if name.startswith("_"):
            stem = f"_{stem}"
        unique, count = stem, 1
        while unique in self.rules:
            count += 1
            unique = f"{stem}_{count}"
        self.rules[unique] = body
        return unique

    def _unique(self, named: dict[str, str], stem: str, body: str, said: str) -> str:
        unique, count = stem, 1
        while unique in named and (named[unique] != body or self.phrases[unique] != said):
            count += 1
            unique = f"{stem}_{count}"
        named[unique] = body
        self.phrases[unique] = said
        return unique

    def separator(self, before: Between) -> list[str]:
        """The terminals of white space that must be there; optional blanks belong to the literals beside them."""
        if before is Gap.BLANK:
            return [self.terminal("_BLANK", Gap.BLANK.value, "a space")]
        if isinstance(before, Newlines):
            said = "a new line" if before.count == 1 else f"{before.count} line breaks"
            return [self.terminal("_NEWLINE", syntax.between(before), said)]
        return []

    def literal(self, token: Token, following: Between) -> str:
        before = Gap.BLANKS.value if token.before is Gap.BLANKS else ""
        after = Gap.BLANKS.value if following is Gap.BLANKS else ""
        name = token.text if token.is_word else _PUNCTUATION.get(token.text, "sign")
        return self.terminal(f"_{name}", before + re.escape(token.text) + after, f"`{token.text}`")

    def plain(self, type: Type, name: str, regex: str) -> str:
        return self.terminal(type.alias or name, regex, _said(type, name))

    def value(self, type: Type, name: str, *, outer: bool = False) -> str:
        """The symbol for a value in JSON notation; `name` is that of the field or place it stands in."""
        match type:
            case IntType() | FloatType() | DecimalType() | BoolType() | DateType() | EnumType() | StringType():
                return self.terminal(type.alias or name, _json_regex(type), _said(type, name))
            case ListType():
                item = self.value(type.item, item_name(type.alias or name))
                body = f"{self.sign('[')} [{item} ({self.sign(',')} {item})*] {self.sign(']')}"
                return self.container(type, name, body, outer=outer)
            case TupleType():
                places = f" {self.sign(',')} ".join(self.value(place.type, place.name) for place in type.places)
                body = " ".join(filter(None, [self.sign("["), places, self.sign("]")]))
                return self.container(type, name, body, outer=outer)
            case MapType():
                key = self.terminal("KEY", syntax.STRING, "a key in quotes")
                entry = f"{key} {self.sign(':')} {self.value(type.value, item_name(type.alias or name))}"
                body = f"{self.sign('{')} [{entry} ({self.sign(',')} {entry})*] {self.sign('}')}"
                return self.container(type, name, body, outer=outer)
            case RecordType():
                return self.container(type, name, self.members(type.members, name), outer=outer)
            case OptionalType():
                inner = self.value(type.inner, name, outer=outer)
                return f"({self.terminal('NULL', syntax.NULL, '`null`')} | {inner})"
            case NullType():
                return self.terminal("NULL", syntax.NULL, "`null`")
            case NeverType():
                raise AssertionError("no reply has a value of no type")
            case _:
                assert_never(type)

    def container(self, type: Type, name: str, body: str, *, outer: bool) -> str:
        stem = type.alias or name
        if outer:
            return self.rule(stem, body)
        if body not in self.inner:
            self.inner[body] = self.rule(stem, body)
        return self.inner[body]

    def members(self, members: tuple[Member, ...], name: str) -> str:
        if not members:
            return f"{self.sign('{')} {self.sign('}')}"
        pairs = []
        for member in members:
            key = self.terminal(f"{member.name}_KEY", syntax.json_string(member.name), f'`"{member.name}"`')
            pairs.append(f"{key} {self.sign(':')} {self.value(member.type, member.name)}")
        one = self.rule(f"_{name}_member", " | ".join(pairs))
        return f"{self.sign('{')} [{one} ({self.sign(',')} {one})*] {self.sign('}')}"

    def sign(self, sign: str) -> str:
        before = "" if sign in "[{" else syntax.SPACE
        after = "" if sign in "]}" else syntax.SPACE
        return self.terminal(f"_{_PUNCTUATION[sign]}_", before + re.escape(sign) + after, f"`{sign}`")


_PUNCTUATION = {
    "[": "LSQB",
    "]": "RSQB",
    "{": "LBRACE",
    "}": "RBRACE",
    ",": "COMMA",
    ":": "COLON",
    "=": "EQUAL",
    "(": "LPAR",
    ")": "RPAR",
    "-": "MINUS",
    "->": "ARROW",
    "=>": "ARROW",
    ";": "SEMICOLON",
    ".": "DOT",
    "/": "SLASH",
    "|": "BAR",
}


def _json_regex(type: Type) -> str:
    match type:
        case EnumType():
            return syntax.json_enum(type)
        case StringType():
            return syntax.STRING
        case DateType():
            return f'"{syntax.DATE}"'
        case _:
            return plain_regex(type)


def _said(type: Type, name: str) -> str:
    if type.alias or isinstance(type, EnumType | OptionalType):
        return phrase(type)
    if isinstance(type, StringType) and type.raw:
        return phrase(type)
    kind = {
        IntType: "an int",
        FloatType: "a number",
        DecimalType: "a number",
        BoolType: "`true` or `false`",
        DateType: "a date",
        StringType: "a string in quotes",
    }
    said = next((text for cls, text in kind.items() if isinstance(type, cls)), phrase(type))
    return f"{with_article(words(name))} ({said})" if name else said


def item_name(name: str) -> str:
    """What one of several is called: a peg of `pegs`, an item otherwise."""
    plain = words(name).replace(" ", "_")
    if plain.endswith("ies"):
        return plain[:-3] + "y"
    return plain[:-1] if plain.endswith("s") and not plain.endswith("ss") and len(plain) > 1 else "item"


def slashed(regex: str) -> str:
    """A regex between slashes, as Lark reads it: it would take a quote after a backslash for an escaped one."""
    return "/" + re.sub(r'(\\.)"|\\.|/', _in_slashes, regex) + "/"


def _in_slashes(found: re.Match[str]) -> str:
    if found[1]:
        return found[1] + r"\x22"
    return r"\/" if found[0] == "/" else found[0]
