"""A form as one regex that the whole output matches, in what RE2 reads."""

from __future__ import annotations

import re

import re2

from maker_dsl.replies.exports.form import Form, Unwritable, names_in, recursive_rules
from maker_dsl.replies.exports.regexes import regex, regex_size
from maker_dsl.replies.lexing import RE2_OPTIONS

MAX_REGEX = 100_000
"""Characters of a regex."""


_TOO_HIGH = "it counts higher than RE2 can, which is 1,000 in all"

_ENDLESS_COUNT = re.compile(r"\{\d*,?\d{9,}")
"""A count of so many digits RE2 takes for a literal text, without a word."""


def as_regex(form: Form) -> str:
    """The anchored regex; raises `Unwritable`."""
    circle = sorted(recursive_rules(form) & _reached(form))
    if circle:
        raise Unwritable(f"a regex has no rules, and `{circle[0]}` holds itself")
    if regex_size(form.start, form.rules) > MAX_REGEX:
        raise Unwritable(f"the regex would have more than {MAX_REGEX:,} characters")
    text = f"^(?:{regex(form.start, form.rules)})$"
    if _ENDLESS_COUNT.search(text):
        raise Unwritable(_TOO_HIGH)
    try:
        re2.compile(text, RE2_OPTIONS)
    except re2.error as error:
        said = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error)
        raise Unwritable(_TOO_HIGH if "repetition" in said else "the regex is too large for RE2") from None
    return text


def _reached(form: Form) -> set[str]:
    reached: set[str] = set()
    waiting = list(names_in(form.start))
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += names_in(form.rules[name])
    return reached
