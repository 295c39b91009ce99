"""The parser of a grammar that an author wrote: Lark LALR over RE2, importing from Lark's `common` alone."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NoReturn

import re2
from lark import Lark
from lark.exceptions import GrammarError
from lark.lexer import PatternStr, TerminalDef

from maker_dsl.replies.bounded_lalr import BoundedParser
from maker_dsl.replies.grammar_text import GrammarOutline
from maker_dsl.replies.lexing import RE2_OPTIONS, LinearLexer

MAX_AUTHOR_REPLY = 50_000
"""Characters of a reply that an author's grammar reads: a lexer that looks far ahead takes quadratic time."""


class Unavailable(GrammarError):
    """The grammar asks for something that a task's grammar can't have."""


@lru_cache(maxsize=32)
def author_parser(text: str) -> Lark:
    """The parser of an author's grammar, made once; raises `lark.exceptions.LarkError`."""
    with warnings.catch_warnings():
        # Lark measures regexes with Python's reader, which warns of what RE2 reads otherwise than it will one day.
        warnings.simplefilter("ignore", FutureWarning)
        return Lark(
            text,
            parser="lalr",
            lexer=LinearLexer,
            keep_all_tokens=True,
            propagate_positions=True,
            maybe_placeholders=False,
            strict=True,
            import_paths=[_only_common],
            _plugins={"LALR_Parser": BoundedParser},
        )


def _only_common(base_path: str | None, grammar_path: str) -> NoReturn:
    """Lark asks here first; for its own `common` it may go on to where it keeps it."""
    if base_path is None and grammar_path == "common.lark":
        raise FileNotFoundError(grammar_path)
    raise Unavailable("a grammar can import from `common` alone")


def terminals(parser: Lark) -> tuple[TerminalDef, ...]:
    """The terminals that the grammar uses."""
    return tuple(parser.terminals)


def regex_problem(terminal: TerminalDef) -> str | None:
    """Why a terminal's regex can't run in linear time; None if it can."""
    regex = terminal.pattern.to_regexp()
    if "(?P<" in regex:
        return "named groups are not available"
    try:
        re2.compile(regex, RE2_OPTIONS)
    except UnicodeEncodeError:
        return "it holds half of a surrogate pair, which is no character"
    except re2.error as error:
        said = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error)
        if "perl operator" in said or "escape sequence" in said:
            return "look-around, back-references and the like can't run in linear time"
        return f"the regex can't be used: {said}"
    return None


def field_symbols(text: str, fields: Iterable[str]) -> dict[str, str]:
    """Which rule or terminal gives which field: the rule of its name, or else the terminal of its name in capitals.

    Lark calls the text `"move"` MOVE, too: a terminal counts only where the author has defined it.
    """
    outline = GrammarOutline(text)
    symbols = {}
    for field in fields:
        name = field if field in outline.names else field.upper()
        if name in outline.names:
            symbols[name] = field
    return symbols


def first_texts(parser: Lark) -> frozenset[str] | None:
    """The fixed texts that a reply can begin with; None if it can begin with anything else."""
    table: Any = parser.parser.parser._parse_table
    (start,) = table.start_states.values()
    by_name = {terminal.name: terminal for terminal in parser.terminals}
    texts = set()
    for name in table.states[start]:
        terminal = by_name.get(name)
        if terminal is None:
            continue
        if not isinstance(terminal.pattern, PatternStr) or terminal.pattern.flags:
            return None
        texts.add(terminal.pattern.value)
    return frozenset(texts) or None
