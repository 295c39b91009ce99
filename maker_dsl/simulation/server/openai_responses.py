"""OpenAI's Responses API, as far as a grammar needs it: one tool whose input is the reply."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maker_dsl.simulation.server.wire import Ask, BadCall, Body, Given, read_count, read_messages, refuse_streaming


class OpenAIResponsesFormat:
    """With a custom tool, its call is the answer; otherwise a message is."""

    name = "openai_responses"
    paths = ("/v1/responses", "/responses")

    def read(self, body: Mapping[str, Any], model: str | None) -> Ask:
        """The call that a body makes; raises BadCall."""
        refuse_streaming(body)
        given = body.get("input")
        messages = [{"role": "user", "content": given}] if isinstance(given, str) else given
        return Ask(
            model=str(body.get("model", "")),
            prompt=read_messages({"messages": messages}),
            max_tokens=read_count(body, "max_output_tokens"),
            grammar=_grammar(body.get("tools")),
        )

    def write(self, ask: Ask, given: Given) -> Body:
        """A `response` object."""
        (reply,) = given.replies
        is_cut = reply.finish == "length"
        output: Body
        if ask.grammar is None:
            part = {"type": "output_text", "text": reply.text, "annotations": []}
            output = {"type": "message", "role": "assistant", "content": [part]}
        else:
            output = {"type": "custom_tool_call", "call_id": "call-1", "name": "reply", "input": reply.text}
        status = "incomplete" if is_cut else "completed"
        return {
            "id": f"resp-sim-{given.number}",
            "object": "response",
            "created_at": 0,
            "model": ask.model,
            "status": status,
            "error": None,
            "incomplete_details": {"reason": "max_output_tokens"} if is_cut else None,
            "instructions": None,
            "metadata": {},
            "output": [{"id": f"out-{given.number}", "status": status, **output}],
            "parallel_tool_calls": False,
            "temperature": 1.0,
            "tool_choice": "auto",
            "tools": [],
            "top_p": 1.0,
            "usage": {
                "input_tokens": given.input_tokens,
                "input_tokens_details": {"cached_tokens": 0},
                "output_tokens": given.output_tokens,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": given.input_tokens + given.output_tokens,
            },
        }

    def write_error(self, status: int, message: str) -> Body:
        """An `error` object."""
        return {"error": {"message": message, "type": "server_error", "param": None, "code": None}}


def _grammar(tools: object) -> str | None:
    if tools is None or tools == []:
        return None
    try:
        (tool,) = list(tools)  # type: ignore[call-overload]
        return str(tool["format"]["definition"])
    except (KeyError, TypeError, ValueError):
        raise BadCall("tools: the simulated model knows one custom tool with a grammar, and no other") from None
