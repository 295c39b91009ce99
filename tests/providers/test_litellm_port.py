"""Real calls through LiteLLM to a server of the test, one for each thing that can go wrong. Loads LiteLLM."""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from random import Random
from typing import Any, cast

import pytest
from aiohttp import web

from maker_dsl.diagnostics import Problems, pages
from maker_dsl.providers.clock import SystemClock
from maker_dsl.providers.gateway import Gateway, Limits
from maker_dsl.providers.ledger import Call
from maker_dsl.providers.litellm_port import LiteLLMProvider, open_litellm
from maker_dsl.providers.open import ProfileError, open_provider
from maker_dsl.providers.port import (
    Completion,
    Draw,
    PermanentError,
    ProviderError,
    Question,
    Reply,
    Request,
    TransientError,
    Usage,
)
from maker_dsl.providers.profile import Profile
from maker_dsl.providers.profiles import load_profile
from maker_dsl.providers.retry import RetryPolicy
from maker_dsl.providers.window import window_of
from maker_dsl.task import Prompt, Step, Task

pytestmark = pytest.mark.long

KEY = "planted-secret-0123456789"
ENVIRON = {"SOME_KEY": KEY, "OPENAI_API_KEY": "another-planted-secret"}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Server:
    """An HTTP server on loopback that answers every request in one way and keeps what it got."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.asked = asyncio.Event()

    async def __aenter__(self) -> Server:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(application)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        self.bodies.append(json.loads(await request.read() or b"{}"))
        self.asked.set()
        return await self._handler(request)


def choice(content: str | None, finish: str = "stop", index: int = 0) -> dict[str, Any]:
    return {"index": index, "message": {"role": "assistant", "content": content}, "finish_reason": finish}


def answer(*choices: dict[str, Any], usage: bool = True) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": "x",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": list(choices),
    }
    if usage:
        details = {"cached_tokens": 4}
        body["usage"] = {
            "prompt_tokens": 11, "completion_tokens": 30, "total_tokens": 41, "prompt_tokens_details": details,
        }  # fmt: skip
    return body


def says(body: object, status: int = 200, headers: dict[str, str] | None = None) -> Handler:
    async def handler(_: web.Request) -> web.Response:
        return web.json_response(body, status=status, headers=headers)

    return handler


def fails(status: int, message: str = "sorry", headers: dict[str, str] | None = None, **more: str) -> Handler:
    error = {"message": f"{message}; your key was {KEY}", "type": "an_error", **more}
    return says({"error": error}, status, headers)


def request(draws: int = 1, temperature: float | None = 0.1) -> Request:
    question = Question(0, cast(Step, None), {})
    slots = tuple(Draw(slot, 0) for slot in range(draws))
    return Request(question, Prompt("You are terse.", "Go."), temperature, 50, slots)


def profile(url: str, **settings: Any) -> Profile:
    base: dict[str, Any] = {"name": "p", "model": "openai/gpt-4.1-mini", "api_base": f"{url}/v1", "timeout_s": 20.0}
    return Profile.model_validate({**base, "api_key_env": "SOME_KEY", **settings})


def call(handler: Handler, asked: Request | None = None, **settings: Any) -> tuple[Completion | ProviderError, Server]:
    """One call to a server; what came of it, and what the server saw."""

    async def main() -> tuple[Completion | ProviderError, Server]:
        async with Server(handler) as server:
            provider = open_litellm(profile(server.url, **settings), ENVIRON)
            try:
                return await provider.complete(asked or request()), server
            except ProviderError as error:
                return error, server
            finally:
                await provider.close()

    return asyncio.run(main())


def completed(handler: Handler, asked: Request | None = None, **settings: Any) -> tuple[Completion, Server]:
    outcome, server = call(handler, asked, **settings)
    assert isinstance(outcome, Completion)
    assert len(server.bodies) == 1
    return outcome, server


def test_a_call_is_one_request_with_what_was_asked_and_nothing_more() -> None:
    completion, server = completed(says(answer(choice("done"))))
    assert completion == Completion((Reply("done", "stop", 30),), Usage(11, 30, 4))
    assert server.bodies == [
        {
            "model": "gpt-4.1-mini",
            "messages": [{"role": "system", "content": "You are terse."}, {"role": "user", "content": "Go."}],
            "temperature": 0.1,
            "max_tokens": 50,
        }
    ]
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"


def test_parameters_of_the_profile_are_passed_on() -> None:
    _, server = completed(says(answer(choice("x"))), params={"top_p": 0.5, "seed": 3, "extra_body": {"min_p": 0.1}})
    assert {name: server.bodies[0][name] for name in ("top_p", "seed", "min_p")} == {
        "top_p": 0.5,
        "seed": 3,
        "min_p": 0.1,
    }


def test_no_more_tokens_are_asked_for_than_the_model_puts_out_unless_the_profile_says_so() -> None:
    asked = replace(request(), max_tokens=10**9)
    _, server = completed(says(answer(choice("x"))), asked)
    assert server.bodies[0]["max_tokens"] == window_of(profile("")).output
    _, server = completed(says(answer(choice("x"))), asked, max_tokens=10**9)
    assert server.bodies[0]["max_tokens"] == 10**9


def test_no_temperature_is_sent_to_a_model_that_refuses_one() -> None:
    _, server = completed(says(answer(choice("x"))), temperature="default")
    assert "temperature" not in server.bodies[0]
    _, server = completed(says(answer(choice("x"))), request(temperature=None))
    assert "temperature" not in server.bodies[0]


def test_a_model_that_refuses_a_temperature_is_told_before_anything_is_sent() -> None:
    error, server = call(says({}), model="openai/gpt-5-mini")
    assert isinstance(error, PermanentError)
    assert error.kind == "bad_request"
    assert error.help is not None
    assert '`temperature = "default"`' in error.help
    assert "drop_params" not in str(error)
    assert server.bodies == []


def test_several_samples_are_asked_for_in_one_request_and_come_in_index_order() -> None:
    body = answer(choice("aaaa"), choice("", "content_filter", index=1), choice("cc", index=2))
    completion, server = completed(says(body), request(draws=3), samples_per_call=3)
    assert server.bodies[0]["n"] == 3
    assert [(reply.text, reply.finish) for reply in completion.replies] == [
        ("aaaa", "stop"), ("", "filtered"), ("cc", "stop"),
    ]  # fmt: skip
    assert [reply.tokens for reply in completion.replies] == [20, 0, 10]
    assert all(reply.tokens_estimated for reply in completion.replies)


def test_more_choices_than_asked_for_are_dropped_and_fewer_are_fewer() -> None:
    completion, _ = completed(says(answer(choice("a"), choice("b", index=1))))
    assert len(completion.replies) == 1
    completion, _ = completed(says(answer(choice("a"))), request(draws=3), samples_per_call=3)
    assert len(completion.replies) == 1


def test_missing_usage_is_not_zero_usage() -> None:
    completion, _ = completed(says(answer(choice("a reply of some length"), usage=False)))
    assert completion.usage is None
    assert completion.replies[0].tokens == 6
    assert completion.replies[0].tokens_estimated


@pytest.mark.parametrize(
    ("choices", "expected"),
    [
        ([choice("cut o", "length")], ("cut o", "length")),
        ([choice(None, "content_filter")], ("", "filtered")),
        ([choice(None)], ("", "other")),
        ([], ("", "other")),
    ],
)
def test_strange_replies_are_replies(choices: list[dict[str, Any]], expected: tuple[str, str]) -> None:
    completion, _ = completed(says(answer(*choices)))
    assert [(reply.text, reply.finish) for reply in completion.replies] == [expected]


async def drops(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()  # type: ignore[attr-defined]
    return web.Response()


async def page(_: web.Request) -> web.StreamResponse:
    return web.Response(text="<html><body>Welcome to the proxy</body></html>", content_type="text/html")


async def half_json(_: web.Request) -> web.StreamResponse:
    return web.Response(text='{"id": "x", "choi', content_type="application/json")


async def slow(_: web.Request) -> web.StreamResponse:
    await asyncio.sleep(2.0)
    return web.json_response(answer(choice("late")))


async def trickles(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(30):
        await response.write(b" ")
        await asyncio.sleep(0.1)
    return response


@pytest.mark.parametrize(
    ("handler", "kind", "status", "retry_after_s"),
    [
        (fails(408), "timeout", 408, None),
        (fails(409), "conflict", 409, None),
        (fails(425), "conflict", 425, None),
        (fails(429, headers={"Retry-After": "7"}), "rate_limit", 429, 7.0),
        (fails(429, headers={"Retry-After": "7", "retry-after-ms": "6500"}), "rate_limit", 429, 6.5),
        (fails(429, "Please try again in 20ms"), "rate_limit", 429, 0.02),
        (fails(500), "server_error", 500, None),
        (fails(502), "server_error", 502, None),
        (fails(503, headers={"Retry-After": "3"}), "overloaded", 503, 3.0),
        (fails(529), "overloaded", 529, None),
        (drops, "dropped", None, None),
        (page, "broken_reply", 200, None),
        (half_json, "broken_reply", 200, None),
        (says([]), "broken_reply", 200, None),
        (says({"error": {"message": "inside", "code": 502}}), "server_error", None, None),
    ],
)
def test_what_may_pass_is_transient_after_one_request(
    handler: Handler,
    kind: str,
    status: int | None,
    retry_after_s: float | None,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    error, server = call(handler)
    assert isinstance(error, TransientError)
    assert (error.kind, error.retry_after_s) == (kind, retry_after_s)
    assert error.status == status or kind == "server_error"
    assert len(server.bodies) == 1
    assert_no_secret(error, caplog, capfd)


@pytest.mark.parametrize(
    ("handler", "kind", "status"),
    [
        (fails(400), "bad_request", 400),
        (
            fails(400, "This model's maximum context length is 8192 tokens", code="context_length_exceeded"),
            "too_long",
            400,
        ),
        (fails(401), "bad_key", 401),
        (fails(402), "no_credit", 402),
        (fails(403), "bad_key", 403),
        (fails(404), "unknown_model", 404),
        (fails(413), "too_long", 413),
        (fails(422), "bad_request", 422),
        (fails(429, "You exceeded your current quota", code="insufficient_quota"), "no_credit", 429),
    ],
)
def test_what_will_fail_again_is_permanent_after_one_request(
    handler: Handler, kind: str, status: int, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    error, server = call(handler)
    assert isinstance(error, PermanentError)
    assert (error.kind, error.status) == (kind, status)
    assert error.help
    assert len(server.bodies) == 1
    assert_no_secret(error, caplog, capfd)


def assert_no_secret(error: ProviderError, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    printed = capfd.readouterr()
    seen = f"{error} {error!r} {error.args} {getattr(error, 'help', '')} {caplog.text} {printed.out} {printed.err}"
    assert KEY not in seen
    assert error.__cause__ is None


@pytest.mark.parametrize("handler", [slow, trickles])
def test_a_call_ends_after_its_time(handler: Handler) -> None:
    error, server = call(handler, timeout_s=0.3)
    assert isinstance(error, TransientError)
    assert (error.kind, error.status) == ("timeout", None)
    assert str(error) == "no reply within 0.3 s"
    assert len(server.bodies) == 1


def test_a_server_that_is_not_there_cannot_be_reached() -> None:
    async def main() -> None:
        async with Server(says({})) as server:
            url = server.url
        provider = open_litellm(profile(url, api_base=f"{url.replace('//', '//user:password@')}/v1"), ENVIRON)
        try:
            with pytest.raises(TransientError) as raised:
                await provider.complete(request())
        finally:
            await provider.close()
        assert (raised.value.kind, raised.value.status) == ("dropped", None)
        assert str(raised.value) == f"the server at {url}/v1 cannot be reached"

    asyncio.run(main())


def test_a_cancelled_call_goes_away_and_the_provider_goes_on() -> None:
    async def main() -> None:
        async with Server(slow) as server:
            provider = open_litellm(profile(server.url), ENVIRON)
            task = asyncio.create_task(provider.complete(request()))
            await server.asked.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert (await provider.complete(request())).replies[0].text == "late"
            await provider.close()

    asyncio.run(main())


def test_the_usual_key_is_not_sent_to_another_server() -> None:
    _, server = completed(says(answer(choice("x"))), api_key_env=None)
    assert "planted" not in json.dumps(server.headers)


@pytest.mark.parametrize("model", ["openai/m", "ollama_chat/m"])
def test_credentials_in_an_address_are_sent_as_a_header(model: str) -> None:
    async def main() -> str:
        body = WIRES["ollama_chat/llama3.2"][1] if "ollama" in model else answer(choice("x"))
        async with Server(says(body)) as server:
            address = server.url.replace("//", "//user:p%40ss@")
            provider = open_litellm(profile(server.url, model=model, api_base=address, api_key_env=None), ENVIRON)
            await provider.complete(request())
            await provider.close()
            return server.headers[0]["authorization"]

    assert asyncio.run(main()) == "Basic dXNlcjpwQHNz"


def test_a_provider_can_be_opened_again_after_the_last_was_closed() -> None:
    before = LiteLLMProvider._open

    async def main() -> None:
        async with Server(says(answer(choice("x")))) as server:
            for _ in range(2):
                provider = open_litellm(profile(server.url), ENVIRON)
                other = open_litellm(profile(server.url), ENVIRON)
                await provider.complete(request())
                await provider.close()
                await provider.close()
                await other.complete(request())
                await other.close()
        assert len(server.bodies) == 4
        assert LiteLLMProvider._open == before

    asyncio.run(main())


WIRES: dict[str, tuple[str, dict[str, Any]]] = {
    "anthropic/claude-haiku-4-5": (
        "",
        {
            "id": "m", "type": "message", "role": "assistant", "model": "c", "stop_reason": "max_tokens",
            "content": [{"type": "text", "text": "hi"}], "usage": {"input_tokens": 11, "output_tokens": 30},
        },
    ),
    "gemini/gemini-2.5-flash-lite": (
        "",
        {
            "candidates": [{"content": {"parts": [{"text": "hi"}], "role": "model"}, "finishReason": "MAX_TOKENS"}],
            "usageMetadata": {"promptTokenCount": 11, "candidatesTokenCount": 30, "totalTokenCount": 41},
        },
    ),
    "ollama_chat/llama3.2": (
        "",
        {
            "model": "m", "created_at": "2026-01-01T00:00:00Z", "message": {"role": "assistant", "content": "hi"},
            "done": True, "done_reason": "length", "prompt_eval_count": 11, "eval_count": 30,
        },
    ),
    "hosted_vllm/m": ("/v1", answer(choice("hi", "length"))),
    "mistral/mistral-small-latest": ("/v1", answer(choice("hi", "length"))),
    "groq/openai/gpt-oss-20b": ("/v1", answer(choice("hi", "length")) | {"service_tier": "on_demand"}),
    "openrouter/openai/gpt-4.1-mini": ("/v1", answer(choice("hi", "length"))),
}  # fmt: skip


@pytest.mark.parametrize("model", WIRES)
def test_every_wire_format_gives_the_same_completion_from_one_request(model: str) -> None:
    path, body = WIRES[model]

    async def main() -> None:
        async with Server(says(body)) as server:
            provider = open_litellm(profile(server.url, model=model, api_base=server.url + path), ENVIRON)
            completion = await provider.complete(request())
            await asyncio.sleep(0.05)  # a hidden second request would come now
            await provider.close()
        assert completion.replies == (Reply("hi", "length", 30),)
        assert completion.usage is not None
        assert (completion.usage.input_tokens, completion.usage.output_tokens) == (11, 30)
        assert len(server.bodies) == 1
        assert "Go." in json.dumps(server.bodies[0])

    asyncio.run(main())


@pytest.mark.parametrize("model", ["anthropic/claude-haiku-4-5", "gemini/gemini-2.5-flash-lite", "ollama_chat/m"])
@pytest.mark.parametrize(
    ("handler", "kind"),
    [
        (fails(429, headers={"Retry-After": "7"}), "rate_limit"),
        (fails(529), "overloaded"),
        (fails(401), "bad_key"),
        (drops, "dropped"),
        (page, "broken_reply"),
        (half_json, "broken_reply"),
    ],
)
def test_every_wire_format_fails_in_the_same_words(model: str, handler: Handler, kind: str) -> None:
    async def main() -> ProviderError:
        async with Server(handler) as server:
            provider = open_litellm(profile(server.url, model=model, api_base=server.url), ENVIRON)
            with pytest.raises(ProviderError) as raised:
                await provider.complete(request())
            await provider.close()
            assert len(server.bodies) == 1
            return raised.value

    error = asyncio.run(main())
    assert error.kind == kind
    assert KEY not in str(error)
    assert not isinstance(error, TransientError) or error.retry_after_s == (7.0 if kind == "rate_limit" else None)


@pytest.mark.parametrize(
    ("settings", "price", "many"),
    [
        ({"model": "openai/gpt-4.1-mini", "api_base": None}, (0.4, 1.6, 0.1), 8),
        ({"model": "gpt-4.1-mini", "api_base": None}, (0.4, 1.6, 0.1), 8),
        ({"model": "azure/gpt-4.1-mini"}, (0.4, 1.6, 0.1), 8),
        ({"model": "openai/some-local-model"}, None, 1),
        ({"model": "hosted_vllm/m", "samples_per_call": 4}, None, 4),
        ({"model": "ollama_chat/llama3.2"}, None, 1),
        ({"model": "anthropic/claude-haiku-4-5", "api_base": None}, (1.0, 5.0, 0.1), 1),
        ({"model": "bedrock/us.amazon.nova-lite-v1:0", "api_base": None}, (0.06, 0.24, 0.015), 1),
        ({"model": "openrouter/openai/gpt-4.1-mini", "api_base": None}, None, 1),
        ({"model": "openai/x", "price": {"input": 3, "output": 4}}, (3.0, 4.0, None), 1),
    ],
)
def test_prices_and_samples_per_call_are_only_what_is_known(
    settings: dict[str, Any], price: tuple[float, float, float | None] | None, many: int
) -> None:
    provider = open_litellm(profile("http://localhost:1", **settings), ENVIRON)
    found = provider.price
    assert (None if found is None else (found.input, found.output, found.cached_input)) == price
    assert provider.samples_per_call == many
    asyncio.run(provider.close())


@pytest.mark.parametrize("name", ["openai", "anthropic", "gemini", "mistral", "groq", "openrouter", "ollama", "vllm"])
def test_bundled_models_have_a_price(name: str) -> None:
    found = load_profile(name, [], [], None, Problems())
    assert found is not None
    provider = open_litellm(found, ENVIRON)
    assert provider.price is not None
    asyncio.run(provider.close())


def test_a_model_that_litellm_does_not_know_is_found_before_the_first_call(tmp_path: Any) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('timeout_s = 5\nmodel = "my-little-model"\n')
    problems = Problems()
    found = load_profile(str(path), [], [], {}, problems)
    assert found is not None
    with pytest.raises(ProfileError) as raised:
        open_provider(found, cast(Task, None), 0, {})
    diagnostic = raised.value.diagnostic
    assert diagnostic.code == "MK613"
    assert diagnostic.primary.span.text == '"my-little-model"'
    assert diagnostic.help is not None


@pytest.mark.parametrize(("example", "is_known"), [("wrong", False), ("right", True)])
def test_the_page_of_an_unknown_model_shows_what_is_wrong_and_right(
    example: str, is_known: bool, tmp_path: Any
) -> None:
    page = pages.page("MK613")
    assert page is not None
    path = tmp_path / "mine.toml"
    path.write_text(getattr(page, example))
    found = load_profile(str(path), [], [], {}, Problems())
    assert found is not None
    if is_known:
        asyncio.run(open_provider(found, cast(Task, None), 0, {}).close())
    else:
        with pytest.raises(ProfileError):
            open_provider(found, cast(Task, None), 0, {})


def test_the_ledger_agrees_with_the_server_call_for_call_under_faults() -> None:
    chance = Random(11)
    served: Counter[str] = Counter()

    async def handler(request: web.Request) -> web.StreamResponse:
        draw = chance.random()
        await asyncio.sleep(draw * 0.02)
        for limit, kind, broken in (
            (0.1, "rate_limit", fails(429, headers={"Retry-After": "0"})),
            (0.2, "server_error", fails(500)),
            (0.3, "dropped", drops),
            (0.4, "broken_reply", page),
        ):
            if draw < limit:
                served[kind] += 1
                return await broken(request)
        served["ok"] += 1
        return web.json_response(answer(choice("done")))

    calls: list[Call] = []

    async def main() -> int:
        async with Server(handler) as server:
            provider = open_litellm(profile(server.url), ENVIRON)
            retry = RetryPolicy(attempts=50, first_backoff_s=0.001, max_backoff_s=0.01)
            gateway = Gateway(provider, Limits(concurrency=16), retry, SystemClock(), Random(1), calls.append)
            async with asyncio.TaskGroup() as group:
                for _ in range(60):
                    group.create_task(gateway.sample(request()))
            await gateway.close()
            return len(server.bodies)

    requests = asyncio.run(main())
    assert Counter(call.outcome for call in calls) == served
    assert len(calls) == requests
    assert served["ok"] == 60
    assert len(served) == 5


def test_a_prompt_never_has_more_tokens_than_the_bound() -> None:
    provider = open_litellm(profile("http://localhost:1"), ENVIRON)
    # LiteLLM's own copy of the encoding: tiktoken asked alone might look for it on the network.
    encoding = importlib.import_module("litellm.litellm_core_utils.default_encoding").encoding
    for text in ("a plain prompt", "Ⅷ ﷺ ½ 日本語 🏳️‍🌈", "\x00\x01\x02", "    \n\n\t", "[[1, 2], [3]]"):
        assert len(encoding.encode(text)) <= provider.input_bound(Prompt(None, text))
        assert provider.input_bound(Prompt(text, text)) > provider.input_bound(Prompt(None, text))
    asyncio.run(provider.close())


# Constrained calls (the way of whole runs: tests/simulation/test_constrained_runs.py) ---------------------------------


def responses(*output: dict[str, Any], **more: Any) -> dict[str, Any]:
    usage = {"input_tokens": 11, "output_tokens": 7, "total_tokens": 18, "input_tokens_details": {"cached_tokens": 4}}
    body = {"id": "r", "object": "response", "created_at": 0, "model": "m", "status": "completed", "output": output}
    return {**body, "parallel_tool_calls": False, "tool_choice": "auto", "tools": [], "usage": usage, **more}


TOOL_CALL = {"type": "custom_tool_call", "id": "c", "call_id": "c", "name": "reply", "input": "next = 1"}
AS_TOOL = {"constrain": "require", "constrain_as": "openai-tool"}


def constrained_request() -> Request:
    return replace(request(), grammar='start: "next = 1"\n')


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("body", "reply"),
    [
        (responses(TOOL_CALL), Reply("next = 1", "stop", 7)),
        (
            responses(TOOL_CALL, status="incomplete", incomplete_details={"reason": "max_output_tokens"}),
            Reply("next = 1", "length", 7),
        ),
        (responses(status="incomplete", incomplete_details={"reason": "content_filter"}), Reply("", "filtered", 7)),
        (responses(), Reply("", "other", 7)),
    ],
)
def test_the_input_of_the_tool_is_the_reply(body: dict[str, Any], reply: Reply) -> None:
    outcome, server = completed(says(body), constrained_request(), **AS_TOOL)
    assert outcome == Completion((reply,), Usage(11, 7, 4))
    (sent,) = server.bodies
    assert sent["max_output_tokens"] == 50
    assert sent["temperature"] == 0.1
    assert sent["tools"][0]["format"]["definition"] == 'start: "next = 1"\n'
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("handler", "kind"),
    [(fails(401), "bad_key"), (fails(500), "server_error"), (says({"object": "x"}), "broken_reply")],
)
def test_constrained_calls_fail_in_the_same_words(handler: Handler, kind: str) -> None:
    outcome, _ = call(handler, constrained_request(), **AS_TOOL)
    assert isinstance(outcome, ProviderError)
    assert outcome.kind == kind
    assert KEY not in str(outcome)


def test_what_a_profile_says_beside_the_grammar_is_sent_too() -> None:
    params = {"extra_body": {"top_k": 20}}
    settings = {"constrain": "prefer", "constrain_as": "vllm", "params": params}
    _, server = completed(says(answer(choice("x"))), constrained_request(), **settings)
    assert server.bodies[0]["top_k"] == 20
    assert server.bodies[0]["structured_outputs"] == {"grammar": 'start: "next = 1"\n'}
    assert params == {"extra_body": {"top_k": 20}}
    _, server = completed(says(answer(choice("x"))), request(), **settings)
    assert "structured_outputs" not in server.bodies[0]


def test_a_package_that_tools_need_is_missed_before_the_first_call(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maker_dsl.providers.litellm_port.find_spec", lambda _name: None)
    path = tmp_path / "mine.toml"
    path.write_text('model = "openai/gpt-5-mini"\nconstrain = "prefer"\nconstrain_as = "openai-tool"\n')
    found = load_profile(str(path), [], [], {}, Problems())
    assert found is not None
    with pytest.raises(ProfileError) as raised:
        open_provider(found, cast(Task, None), 0, {})
    diagnostic = raised.value.diagnostic
    assert (diagnostic.code, diagnostic.primary.span.text) == ("MK616", '"openai-tool"')
    assert diagnostic.help == "install it: `pip install 'maker-dsl[openai-tool]'`"


@pytest.mark.parametrize(
    ("model", "is_hindered"),
    [
        ("openai/gpt-4.1-mini", False),
        ("ollama_chat/llama3.2", False),
        ("anthropic/claude-sonnet-4-5", False),
        ("anthropic/claude-3-5-haiku-latest", True),
        ("gemini/gemini-2.5-flash-lite", False),
        ("gemini/gemini-1.5-flash", True),
        ("groq/llama-3.3-70b-versatile", True),
        ("hosted_vllm/qwen", False),
    ],
)
def test_a_schema_in_the_prompt_or_in_a_tool_is_no_constraint(model: str, is_hindered: bool) -> None:
    provider = open_litellm(
        profile("http://localhost:1", model=model, constrain="prefer", constrain_as="json-schema"), ENVIRON
    )
    assert provider.constrain is not None
    assert (provider.constrain.hindrance is not None) == is_hindered
    asyncio.run(provider.close())
