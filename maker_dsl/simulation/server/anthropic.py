"""Anthropic messages: one reply to a call, the system prompt beside the messages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from maker_dsl.simulation.server.wire import (
    Ask,
    BadCall,
    Body,
    Given,
    read_count,
    read_messages,
    read_object,
    read_text,
    refuse_streaming,
)
from maker_dsl.task import Finish, Prompt

_FINISH: dict[Finish, str] = {"stop": "end_turn", "length": "max_tokens", "filtered": "refusal", "other": "end_turn"}
_ERROR_TYPES = {400: "invalid_request_error", 429: "rate_limit_error", 503: "overloaded_error"}


class AnthropicFormat:
    """`max_tokens` must be given, as with the real one; `output_format` may hold the reply to a schema."""

    name = "anthropic"
    paths = ("/v1/messages",)

    def read(self, body: Mapping[str, Any], model: str | None) -> Ask:
        """The call that a body makes; raises BadCall."""
        refuse_streaming(body)
        max_tokens = read_count(body, "max_tokens")
        if max_tokens is None:
            raise BadCall("max_tokens: Field required")
        prompt = read_messages(body)
        system = body.get("system")
        if system is not None:
            prompt = Prompt(read_text(system, "system"), prompt.user)
        form = read_object(body, "output_format")
        schema = form.get("schema") if form.get("type") == "json_schema" else None
        return Ask(
            str(body.get("model", "")),
            prompt,
            max_tokens=max_tokens,
            grammar=json.dumps(schema) if isinstance(schema, dict) else None,
        )

    def write(self, ask: Ask, given: Given) -> Body:
        """A `message` object."""
        (reply,) = given.replies
        return {
            "id": f"msg_sim_{given.number}",
            "type": "message",
            "role": "assistant",
            "model": ask.model,
            "content": [{"type": "text", "text": reply.text}],
            "stop_reason": _FINISH[reply.finish],
            "stop_sequence": None,
            "usage": {
                "input_tokens": given.input_tokens,
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 0,
                "output_tokens": given.output_tokens,
            },
        }

    def write_error(self, status: int, message: str) -> Body:
        """An `error` object."""
        return {"type": "error", "error": {"type": _ERROR_TYPES.get(status, "api_error"), "message": message}}
