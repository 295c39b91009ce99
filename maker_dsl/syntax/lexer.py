"""Words, signs, texts and line breaks of a task file, one after the other, as the parser asks for them.

The parser says which terminals it can take next, so that a word such as `step` is a keyword only where the grammar asks
for one. Line breaks become `_NL` where they separate two entries, see `Lexer._separates`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from maker_dsl.syntax.broken import Broken
from maker_dsl.syntax.foreign import of_character
from maker_dsl.syntax.table import END, Table

MAX_BRACKETS = 100
"""How deep brackets may be nested."""

NEW_LINE = "_NL"
RESERVED = frozenset({"and", "or", "not", "in", "if", "else", "for", "true", "false", "null"})
GOES_ON = frozenset({"and", "or", "not", "in", "if", "else", "for"})
"""Words that continue the line before when they start a line: no entry begins with one."""

ENDERS = frozenset({"NAME", "INT", "FRACTION", "STRING", "TEXT_BLOCK", "REGEX", ")", "]", "}", "?", ".."})
"""Terminals and signs after which an entry may be over."""

END_WORDS = frozenset({"steps", "samples", "whole", "fenced", "end", "accept", "reject", "true", "false", "null"})
"""Keywords after which an entry may be over."""

ENTRY = re.compile(
    r"(?:[A-Za-z_]\w*[ \t]*:?=(?!=)"
    r"|(?:state|update|vote|result|reference|given|with|mistake)\b[ \t\w]*\{"
    r"|step\b[^\n{}=]*\{"
    r"|(?:input|type|def|let)[ \t]+[A-Za-z_]\w*[ \t]*[:=(]"
    r"|(?:rule|flag|invariant|test|prompt|system|about|reply|reject|use)[ \t]*\""
    r"|(?:prompt[ \t]+variant|with[ \t]+profile)[ \t]*\""
    r"|run[ \t]+[A-Za-z_]\w*[ \t]*=(?!=)|checker[ \t]+[A-Za-z_]\w*[ \t]*\("
    r"|reply[ \t]+(?:json|grammar)\b"
    r"|done[ \t]+when\b|expect[ \t]+\w"
    r"|task[ \t]+\w+[ \t]*\{)"
)
"""What can only be the start of an entry, even where the line before is not complete."""

_GAP = r"(?:[ \t\r\n]|#[^\n]*+)++"
_TAIL = re.compile(
    r"(?:when|whole|fenced)\b(?![ \t]*(?:=(?!=)|:))|at[ \t]+end\b"
    rf"|then{_GAP}format{_GAP}with\b|then[ \t]+format[ \t]+\""
)
"""What may end an entry on a line of its own: the condition of a step, the place of a reply, who puts it into form."""

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_WORD = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")
_ASSIGNED = re.compile(r"[ \t]*(?:=(?!=)|:)")
_CLOSES = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True, slots=True)
class Token:
    """A terminal where it stands: text[start:end]."""

    type: str
    text: str
    start: int
    end: int


class Lexer:
    """Reads `text` from `start` to `end`."""

    def __init__(self, text: str, table: Table, *, within_brackets: bool = False) -> None:
        self._text = text
        self._words = table.words
        self._signs = table.signs
        self._sign = _longest_first(table.signs)
        self._patterns = _compiled(table)
        self._brackets: list[tuple[str, int]] = [("(", -1)] if within_brackets else []
        self._floor = len(self._brackets)
        self._position = 1 if text.startswith("\ufeff") else 0
        self._last = ""

    def next(self, can_take: Callable[[str], bool]) -> Token:
        """The next token, of a type that the parser can take where there is a choice; raises Broken."""
        text = self._text
        blank = _BLANK.match(text, self._position)
        start = blank.end() if blank else self._position
        if "\n" in text[self._position : start] and self._separates(start):
            line_end = text.index("\n", self._position)
            self._position = start
            self._last = ";"
            return Token(NEW_LINE, "\n", line_end, line_end + 1)
        if start >= len(text):
            self._position = start
            return Token(END, "", len(text), len(text))
        token = self._read(start, can_take)
        self._position = token.end
        return token

    def _separates(self, start: int) -> bool:
        """Whether the line break before text[start] ends an entry.

        It does where the last token can end an entry and the next can start one: a word other than those in GOES_ON.
        Inside ( ) and [ ] it does not, but a `[` or `(` that starts a line never belongs to what stands before it.
        After an incomplete line it does where the next line can only be an entry.
        """
        text = self._text
        if start >= len(text) or self._last in ("", ";"):
            return False
        in_round = bool(self._brackets) and self._brackets[-1][0] != "{"
        if self._last not in ENDERS and self._last not in END_WORDS:
            return self._last not in ("{", "(", "[", ",") and not in_round and ENTRY.match(text, start) is not None
        if text[start] in "[(":
            return True
        word = _WORD.match(text, start)
        if word is None or in_round or word.group() in GOES_ON:
            return False
        return _TAIL.match(text, start) is None

    def _read(self, start: int, can_take: Callable[[str], bool]) -> Token:
        text = self._text
        character = text[start]
        word = _WORD.match(text, start)
        if word is not None:
            return self._word(word.group(), start, can_take)
        if character.isdigit() and character.isascii():
            return self._number(start)
        if character == '"':
            return self._string(start)
        if character == "/" and can_take("REGEX"):
            found = self._patterns["REGEX"].match(text, start)
            if found is None:
                raise Broken(
                    "MK104",
                    "this pattern is not closed with `/`",
                    start,
                    _line_end(text, start),
                    "no `/` ends it on this line",
                    help="end it with `/`; a `/` inside is written `\\/`",
                )
            return self._token("REGEX", start, found.end())
        for name in ("TIMES_OVER", "PLUS_MINUS"):
            found = self._patterns[name].match(text, start)
            if found is not None:
                return self._token(name, start, found.end(), found.group())
        sign = self._sign.match(text, start)
        if sign is None:
            raise of_character(text, start)
        self._bracket(sign.group(), start)
        return self._token(self._signs[sign.group()], start, sign.end(), sign.group())

    def _token(self, type_: str, start: int, end: int, last: str | None = None) -> Token:
        self._last = type_ if last is None else last
        return Token(type_, self._text[start:end], start, end)

    def _word(self, word: str, start: int, can_take: Callable[[str], bool]) -> Token:
        end = start + len(word)
        keyword = self._words.get(word)
        if word in RESERVED:
            return self._token(keyword or "NAME", start, end, word)
        if keyword is None or not can_take(keyword):
            return self._token("NAME", start, end)
        # `let = 1` in a reference: a field called `let`.
        is_field = can_take("NAME") and _ASSIGNED.match(self._text, end) is not None
        return self._token("NAME", start, end) if is_field else self._token(keyword, start, end, word)

    def _number(self, start: int) -> Token:
        text = self._text
        for name in ("FRACTION", "INT"):
            found = self._patterns[name].match(text, start)
            if found is not None:
                after = re.compile(r"\.?[A-Za-z_0-9]+|\.(?![.A-Za-z_])").match(text, found.end())
                if after is not None:
                    raise bad_number(text, start, after.end())
                return self._token(name, start, found.end())
        raise AssertionError("a digit starts an INT")

    def _string(self, start: int) -> Token:
        text = self._text
        if text.startswith('"""', start):
            found = self._patterns["TEXT_BLOCK"].match(text, start)
            if found is None:
                raise unclosed_block(start)
            return self._token("TEXT_BLOCK", start, found.end())
        found = self._patterns["STRING"].match(text, start)
        if found is None:
            raise unclosed_text(text, start)
        return self._token("STRING", start, found.end())

    def _bracket(self, sign: str, start: int) -> None:
        if sign in _CLOSES:
            if len(self._brackets) >= MAX_BRACKETS + self._floor:
                raise Broken(
                    "MK109",
                    "brackets are nested too deeply",
                    start,
                    start + 1,
                    f"more than {MAX_BRACKETS} are open here",
                    help="name the inner parts with `let` or `def`",
                    is_fatal=True,
                )
            self._brackets.append((sign, start))
        elif sign in ")]}" and len(self._brackets) > self._floor:
            self._brackets.pop()


def unclosed_block(start: int) -> Broken:
    """What to say about a text block that runs to the end of the file."""
    return Broken(
        "MK103",
        'this text block is not closed with `"""`',
        start,
        start + 3,
        "it starts here",
        help='end it with `"""`, usually on a line of its own',
    )


def unclosed_text(text: str, start: int) -> Broken:
    """What to say about a text that runs to the end of its line."""
    return Broken(
        "MK102",
        'this text is not closed with `"`',
        start,
        _line_end(text, start),
        'no `"` ends it on this line',
        help='end it with `"`; a text over several lines is a text block between `"""` and `"""`',
    )


def bad_number(text: str, start: int, end: int) -> Broken:
    """What to say about digits that run on into something else."""
    found = text[start:end]
    if found.endswith("."):
        help_text = f"write `{found}0`, or `{found[:-1]}`"
    elif found[1:2] in ("x", "X", "b", "B", "o", "O"):
        help_text = "numbers are written in decimal"
    elif "_" in found:
        help_text = "`_` may stand between digits only: `1_000`"
    else:
        help_text = "numbers are `12`, `1_000`, `0.5` and `1.5e-3`; a name can't start with a digit"
    return Broken("MK106", f"`{found}` is not a number", start, end, help=help_text)


def _line_end(text: str, start: int) -> int:
    end = text.find("\n", start)
    return len(text.rstrip()) if end < 0 else max(start + 1, len(text[:end].rstrip()))


def _longest_first(signs: dict[str, str]) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(sign) for sign in sorted(signs, key=len, reverse=True)))


_compiled_patterns: dict[int, dict[str, re.Pattern[str]]] = {}


def _compiled(table: Table) -> dict[str, re.Pattern[str]]:
    key = id(table)
    if key not in _compiled_patterns:
        _compiled_patterns[key] = {name: re.compile(pattern) for name, pattern in table.patterns.items()}
    return _compiled_patterns[key]
