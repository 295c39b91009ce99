"""Grammars in calls, as far as the simulated server knows them: enforced, ignored, or refused.

Real servers do all three. An enforcing one here answers the proof with the nonce that its grammar admits, and for a
step gives a reply that reads in place of one that the grammar would not have let through.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Literal

from maker_dsl.providers.constraint import PROOF_PROMPT
from maker_dsl.providers.port import Reply
from maker_dsl.simulation.model import Drawn
from maker_dsl.tokens import estimate_tokens

Handling = Literal["enforce", "ignore", "refuse"]
"""What the server does with a grammar."""

PLAIN_ANSWER = "Hello!"

_NONCE = re.compile(r'(?:root ::=|start:) "([a-z]+)"')


def grammar_in(body: Mapping[str, Any]) -> str | None:
    """The grammar or schema of a body in the OpenAI format, under any of the names that servers have for it."""
    form = body.get("response_format")
    if isinstance(form, dict):
        if form.get("type") == "grammar":
            return str(form.get("grammar"))
        if form.get("type") == "json_schema" and isinstance(form.get("json_schema"), dict):
            return json.dumps(form["json_schema"].get("schema"))
    outputs = body.get("structured_outputs")
    if isinstance(outputs, dict) and "grammar" in outputs:
        return str(outputs["grammar"])
    for name in ("grammar", "ebnf"):
        if isinstance(body.get(name), str):
            return str(body[name])
    return None


def proof_reply(prompt: str, grammar: str | None, handling: Handling) -> str | None:
    """What is answered to the proof that grammars are enforced; None for any other prompt."""
    if prompt != PROOF_PROMPT.user:
        return None
    if grammar is None or handling != "enforce":
        return PLAIN_ANSWER
    found = _NONCE.fullmatch(grammar.strip())
    if found is not None:
        return found[1]
    try:
        members = json.loads(grammar)["properties"].items()
        return json.dumps({name: member["enum"][0] for name, member in members})
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        return PLAIN_ANSWER


def held_to_form(drawn: Drawn, right: Reply) -> Drawn:
    """The reply itself if it has its form or breaks off; else one that has: a grammar lets no other through."""
    return Drawn("right", right, drawn.latency_s) if drawn.kind in ("malformed", "overlong") else drawn


def plain_answer(text: str) -> Drawn:
    """A reply that is about no step."""
    return Drawn("right", Reply(text, "stop", estimate_tokens(text)), 0.0)
