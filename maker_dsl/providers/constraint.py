"""Constrained decoding: how a server wants a grammar, and how to find out whether it holds a model to one.

Servers take grammars in different notations and under different names, and most ignore a member that they don't know:
they answer 200 and anything. So nothing is believed that was not proved: a grammar that admits only a nonce, letters
that nobody has told the model, is sent first, and only a reply that is the nonce shows that the server enforces it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, assert_never

from maker_dsl.task import Prompt, Target

ConstrainMode = Literal["off", "prefer", "require"]
"""Don't constrain replies; constrain them where the server enforces it; stop where it doesn't."""

Dialect = Literal["llama.cpp", "vllm", "sglang", "fireworks", "openai-tool", "json-schema"]
"""How a server takes a grammar."""

TARGETS: Mapping[Dialect, Target] = {
    "llama.cpp": "gbnf",
    "vllm": "gbnf",
    "sglang": "gbnf",
    "fireworks": "gbnf",
    "openai-tool": "llguidance",
    "json-schema": "json-schema",
}
"""The notation of each."""

TOOL = "reply"
"""The name of the tool that stands for the reply, where grammars are those of tools."""


@dataclass(frozen=True, slots=True)
class Constrain:
    """What a profile says: how much it matters, and how the server takes a grammar."""

    mode: ConstrainMode
    dialect: Dialect
    hindrance: str | None = None
    """Why it is known before any call that replies would not be held to a grammar."""

    @property
    def target(self) -> Target:
        """The notation of the grammars."""
        return TARGETS[self.dialect]


def request_members(dialect: Dialect, grammar: str) -> dict[str, Any]:
    """What a request carries, as LiteLLM takes it. The members of `extra_body` go to the server as they are."""
    match dialect:
        case "llama.cpp":
            return {"extra_body": {"grammar": grammar}}
        case "vllm":
            return {"extra_body": {"structured_outputs": {"grammar": grammar}}}
        case "sglang":
            return {"extra_body": {"ebnf": grammar}}
        case "fireworks":
            return {"extra_body": {"response_format": {"type": "grammar", "grammar": grammar}}}
        case "json-schema":
            schema = {"name": TOOL, "schema": json.loads(grammar), "strict": True}
            return {"response_format": {"type": "json_schema", "json_schema": schema}}
        case "openai-tool":
            form = {"type": "grammar", "syntax": "lark", "definition": grammar}
            tool = {"type": "custom", "name": TOOL, "description": "Gives the reply.", "format": form}
            choice = {"type": "custom", "name": TOOL}
            return {"tools": [tool], "tool_choice": choice, "parallel_tool_calls": False}
        case _:
            assert_never(dialect)


PROOF_PROMPT = Prompt(None, "Say hello in one word.")
"""Nothing in it leads to what the grammar of the proof admits."""

PROOF_TOKENS = 64
"""What its reply may have at least; as much as the run's own replies where that is more."""


def proof_grammar(target: Target, nonce: str) -> str:
    """A grammar that admits the nonce alone, in the notation of a server; `nonce` is made of letters and digits."""
    match target:
        case "gbnf":
            return f'root ::= "{nonce}"\n'
        case "llguidance":
            return f'start: "{nonce}"\n'
        case "json-schema":
            number = {"type": "string", "enum": [nonce]}
            return json.dumps(
                {
                    "type": "object",
                    "properties": {"number": number},
                    "required": ["number"],
                    "additionalProperties": False,
                }
            )
        case _:
            raise ValueError(target)


def proves(target: Target, nonce: str, text: str) -> bool:
    """Whether a reply is what the grammar of the proof admits, and so shows that it was enforced."""
    if target != "json-schema":
        return text.strip() == nonce
    try:
        return bool(json.loads(text) == {"number": nonce})
    except (ValueError, RecursionError):
        return False
