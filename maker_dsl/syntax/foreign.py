"""Habits of other languages: what they are called here, or what to do instead."""

from __future__ import annotations

import unicodedata

from maker_dsl.syntax.broken import Broken

WORDS = {
    "True": "write `true`",
    "False": "write `false`",
    "None": "write `null`",
    "nil": "write `null`",
    "undefined": "write `null`",
    "elif": "write `a if x else b if y else c`",
    "lambda": "declare a function in the task: `def f(x: int) -> int = x + 1`",
    "is": "compare with `==`, also with `null`",
    "import": 'tasks of another file are used with `use "file.maker"` before the task; all else comes in as `input`',
    "while": "a task has no loops: its `step` is repeated until `done when` holds",
    "return": "a `def` is one expression: `def f(x: int) -> int = x + 1`",
    "class": "declare a record: `type Name = { field: int }`",
    "function": "a function is declared with `def`",
    "fn": "a function is declared with `def`",
    "func": "a function is declared with `def`",
    "const": "a local of a step is `let x = …`",
    "var": "a local of a step is `let x = …`; what changes from step to step is `state`",
    "try": "expressions raise nothing that could be caught; test before: `a / b if b != 0 else 0`",
    "assert": 'write `rule "why": condition` in a step or `invariant "why": condition` in the task',
    "switch": "write `a if x else b if y else c`",
    "match": "write `a if x else b if y else c`",
    "await": "a task waits for nothing; the engine does",
    "async": "a task waits for nothing; the engine does",
    "yield": "write a list comprehension: `[f(x) for x in xs]`",
    "print": "nothing is printed from a task",
    "del": "make a new value without it: `[x for x in xs if x != y]`",
}
"""Words that other languages have and this one has not."""

_SIGNS = {
    "&&": "write `and`",
    "&": "write `and`",
    "||": "write `or`",
    "!": "write `not`",
    "$": "inputs and state fields are called by their names alone",
    "@": None,
    "^": "powers are written `**`",
    "~": None,
    "`": 'texts stand in double quotes: `"…"`',
    "\\": "a line goes on by itself inside brackets and after an operator",
}
_QUOTES = "\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u00ab\u00bb"


def of_word(word: str, start: int) -> Broken:
    """What to say about a word of WORDS."""
    return Broken("MK108", f"`{word}` is not part of the language", start, start + len(word), help=WORDS[word])


def of_character(text: str, start: int) -> Broken:
    """What to say about a character that nothing in the language starts with."""
    character = text[start]
    for sign in (text[start : start + 2], character):
        if sign in _SIGNS:
            return Broken("MK108", f"`{sign}` is not part of the language", start, start + len(sign), help=_SIGNS[sign])
    if character == "'":
        end = text.find("'", start + 1)
        line = text.find("\n", start)
        return of_single_quotes(start, end + 1 if end >= 0 and (line < 0 or end < line) else start + 1)
    if character in _QUOTES:
        return Broken(
            "MK124", f"`{character}` is not a quote here", start, start + 1, help='texts stand in plain quotes: `"…"`'
        )
    if character.isalpha():
        return Broken(
            "MK124",
            f"names can't have the letter `{character}`",
            start,
            start + 1,
            help="names are made of the letters a to z and A to Z, digits and `_`; texts may have any letter",
        )
    name = unicodedata.name(character, "a control character").lower()
    shown = f"`{character}` ({name})" if character.isprintable() and not character.isspace() else name
    return Broken(
        "MK124",
        f"{shown}, U+{ord(character):04X}, can't stand here",
        start,
        start + 1,
        help="outside of texts and comments, only plain spaces, letters, digits and signs are allowed",
    )


def of_single_quotes(start: int, end: int) -> Broken:
    """What to say about a text in single quotes."""
    return Broken(
        "MK108", "texts don't stand in single quotes", start, end, help='write `"…"`; a `"` inside is written `\\"`'
    )
