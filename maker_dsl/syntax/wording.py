"""Says in the author's words what is wrong with a token that can't stand where it stands."""

from __future__ import annotations

from maker_dsl.syntax.automaton import Unexpected
from maker_dsl.syntax.broken import Broken


def of_unexpected(text: str, unexpected: Unexpected, *, in_hole: bool = False) -> Broken:
    token = unexpected.token
    return Broken(
        "MK101", f"`{token.text}` can't stand here", token.start, token.end, ", ".join(sorted(unexpected.expected))
    )
