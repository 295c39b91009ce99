"""What tests of grammar files share: loading one, and saying what becomes of a text."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from maker_dsl.bundled import reply_grammar_path
from maker_dsl.compiler.grammar_files import grammar_file_format
from maker_dsl.diagnostics import Problems, Source
from maker_dsl.diagnostics.text import render_all
from maker_dsl.task import Parsed, ReplyFormat


def grammar_text(name: str) -> str:
    """The text of a bundled grammar."""
    path = reply_grammar_path(name)
    assert path is not None, name
    return path.read_text(encoding="utf-8")


@lru_cache
def bundled_grammar(name: str) -> ReplyFormat:
    """A bundled grammar as the format of a whole reply."""
    return own_grammar(grammar_text(name), f"{name}.lark")


def own_grammar(text: str, name: str = "test.lark") -> ReplyFormat:
    """The format of a grammar's text."""
    problems = Problems()
    found = grammar_file_format(Source(name, text), problems)
    assert found is not None, render_all(problems)
    return found


def accepts(name: str, text: str) -> bool:
    """Whether a bundled grammar takes the text."""
    return isinstance(bundled_grammar(name).read(text), Parsed)


def value(name: str, text: str) -> dict[str, Any]:
    """The fields that a bundled grammar reads from a text that it takes."""
    found = bundled_grammar(name).read(text)
    assert isinstance(found, Parsed), f"{text!r}: {found.message}"
    return found.value
