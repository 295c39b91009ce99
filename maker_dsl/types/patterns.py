"""The regexes of `string matching /…/`."""

from __future__ import annotations


def check_pattern(pattern: str) -> str | None:
    """What is wrong with a pattern, in the author's words; None if nothing."""
    return None
