"""Ollama chat: one reply to a call, never streamed (one object is a stream of one)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from maker_dsl.simulation.server.wire import Ask, Body, Given, read_messages, read_object
from maker_dsl.task import Finish

_FINISH: dict[Finish, str] = {"stop": "stop", "length": "length", "filtered": "stop", "other": "stop"}
_EPOCH = "1970-01-01T00:00:00Z"


class OllamaFormat:
    """`options.num_predict` is the output cap; 0 and negative numbers mean none."""

    name = "ollama"
    paths = ("/api/chat",)

    def read(self, body: Mapping[str, Any], model: str | None) -> Ask:
        """The call that a body makes; raises BadCall."""
        limit = read_object(body, "options").get("num_predict")
        has_limit = isinstance(limit, int) and not isinstance(limit, bool) and limit > 0
        schema = body.get("format")
        return Ask(
            str(body.get("model", "")),
            read_messages(body),
            max_tokens=limit if has_limit else None,
            grammar=json.dumps(schema) if isinstance(schema, dict) and schema else None,
        )

    def write(self, ask: Ask, given: Given) -> Body:
        """The last (and only) object of a chat."""
        (reply,) = given.replies
        return {
            "model": ask.model,
            "created_at": _EPOCH,
            "message": {"role": "assistant", "content": reply.text},
            "done": True,
            "done_reason": _FINISH[reply.finish],
            "total_duration": 0,
            "load_duration": 0,
            "prompt_eval_count": given.input_tokens,
            "prompt_eval_duration": 0,
            "eval_count": given.output_tokens,
            "eval_duration": 0,
        }

    def write_error(self, status: int, message: str) -> Body:
        """An `error` text."""
        return {"error": message}
