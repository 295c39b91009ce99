"""Small slips of the first day: what is left out or written as elsewhere, told by the tokens around it."""

from __future__ import annotations

import re

from maker_dsl.syntax.broken import Broken
from maker_dsl.syntax.lexer import Token

_IF = re.compile(
    r"if[ \t]+(?P<test>[^\n]+?)(?:[ \t]+then\b|[ \t]*:)[ \t]*(?P<then>[^\n;]+?)"
    r"(?:[ \t]+else\b[ \t]*(?P<otherwise>[^\n;]+?))?[ \t]*(?=[\n;}]|$)"
)


def of_slip(text: str, token: Token, before: Token | None, expected: frozenset[str]) -> Broken | None:
    """What to say if the token is one of these slips."""
    if token.text == "//" and "TIMES_OVER" not in expected:
        return Broken("MK108", "`//` begins no comment", token.start, token.end, help="write `#`")
    if token.text == "if" and "NAME" in expected and "null" in expected:
        return _if_first(text, token)
    if before is None:
        return None
    if token.text == "then" and "or" in expected:
        return Broken("MK108", "a condition has no `then`", token.start, token.end, help="write `not (a) or b`")
    if token.text == "{" and expected == {"="} and before.type == "NAME":
        help_text = f"write `type {before.text} = {{ … }}`"
        return Broken("MK123", "an `=` is missing before this type", token.start, token.end, help=help_text)
    if token.type in ("STRING", "TEXT_BLOCK") and expected == {"REGEX"}:
        pattern = token.text.strip('"').replace("/", "\\/")
        shown = pattern if pattern and len(pattern) <= 40 and "\n" not in pattern else "[a-z]+"
        title = "a pattern stands between slashes"
        return Broken("MK107", title, token.start, token.end, help=f"write `/{shown}/`")
    if token.text in (")", ",", "=") and expected == {":"} and _begins(text, before, "def"):
        help_text = f"write `{before.text}: type`: `def f({before.text}: int) -> int = …`"
        return Broken("MK123", f"the parameter `{before.text}` needs a type", before.start, before.end, help=help_text)
    if token.text == "-" and before.type == "NAME" and before.end == token.start and "PLUS_MINUS" not in expected:
        word = re.compile(r"\w+(?:-\w+)*").match(text, token.end)
        if word is not None:
            name = f"{before.text}_{word.group().replace('-', '_')}"
            return Broken("MK124", "names can't have a `-`", before.start, word.end(), help=f"write `{name}`")
    if token.text == ":" and expected >= {"{"} and not expected & {"=", ":"} and before.type == "NAME":
        return Broken(
            "MK107", "a block begins with `{`", token.start, token.end, help="write `{` here, and `}` at its end"
        )
    return None


def _begins(text: str, before: Token, word: str) -> bool:
    """Whether the line up to a token begins with the word."""
    return text[text.rfind("\n", 0, before.start) + 1 : before.start].lstrip().startswith(word)


def _if_first(text: str, token: Token) -> Broken:
    found = _IF.match(text, token.start)
    help_text = "a condition that follows from another is `not a or b`; a value in each case is `a if x else b`"
    end = token.end
    if found is not None and len(found.group()) <= 100:
        test, then, otherwise = found.group("test", "then", "otherwise")
        end = found.end()
        help_text = (
            f"write `not ({test}) or {then}`" if otherwise is None else f"write `{then} if {test} else {otherwise}`"
        )
    return Broken("MK108", "`if` does not begin a value", token.start, end, help=help_text)
