"""Names tokens, and what could stand in their place, in the author's words."""

from __future__ import annotations

from collections.abc import Sequence

from maker_dsl.syntax.forms import BLOCK_WORDS
from maker_dsl.syntax.lexer import NEW_LINE, Token
from maker_dsl.syntax.table import END


def found(token: Token) -> str:
    if token.type == END:
        return "the end"
    if token.type == NEW_LINE:
        return "the end of the line"
    first_line = token.text.splitlines()[0] if token.text else ""
    return f"`{first_line[:40]}…`" if len(first_line) > 40 or first_line != token.text else f"`{token.text}`"


def choice(expected: frozenset[str]) -> str:
    """What could stand there, in a few words."""
    rest = set(expected)
    said: list[str] = []
    if {"NAME", "INT", "null"} <= rest:
        said.append("a value")
        rest -= {
            "NAME",
            "INT",
            "FRACTION",
            "STRING",
            "TEXT_BLOCK",
            "PLUS_MINUS",
            "(",
            "[",
            "{",
            "null",
            "true",
            "false",
        }
        rest -= {"not"}
    elif {"NAME", "list", "map"} <= rest:
        said.append("a type")
        rest -= {"NAME", "list", "map", "STRING", "TEXT_BLOCK", "(", "[", "{"}
    if {"STRING", "TEXT_BLOCK"} <= rest:
        said.append("a text in quotes")
        rest -= {"STRING", "TEXT_BLOCK"}
    if "NAME" in rest:
        said.append("a name")
        rest.discard("NAME")
    if "PLUS_MINUS" in rest:
        said.append("an operator")
        rest -= {
            "PLUS_MINUS",
            "TIMES_OVER",
            "**",
            "==",
            "!=",
            "<",
            "<=",
            ">",
            ">=",
            "??",
            ".",
            "and",
            "or",
            "not",
            "in",
        }
        rest -= {"if", "[", "("}
    for terminal, spoken in (("REGEX", "a pattern `/…/`"), ("INT", "a number"), ("FRACTION", "a fraction")):
        if terminal in rest:
            said.append(spoken)
            rest.discard(terminal)
    is_entry_end = NEW_LINE in rest
    rest -= {NEW_LINE, END}
    for home, words in BLOCK_WORDS.items():
        if home != "a file" and set(words) <= rest:
            said.append(f"a part of {home}")
            rest -= set(words)
    said.extend(sorted(f"`{text}`" for text in rest))
    if is_entry_end:
        said = [text for text in said if text != "`;`"] + ["a line break"]
    if len(said) > 6:
        said = [*said[:5], "another word"]
    if not said:
        return "the end of the file"
    return said[0] if len(said) == 1 else ", ".join(said[:-1]) + " or " + said[-1]


def listed(words: Sequence[str]) -> str:
    quoted = [f"`{word}`" for word in words]
    return ", ".join(quoted[:-1]) + " and " + quoted[-1] if len(quoted) > 1 else quoted[0]
