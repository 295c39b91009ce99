"""How the simulated model counts tokens: every word, number and punctuation mark is one.

A rule of thumb that needs no tokenizer and no download. It comes near real tokenizers for short structured replies
and is a little low for long words.
"""

from __future__ import annotations

import re
from functools import lru_cache

_TOKEN = re.compile(r"\w+|[^\w\s]")


@lru_cache(maxsize=1024)
def count_tokens(text: str) -> int:
    """The tokens of a text by the simulated model's rule."""
    return len(_TOKEN.findall(text))


def cut_to_tokens(text: str, tokens: int) -> str:
    """The beginning of the text that has that many tokens; the whole text if it has no more."""
    if tokens <= 0:
        return ""
    for number, match in enumerate(_TOKEN.finditer(text), start=1):
        if number == tokens:
            return text[: match.end()]
    return text
