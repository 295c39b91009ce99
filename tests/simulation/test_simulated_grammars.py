"""What the simulated server does with grammars, in every place where a format has them, with a plain client."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import aiohttp
import pytest
from simulation_lab import countdown

from maker_dsl.providers.constraint import PROOF_PROMPT, TARGETS, Dialect, proof_grammar, request_members
from maker_dsl.simulation.rates import Rates
from maker_dsl.simulation.server import SimulationServer
from maker_dsl.simulation.server.grammars import Handling

NONCE = "bcdfgh"
SCHEMA = json.loads(proof_grammar("json-schema", NONCE))
FORM = re.compile(r"next = \d+")
STEP = "You count down.", "The number is 20. Subtract one."


def post(path: str, bodies: list[dict[str, Any]], grammars: Handling, rates: Rates | None = None) -> list[Any]:
    """The answers of one server, each with its status."""

    async def main() -> list[Any]:
        async with (
            SimulationServer(countdown(20), rates or Rates(), grammars=grammars) as server,
            aiohttp.ClientSession() as session,
        ):
            found = []
            for body in bodies:
                async with session.post(server.url + path, json=body) as response:
                    found.append((response.status, await response.json()))
            return found

    return asyncio.run(main())


def chat(user: str = PROOF_PROMPT.user, system: str | None = None, **more: Any) -> dict[str, Any]:
    said = [] if system is None else [{"role": "system", "content": system}]
    return {"model": "sim", "messages": [*said, {"role": "user", "content": user}], **more}


def members_of(dialect: Dialect) -> dict[str, Any]:
    """As they stand in a body: what LiteLLM takes as `extra_body` lies beside the others."""
    members = request_members(dialect, proof_grammar(TARGETS[dialect], NONCE))
    return {**members, **members.pop("extra_body", {})}


CHAT_DIALECTS = [dialect for dialect in TARGETS if dialect != "openai-tool"]


@pytest.mark.parametrize("dialect", CHAT_DIALECTS)
def test_a_proof_succeeds_only_where_grammars_are_enforced(dialect: Dialect) -> None:
    body = chat(**members_of(dialect))
    right = json.dumps({"number": NONCE}) if dialect == "json-schema" else NONCE
    ((status, enforced),) = post("/v1/chat/completions", [body], "enforce")
    assert (status, enforced["choices"][0]["message"]["content"]) == (200, right)
    ((status, ignored),) = post("/v1/chat/completions", [body], "ignore")
    assert (status, ignored["choices"][0]["message"]["content"]) == (200, "Hello!")
    ((status, refused),) = post("/v1/chat/completions", [body], "refuse")
    assert (status, refused["error"]["message"]) == (400, "grammars are not supported (simulated)")


@pytest.mark.parametrize("grammars", ["enforce", "ignore", "refuse"])
def test_a_call_without_a_grammar_is_the_same_everywhere(grammars: Handling) -> None:
    hello, step = post("/v1/chat/completions", [chat(), chat(STEP[1], STEP[0])], grammars)
    assert hello[1]["choices"][0]["message"]["content"] == "Hello!"
    assert step[1]["choices"][0]["message"]["content"] == "next = 19"


def test_a_tool_s_input_is_the_reply_in_the_responses_format() -> None:
    body = {"model": "sim", "input": PROOF_PROMPT.user, "max_output_tokens": 64, **members_of("openai-tool")}
    plain = {"model": "sim", "input": PROOF_PROMPT.user}
    (status, tool), (_, message) = post("/v1/responses", [body, plain], "enforce")
    assert status == 200
    assert [(item["type"], item["input"]) for item in tool["output"]] == [("custom_tool_call", NONCE)]
    assert message["output"][0]["content"][0]["text"] == "Hello!"
    ((_, ignored),) = post("/v1/responses", [body], "ignore")
    assert ignored["output"][0]["input"] == "Hello!"


def test_another_tool_is_refused_as_unknown() -> None:
    tool = {"type": "function", "name": "f", "parameters": {}}
    ((status, refused),) = post("/v1/responses", [{"model": "sim", "input": "x", "tools": [tool]}], "enforce")
    assert status == 400
    assert "one custom tool with a grammar" in refused["error"]["message"]


@pytest.mark.parametrize(
    ("path", "body", "read"),
    [
        ("/api/chat", chat(format=SCHEMA), lambda answer: answer["message"]["content"]),
        (
            "/v1/messages",
            chat(max_tokens=64, output_format={"type": "json_schema", "schema": SCHEMA}),
            lambda answer: answer["content"][0]["text"],
        ),
        (
            "/v1beta/models/m:generateContent",
            {
                "contents": [{"parts": [{"text": PROOF_PROMPT.user}]}],
                "generationConfig": {"response_mime_type": "application/json", "response_json_schema": SCHEMA},
            },
            lambda answer: answer["candidates"][0]["content"]["parts"][0]["text"],
        ),
    ],
    ids=["ollama", "anthropic", "gemini"],
)
def test_the_other_formats_have_schemas(path: str, body: dict[str, Any], read: Any) -> None:
    ((_, enforced),) = post(path, [body], "enforce")
    assert json.loads(read(enforced)) == {"number": NONCE}
    ((_, ignored),) = post(path, [body], "ignore")
    assert read(ignored) == "Hello!"
    ((status, _),) = post(path, [body], "refuse")
    assert status == 400


def texts(rates: Rates, grammars: Handling, **more: Any) -> list[str]:
    body = chat(STEP[1], STEP[0], n=64, max_tokens=750, **more)
    ((_, answer),) = post("/v1/chat/completions", [body], grammars, rates)
    return [choice["message"]["content"] for choice in answer["choices"]]


def test_enforced_a_reply_that_cannot_be_read_becomes_one_that_can_and_a_wrong_one_stays() -> None:
    rates = Rates(malformed=0.3, overlong=0.2, wrong=0.3)
    form = FORM
    free, held = texts(rates, "enforce"), texts(rates, "enforce", grammar="root ::= …")
    assert any(form.fullmatch(text) is None for text in free)
    assert all(form.fullmatch(text) for text in held)
    assert {text for text in held if text != "next = 19"} == {
        text for text in free if form.fullmatch(text) and text != "next = 19"
    }
    assert texts(rates, "ignore", grammar="root ::= …") == free


def test_enforced_a_reply_may_still_be_cut_off() -> None:
    held = texts(Rates(truncated=1), "enforce", grammar="root ::= …")
    assert "next = 19" not in held


@pytest.mark.parametrize("grammar", ["root ::= [", "[]", '{"properties": {"n": {}}}'])
def test_a_grammar_that_is_no_proof_s_is_no_trouble(grammar: str) -> None:
    ((status, answer),) = post("/v1/chat/completions", [chat(grammar=grammar)], "enforce")
    assert (status, answer["choices"][0]["message"]["content"]) == (200, "Hello!")
