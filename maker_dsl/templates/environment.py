"""Jinja, set up for prompts: sandboxed, strict, with a closed set of filters and tests, bounded in size and work.

`checker.templates` decides what a template may contain and rewrites field accesses into plain indexing;
`compiler.templates` compiles the rewritten tree here and renders it. Even a template that had slipped past the checker
could reach no attribute of a Python object: the environment has no globals and looks up no attributes but those of
`loop`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.lexer import TokenStream
from jinja2.runtime import Context, LoopContext, StrictUndefined, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from maker_dsl.templates.notation import json_notation, show_value

MAX_RENDERED_CHARACTERS = 1_000_000
"""How long a rendered prompt may be."""

MAX_WORK = 2_000_000
"""How much one rendering may do: each part of a loop's body counts in every round, and each item of a value that is
compared, cut or filtered counts once more."""

MAX_TEMPLATE_DEPTH = 60
"""How deeply blocks and expressions of a template may be nested; `a or b or c` counts as nested, too."""

MAX_TEMPLATE_PARTS = 10_000
"""How many parts (names, texts between them, blocks, operators) a template may have: it takes a second to compile."""

COUNTED_FILTER = "counted loop"
WEIGHED_FILTER = "weighed value"
PAIRS_FILTER = "pairs of a map"
FUEL_NAME = "loop fuel"


class TemplateLimit(Exception):
    """A rendering passed a limit; the message says which, in the author's words."""


def _join(value: Iterable[Any], separator: str = "") -> str:
    parts = [show_value(item) for item in value]
    _limit_length(sum(map(len, parts)) + len(separator) * len(parts))
    return separator.join(parts)


def _indent(value: Any, width: int = 4) -> str:
    text = show_value(value)
    width = min(max(width, 0), 80)
    _limit_length(len(text) + text.count("\n") * width)
    return text.replace("\n", "\n" + " " * width)


def _limit_length(characters: int) -> None:
    if characters > MAX_RENDERED_CHARACTERS:
        raise TemplateLimit(f"the prompt is longer than {MAX_RENDERED_CHARACTERS:,} characters")


def _pairs(value: dict[str, Any]) -> list[tuple[str, Any]]:
    return list(value.items())


@jinja2.pass_context
def _counted(context: Context, value: Any, parts: int) -> Any:
    """What a loop goes over, its rounds paid for; `parts` is the size of the loop's body."""
    _spend(context, (len(value) + 1) * (parts + 1))
    return value


@jinja2.pass_context
def _weighed(context: Context, value: Any) -> Any:
    """A value that is compared, cut or filtered, its items paid for."""
    fuel: list[int] = context[FUEL_NAME]
    waiting = [value]
    weight = 0
    while waiting and weight <= fuel[0]:
        one = waiting.pop()
        weight += 1
        if isinstance(one, str):
            weight += len(one) // 100
        elif isinstance(one, list | tuple):
            waiting.extend(one)
        elif isinstance(one, dict):
            waiting.extend(one.values())
    _spend(context, weight)
    return value


def _spend(context: Context, work: int) -> None:
    fuel: list[int] = context[FUEL_NAME]
    fuel[0] -= work
    if fuel[0] < 0:
        raise TemplateLimit("this makes the prompt too much work")


_FILTERS: dict[str, Any] = {
    "length": len,
    "join": _join,
    "json": json_notation,
    "upper": lambda value: show_value(value).upper(),
    "lower": lambda value: show_value(value).lower(),
    "capitalize": lambda value: show_value(value).capitalize(),
    "trim": lambda value: show_value(value).strip(),
    "indent": _indent,
    "first": lambda value: value[0],
    "last": lambda value: value[-1],
    COUNTED_FILTER: _counted,
    WEIGHED_FILTER: _weighed,
    PAIRS_FILTER: _pairs,
}


def _finalize(value: Any) -> str:
    if isinstance(value, Undefined):
        str(value)  # raises with what is missing
    return show_value(value)


_TESTS: dict[str, Any] = {
    "none": lambda value: value is None,
    "odd": lambda value: value % 2 == 1,
    "even": lambda value: value % 2 == 0,
    # The code that Jinja generates for a filter first asks whether the filter exists.
    "filter": lambda value: value in _FILTERS,
    "test": lambda value: value in _TESTS,
}


class PromptEnvironment(ImmutableSandboxedEnvironment):
    """The one environment of all prompts. Tokens carry character offsets where Jinja has line numbers."""

    def __init__(self) -> None:
        super().__init__(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=_finalize)
        self.globals = {}
        self.filters = dict(_FILTERS)
        self.tests = dict(_TESTS)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Only `loop` has attributes; fields of values are rewritten into indexing before compiling."""
        if isinstance(obj, LoopContext) and not attribute.startswith("_"):
            return getattr(obj, attribute)
        return self.undefined(obj=obj, name=attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Plain indexing, never falling back to attributes."""
        try:
            return obj[argument]
        except (LookupError, TypeError):
            return self.undefined(obj=obj, name=argument)

    def parse_with_offsets(self, text: str) -> nodes.Template:
        """The tree of a template whose nodes carry offsets in `text` as `lineno`.

        Raises TemplateSyntaxError with a *line* number where the text cannot be cut into tokens, see
        `TemplateTokensError`, and with an offset where the tokens make no sense.
        """
        return self._parse(text, None, None)

    def _tokenize(
        self, source: str, name: str | None, filename: str | None = None, state: str | None = None
    ) -> TokenStream:
        try:
            raw = list(self.lexer.tokeniter(source, name, filename, state))
        except jinja2.TemplateSyntaxError as error:
            raise TemplateTokensError(error.message or "", error.lineno) from error
        return TokenStream(self.lexer.wrap(_with_offsets(raw, source)), name, filename)


class TemplateTokensError(jinja2.TemplateSyntaxError):
    """A template that cannot be cut into tokens; `lineno` is a line of the template, from 1."""


def _with_offsets(raw: list[tuple[int, str, str]], source: str) -> Iterator[tuple[int, str, str]]:
    """Tokens with their offset in place of the line: the lexer leaves out nothing but white space."""
    at = 0
    for _line, token, value in raw:
        found = source.find(value, at)
        offset = at if found < 0 else found
        yield offset, token, value
        at = offset + len(value)


PROMPTS = PromptEnvironment()
