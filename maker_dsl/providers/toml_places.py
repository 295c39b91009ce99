"""Where each key and value of a TOML text stands; `tomllib` reads values but keeps no places.

Used by `profiles` on texts that `tomllib` has accepted, so that the scanner may trust the syntax: it only has to find
its way around strings, comments and brackets.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

Path = tuple[str, ...]

_SPACE = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BLANK = re.compile(r"[ \t]*")
_KEY = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")
_TOKEN = re.compile(
    r'''"""(?:[^\\]|\\.)*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|#[^\n]*|[\[\]{},\n]|[^\[\]{},\n"'#]+''',
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Place:
    """Character offsets of a key as written (of a table: its header) and of its value."""

    key_start: int
    key_end: int
    value_start: int
    value_end: int


def find_places(text: str) -> dict[Path, Place]:
    """The place of each key path; items of arrays have their index as a part of the path."""
    places: dict[Path, Place] = {}
    table: Path = ()
    at = _skip(_SPACE, text, 0)
    while at < len(text):
        if text[at] == "[":
            opening = 2 if text.startswith("[[", at) else 1
            start = _skip(_BLANK, text, at + opening)
            table, end = _dotted_key(text, start)
            if opening == 2:
                number = sum(1 for path in places if path[:-1] == table and path[-1].isdigit())
                table = (*table, str(number))
            places.setdefault(table, Place(start, end, start, end))
            at = text.index("]", end) + opening
        else:
            at = _pair(text, at, table, places)
        at = _skip(_SPACE, text, at)
    return places


def _pair(text: str, at: int, table: Path, places: dict[Path, Place]) -> int:
    """Read `key = value` and return where it ends."""
    key, key_end = _dotted_key(text, at)
    value_start = _skip(_BLANK, text, text.index("=", key_end) + 1)
    path = (*table, *key)
    value_end = _value(text, value_start, path, places)
    place = Place(at, key_end, value_start, value_end)
    for length in range(len(table) + 1, len(path)):
        places.setdefault(path[:length], place)
    places[path] = place
    return value_end


def _value(text: str, at: int, path: Path, places: dict[Path, Place]) -> int:
    """Read one value and return where it ends."""
    if text[at] == "{":
        at = _skip(_SPACE, text, at + 1)
        while text[at] != "}":
            at = _skip(_SPACE, text, _pair(text, at, path, places))
            if text[at] == ",":
                at = _skip(_SPACE, text, at + 1)
        return at + 1
    if text[at] == "[":
        at = _skip(_SPACE, text, at + 1)
        number = 0
        while text[at] != "]":
            start = at
            end = _value(text, at, (*path, str(number)), places)
            places[(*path, str(number))] = Place(start, end, start, end)
            number += 1
            at = _skip(_SPACE, text, end)
            if text[at] == ",":
                at = _skip(_SPACE, text, at + 1)
        return at + 1
    token = _TOKEN.match(text, at)
    assert token is not None, "tomllib accepted the text"
    return at + len(token.group().rstrip())


def _dotted_key(text: str, at: int) -> tuple[Path, int]:
    parts: list[str] = []
    while True:
        key = _KEY.match(text, at)
        assert key is not None, "tomllib accepted the text"
        word = key.group()
        parts.append(word[1:-1] if word[0] in "\"'" else word)
        dot = _skip(_BLANK, text, key.end())
        if not text.startswith(".", dot):
            return tuple(parts), key.end()
        at = _skip(_BLANK, text, dot + 1)


def _skip(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    return at if match is None else match.end()
