"""Gemini generateContent: the model in the address, several candidates to a call."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from maker_dsl.simulation.server.wire import (
    MOST_REPLIES,
    Ask,
    BadCall,
    Body,
    Given,
    read_count,
    read_object,
    read_text,
)
from maker_dsl.task import Finish, Prompt

_FINISH: dict[Finish, str] = {"stop": "STOP", "length": "MAX_TOKENS", "filtered": "SAFETY", "other": "OTHER"}
_ERROR_STATUS = {400: "INVALID_ARGUMENT", 429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE"}


class GeminiFormat:
    """Reads both spellings of the system prompt's name; clients use either."""

    name = "gemini"
    paths = tuple(f"{prefix}/models/{{model}}:generateContent" for prefix in ("/v1beta", "/v1", ""))

    def read(self, body: Mapping[str, Any], model: str | None) -> Ask:
        """The call that a body makes; raises BadCall."""
        contents = body.get("contents")
        if not isinstance(contents, list) or not contents or not all(isinstance(content, dict) for content in contents):
            raise BadCall("contents: expected a list of contents")
        user = "\n\n".join(read_text(content.get("parts"), "contents.parts") for content in contents)
        system = read_object(body, "systemInstruction") or read_object(body, "system_instruction")
        config = read_object(body, "generationConfig") or read_object(body, "generation_config")
        limits = [read_count(config, name) for name in ("maxOutputTokens", "max_output_tokens")]
        counts = [read_count(config, name, MOST_REPLIES) for name in ("candidateCount", "candidate_count")]
        schemas = [config.get(name) for name in ("responseJsonSchema", "response_json_schema")]
        return Ask(
            model=model or "",
            prompt=Prompt(read_text(system.get("parts"), "systemInstruction.parts") if system else None, user),
            replies=next((count for count in counts if count is not None), 1),
            max_tokens=next((limit for limit in limits if limit is not None), None),
            grammar=next((json.dumps(schema) for schema in schemas if isinstance(schema, dict)), None),
        )

    def write(self, ask: Ask, given: Given) -> Body:
        """A response with candidates."""
        return {
            "candidates": [
                {
                    "content": {"role": "model", "parts": [{"text": reply.text}]},
                    "finishReason": _FINISH[reply.finish],
                    "index": index,
                }
                for index, reply in enumerate(given.replies)
            ],
            "usageMetadata": {
                "promptTokenCount": given.input_tokens,
                "candidatesTokenCount": given.output_tokens,
                "totalTokenCount": given.input_tokens + given.output_tokens,
            },
            "modelVersion": ask.model,
            "responseId": f"sim-{given.number}",
        }

    def write_error(self, status: int, message: str) -> Body:
        """An `error` object."""
        return {"error": {"code": status, "message": message, "status": _ERROR_STATUS.get(status, "INTERNAL")}}
