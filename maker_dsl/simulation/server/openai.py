"""OpenAI chat completions, which most local servers speak too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maker_dsl.simulation.server.grammars import grammar_in
from maker_dsl.simulation.server.wire import (
    MOST_REPLIES,
    Ask,
    Body,
    Given,
    read_count,
    read_messages,
    refuse_streaming,
)
from maker_dsl.task import Finish

_FINISH: dict[Finish, str] = {"stop": "stop", "length": "length", "filtered": "content_filter", "other": "stop"}
_ERROR_TYPES = {400: "invalid_request_error", 429: "requests", 503: "server_error"}
_ERROR_CODES = {429: "rate_limit_exceeded"}


class OpenAIFormat:
    """Several replies to one call (`n`), each a choice."""

    name = "openai"
    paths = ("/v1/chat/completions", "/chat/completions")

    def read(self, body: Mapping[str, Any], model: str | None) -> Ask:
        """The call that a body makes; raises BadCall."""
        refuse_streaming(body)
        limits = [read_count(body, name) for name in ("max_completion_tokens", "max_tokens")]
        return Ask(
            model=str(body.get("model", "")),
            prompt=read_messages(body),
            replies=read_count(body, "n", MOST_REPLIES) or 1,
            max_tokens=min((limit for limit in limits if limit is not None), default=None),
            grammar=grammar_in(body),
        )

    def write(self, ask: Ask, given: Given) -> Body:
        """A `chat.completion` object."""
        return {
            "id": f"chatcmpl-sim-{given.number}",
            "object": "chat.completion",
            "created": 0,
            "model": ask.model,
            "choices": [
                {
                    "index": index,
                    "message": {"role": "assistant", "content": reply.text, "refusal": None},
                    "logprobs": None,
                    "finish_reason": _FINISH[reply.finish],
                }
                for index, reply in enumerate(given.replies)
            ],
            "usage": {
                "prompt_tokens": given.input_tokens,
                "completion_tokens": given.output_tokens,
                "total_tokens": given.input_tokens + given.output_tokens,
                "prompt_tokens_details": {"cached_tokens": 0},
            },
        }

    def write_error(self, status: int, message: str) -> Body:
        """An `error` object."""
        kind = _ERROR_TYPES.get(status, "server_error")
        return {"error": {"message": message, "type": kind, "param": None, "code": _ERROR_CODES.get(status)}}
