"""The HTTP application: routes, faults on the wire, and the record of calls."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web

from maker_dsl.simulation.rates import Rates
from maker_dsl.simulation.server.answering import Answered, Desk, Faulty, Refused, Unknown
from maker_dsl.simulation.server.anthropic import AnthropicFormat
from maker_dsl.simulation.server.calls import CallRecord
from maker_dsl.simulation.server.gemini import GeminiFormat
from maker_dsl.simulation.server.grammars import Handling
from maker_dsl.simulation.server.ollama import OllamaFormat
from maker_dsl.simulation.server.openai import OpenAIFormat
from maker_dsl.simulation.server.openai_responses import OpenAIResponsesFormat
from maker_dsl.simulation.server.places import StillSearching, digest_prompt
from maker_dsl.simulation.server.wire import Ask, BadCall, Given, WireFormat
from maker_dsl.task import Task, TaskError
from maker_dsl.tokens import estimate_tokens

FORMATS: tuple[WireFormat, ...] = (
    OpenAIFormat(),
    OpenAIResponsesFormat(),
    AnthropicFormat(),
    GeminiFormat(),
    OllamaFormat(),
)

_LARGEST_BODY = 16 * 1024 * 1024
_MODEL = "sim"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def create_app(
    task: Task, rates: Rates, seed: int | None = None, log: Path | None = None, grammars: Handling = "ignore"
) -> web.Application:
    """The simulated model of a task as an application; `log` takes a line for each call.

    `grammars` says what it does with a grammar to which a reply is to be held.

    Raises PermanentError if the task lacks a reference, OSError if the log cannot be opened.
    """
    desk = Desk(task, rates, seed, grammars)
    record = CallRecord(log)
    app = web.Application(client_max_size=_LARGEST_BODY)
    for wire in FORMATS:
        handler = _Calls(desk, record, wire).handle
        for path in wire.paths:
            app.router.add_post(path, handler)
    app.router.add_get("/maker/stats", _stats_handler(desk, record))
    app.router.add_get("/v1/models", _fixed({"object": "list", "data": [_openai_model()]}))
    app.router.add_get("/api/version", _fixed({"version": "0.0.0-simulated"}))
    app.router.add_get("/api/tags", _fixed({"models": [{"name": _MODEL, "model": _MODEL}]}))
    app.router.add_post("/api/show", _fixed({"details": {"family": "simulated"}, "model_info": {}, "template": ""}))

    async def close_log(_: web.Application) -> None:
        record.close()

    app.on_cleanup.append(close_log)
    return app


class _Calls:
    """The calls of one wire format."""

    def __init__(self, desk: Desk, record: CallRecord, wire: WireFormat) -> None:
        self._desk = desk
        self._record = record
        self._wire = wire

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one call; a cancellation (the client has gone) leaves only its count behind."""
        number = self._record.open_call()
        try:
            ask = self._wire.read(_read_body(await request.read()), request.match_info.get("model"))
        except BadCall as error:
            return self._refuse(number, None, 400, "bad_call", str(error))
        prompt = digest_prompt(ask.prompt).words.hex()
        try:
            fate = await self._desk.answer(ask)
        except StillSearching as error:
            return self._refuse(number, prompt, 503, "searching", str(error), retry_after_s=1)
        except TaskError as error:
            return self._refuse(number, prompt, 400, "task_error", f"the task failed: {error}")
        match fate:
            case Unknown(message):
                return self._refuse(number, prompt, 400, "unknown_prompt", message)
            case Refused():
                told = "grammars are not supported (simulated)"
                return self._refuse(number, prompt, 400, "grammar", told)
            case Faulty("error_429", retry_after_s):
                return self._refuse(number, prompt, 429, "error_429", "too many requests (simulated)", retry_after_s)
            case Faulty("error_500", wait_s):
                await asyncio.sleep(wait_s)
                return self._refuse(number, prompt, 500, "error_500", "internal error (simulated)")
            case Faulty("dropped", wait_s):
                await asyncio.sleep(wait_s)
                self._record.close_call(number, self._wire.name, prompt, None, "dropped")
                return await _drop(request)
            case Answered():
                return await self._give(number, prompt, ask, fate)
            case _:
                raise AssertionError(fate)

    async def _give(self, number: int, prompt: str, ask: Ask, fate: Answered) -> web.Response:
        input_tokens = estimate_tokens(ask.prompt.user) + estimate_tokens(ask.prompt.system or "")
        given = Given(
            number=number,
            replies=tuple(drawn.reply for drawn in fate.drawn),
            input_tokens=input_tokens,
            output_tokens=sum(drawn.tokens for drawn in fate.drawn),
        )
        kinds = tuple(drawn.kind for drawn in fate.drawn)
        self._record.close_call(number, self._wire.name, prompt, 200, "ok", kinds, input_tokens, given.output_tokens)
        if fate.latency_s:
            await asyncio.sleep(fate.latency_s)
        return _json(self._wire.write(ask, given))

    def _refuse(
        self,
        number: int,
        prompt: str | None,
        status: int,
        outcome: str,
        message: str,
        retry_after_s: float | None = None,
    ) -> web.Response:
        self._record.close_call(number, self._wire.name, prompt, status, outcome)
        response = _json(self._wire.write_error(status, message), status)
        if retry_after_s is not None:
            response.headers["Retry-After"] = str(math.ceil(retry_after_s))
        return response


def _read_body(raw: bytes) -> dict[str, Any]:
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise BadCall(f"the body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise BadCall("the body is not a JSON object")
    return body


async def _drop(request: web.Request) -> web.StreamResponse:
    """Begin an answer and close the connection in the middle of it."""
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "512"})
    await response.prepare(request)
    await response.write(b'{"id": "')
    if request.transport is not None:
        request.transport.close()
    return response


def _json(body: object, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(body), status=status, content_type="application/json")


def _fixed(body: object) -> Handler:
    async def handle(_: web.Request) -> web.StreamResponse:
        return _json(body)

    return handle


def _openai_model() -> dict[str, Any]:
    return {"id": _MODEL, "object": "model", "created": 0, "owned_by": "maker"}


def _stats_handler(desk: Desk, record: CallRecord) -> Handler:
    async def handle(_: web.Request) -> web.StreamResponse:
        return _json({"task": desk.task.name, "known_prompts": desk.known_prompts, **record.counters()})

    return handle
