"""Lark's contextual lexer with a regex engine of our choice.

The grammars we generate are linear in Python's `re`. Those that authors write run on RE2, which is linear whatever they
write. Lark's own way of making its lexer also looks for collisions with a library that only tests install; here it is
made directly, so that a parse is the same everywhere.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Iterator
from copy import copy
from typing import Any

import re2
from lark import Lark, Token
from lark.common import LexerConf
from lark.lexer import ContextualLexer, Lexer, LexerState

from maker_dsl.types.patterns import quiet_options


class PythonLexer(Lexer):
    """For generated grammars."""

    __future_interface__ = 2
    engine: Any = re

    def __init__(self, conf: LexerConf) -> None:
        self._conf = copy(conf)
        self._conf.re_module = self.engine
        self._conf.skip_validation = True
        self._lexer: ContextualLexer | None = None

    def lex(self, lexer_state: LexerState, parser_state: Any) -> Iterator[Token]:
        """The tokens, each out of those that the parser can take next."""
        if self._lexer is None:
            states = parser_state.parse_conf.parse_table.states
            accepts: dict[int, Collection[str]] = {state: list(actions) for state, actions in states.items()}
            self._lexer = ContextualLexer(self._conf, accepts)
        return self._lexer.lex(lexer_state, parser_state)


RE2_OPTIONS = quiet_options()
"""Errors are ours to tell, not for RE2 to print."""


class Re2:
    """What Lark uses of the module `re`, done by RE2."""

    error = re2.error

    def __init__(self) -> None:
        self._text: str | None = None
        self._encoded = b""
        self._offsets: list[int] | None = None

    def compile(self, regex: str, flags: int = 0) -> _Compiled:
        """A compiled regex; only the flags that the regex itself carries."""
        return _Compiled(re2.compile(regex, RE2_OPTIONS), self)

    def match(self, regex: str, text: str, flags: int = 0) -> Any:
        """A match at the start of a short text."""
        return re2.compile(regex, RE2_OPTIONS).match(text)

    def encoded(self, text: str) -> tuple[bytes, list[int] | None]:
        """The text as RE2 sees it and the offset of each character in it (None: the same), made once per text."""
        if text is not self._text:
            self._encoded = text.encode()
            self._offsets = None
            if not text.isascii():
                offsets = [0]
                for character in text:
                    offsets.append(offsets[-1] + len(character.encode()))
                self._offsets = offsets
            self._text = text
        return self._encoded, self._offsets


class _Compiled:
    def __init__(self, regex: Any, engine: Re2) -> None:
        self._regex = regex
        self._engine = engine
        self._groups = tuple(regex.groupindex.items())

    def match(self, text: str, start: int, end: int) -> _Found | None:
        """The match that begins at `start`."""
        encoded, offsets = self._engine.encoded(text)
        if offsets is None:
            found = self._regex.match(encoded, start, end)
            return None if found is None else _Found(text[start : found.end()], self._name(found))
        found = self._regex.match(encoded, offsets[start], offsets[end])
        if found is None:
            return None
        return _Found(text[start : bisect_left(offsets, found.end())], self._name(found))

    def _name(self, found: Any) -> str | None:
        """The terminal that took part: terminals are the alternatives, and nothing else in a grammar may be named."""
        for name, index in self._groups:
            if found.start(index) >= 0:
                return str(name)
        return None

    def fullmatch(self, text: str) -> _Found | None:
        """The match of a whole short text."""
        found = self._regex.fullmatch(text)
        return None if found is None else _Found(text, self._name(found))


class _Found:
    __slots__ = ("lastgroup", "text")

    def __init__(self, text: str, lastgroup: str | None) -> None:
        self.text = text
        self.lastgroup = lastgroup

    def group(self, index: int) -> str:
        """The matched text."""
        return self.text


class LinearLexer(PythonLexer):
    """For grammars that authors write."""

    def __init__(self, conf: LexerConf) -> None:
        self.engine = Re2()
        super().__init__(conf)


def generated_parser(grammar: str) -> Lark:
    """The parser of a grammar that we generated."""
    return Lark(
        grammar,
        parser="lalr",
        lexer=PythonLexer,
        maybe_placeholders=False,
        propagate_positions=True,
        strict=True,
    )
