"""The regexes of the parts of a reply. Used by the fast parser (made possessive) and by the grammar (as they are).

Each is unambiguous: what it has matched, it need never give back, so that matching is linear in the text.
"""

from __future__ import annotations

import re

from maker_dsl.replies.layout import Between, Gap, Newlines, Token
from maker_dsl.types.type import EnumType

MAX_REPLY = 1_000_000
"""Characters of a reply; a longer one is refused before anything else looks at it."""

WHITE = " \t\r\n"
SPACE = r"[ \t\r\n]*"
INT = r"-?(?:0|[1-9][0-9]*)"
NUMBER = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
BOOL = "true|false"
NULL = "null"
DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
STRING = r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"'
LINE = r"[^ \t\r\n][^\r\n]*"
TEXT = r"[^ \t\r\n][\s\S]*"

_BARE = re.compile(r"\w+(?:-\w+)*")
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t"}


def is_bare(value: str) -> bool:
    """Whether an enum value stands in a format text as a bare word; else it is a JSON string."""
    return _BARE.fullmatch(value) is not None and value != "null"


def bare_enum(type: EnumType) -> str:
    """The regex of an enum in a hole, longer values first."""
    ordered = sorted(type.values, key=lambda value: (-len(value), value))
    return "|".join(re.escape(value) if is_bare(value) else json_string(value) for value in ordered)


def json_enum(type: EnumType) -> str:
    """The regex of an enum inside JSON."""
    return "|".join(json_string(value) for value in sorted(type.values))


def json_string(value: str) -> str:
    """The regex of a string in JSON: plain ASCII as it is, anything else with or without its escapes."""
    return '"' + "".join(_json_character(character) for character in value) + '"'


def _json_character(character: str) -> str:
    if " " <= character <= "~" and character not in _ESCAPES:
        return re.escape(character)
    units = character.encode("utf-16-be", "surrogatepass")
    codes = [f"{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2)]
    options = ["".join(r"\\u" + "".join(_hexadecimal(digit) for digit in code) for code in codes)]
    if character in _ESCAPES:
        options.append(r"\\" + re.escape(_ESCAPES[character]))
    if character not in '"\\' and character >= " ":
        options.append(re.escape(character))
    return "(?:" + "|".join(options) + ")"


def _hexadecimal(digit: str) -> str:
    return f"[{digit}{digit.upper()}]" if digit.isalpha() else digit


def between(gap: Between) -> str:
    """The regex of what stands between two parts."""
    match gap:
        case Gap():
            return gap.value
        case Newlines(count):
            return NEWLINE if count == 1 else rf"(?:[ \t]*\r?\n){{{count}}}[ \t]*"


NEWLINE = r"[ \t]*\r?\n[ \t]*"


def text_until(tokens: tuple[Token, ...], *, whole_word: bool) -> str:
    """The regex of a `text` that ends before the first line that begins with these tokens."""
    ahead = re.escape(tokens[0].text) + "".join(between(token.before) + re.escape(token.text) for token in tokens[1:])
    boundary = r"(?!\w)" if whole_word and tokens[-1].is_word else ""
    return rf"[^ \t\r\n][^\n]*(?:\n(?![ \t]*{ahead}{boundary})[^\n]*)*"


def possessive(regex: str) -> str:
    """The same regex as a group that gives nothing back."""
    return f"(?>{regex})" if regex else ""
