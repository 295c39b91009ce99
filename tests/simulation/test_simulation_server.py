"""The simulated model over HTTP, with a plain client."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from simulation_lab import countdown

from maker_dsl.providers.port import PermanentError
from maker_dsl.simulation.model import SimulatedModel
from maker_dsl.simulation.rates import Rates
from maker_dsl.simulation.server import SimulationServer, create_app
from maker_dsl.simulation.server.places import Places, digest_prompt
from maker_dsl.task import Prompt, State, Task

SYSTEM = "You count down."


class Client:
    """Speaks the OpenAI format unless told otherwise."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url

    async def post(self, path: str, body: object) -> tuple[int, Any, str | None]:
        async with self._session.post(self._url + path, json=body) as response:
            return response.status, await response.json(), response.headers.get("Retry-After")

    async def get(self, path: str) -> Any:
        async with self._session.get(self._url + path) as response:
            return await response.json()

    async def ask(self, number: int, **more: object) -> tuple[int, Any, str | None]:
        return await self.post("/v1/chat/completions", {"model": "sim", "messages": messages(number), **more})

    async def texts(self, number: int, **more: object) -> list[str]:
        status, body, _ = await self.ask(number, **more)
        assert status == 200, body
        return [choice["message"]["content"] for choice in body["choices"]]


def user(n: int) -> str:
    return f"The number is {n}. Subtract one."


def messages(n: int) -> list[dict[str, str]]:
    return [{"role": "system", "content": SYSTEM}, {"role": "user", "content": user(n)}]


def against(
    rates: Rates, use: Callable[[Client], Awaitable[None]], *, task: Task | None = None, log: Path | None = None
) -> None:
    """Run `use` with a client of a server of its own."""

    async def main() -> None:
        async with (
            SimulationServer(task or countdown(20), rates, log=log) as server,
            aiohttp.ClientSession() as session,
        ):
            await use(Client(session, server.url))

    asyncio.run(main())


def test_openai_chat_completions() -> None:
    async def use(client: Client) -> None:
        status, body, _ = await client.ask(20, n=3, max_tokens=750)
        assert status == 200
        assert body["object"] == "chat.completion"
        assert [(c["index"], c["finish_reason"]) for c in body["choices"]] == [(0, "stop"), (1, "stop"), (2, "stop")]
        assert body["choices"][2]["message"]["content"] == "next = 19"
        assert body["usage"]["prompt_tokens"] == 12
        assert body["usage"]["completion_tokens"] == 9
        assert (await client.ask(20, max_completion_tokens=1))[1]["choices"][0]["finish_reason"] == "length"
        assert (await client.get("/v1/models"))["data"][0]["id"] == "sim"

    against(Rates(), use)


def test_anthropic_messages() -> None:
    async def use(client: Client) -> None:
        asked = {"role": "user", "content": [{"type": "text", "text": user(20)}]}
        call = {"model": "claude-sim", "max_tokens": 750, "system": SYSTEM, "messages": [asked]}
        status, body, _ = await client.post("/v1/messages", call)
        assert status == 200
        assert body["content"] == [{"type": "text", "text": "next = 19"}]
        assert (body["stop_reason"], body["usage"]["input_tokens"], body["usage"]["output_tokens"]) == (
            "end_turn",
            12,
            3,
        )
        _, body, _ = await client.post("/v1/messages", {**call, "max_tokens": 1})
        assert body["stop_reason"] == "max_tokens"
        status, body, _ = await client.post("/v1/messages", {"messages": [asked]})
        assert (status, body["error"]["type"]) == (400, "invalid_request_error")

    against(Rates(), use)


def test_gemini_generate_content() -> None:
    async def use(client: Client) -> None:
        call = {
            "contents": [{"role": "user", "parts": [{"text": user(20)}]}],
            "systemInstruction": {"parts": [{"text": SYSTEM}]},
            "generationConfig": {"candidateCount": 2, "maxOutputTokens": 750},
        }
        for prefix in ("/v1beta", "/v1", ""):
            status, body, _ = await client.post(f"{prefix}/models/gemini-sim:generateContent", call)
            assert status == 200
            assert [c["content"]["parts"][0]["text"] for c in body["candidates"]] == ["next = 19"] * 2
            assert body["usageMetadata"]["candidatesTokenCount"] == 6
        joined = {"contents": [{"parts": [{"text": SYSTEM}, {"text": user(20)}]}]}
        status, body, _ = await client.post("/v1beta/models/m:generateContent", joined)
        assert (status, body["candidates"][0]["finishReason"]) == (200, "STOP")

    against(Rates(), use)


def test_ollama_chat() -> None:
    async def use(client: Client) -> None:
        call = {"model": "sim", "messages": messages(20), "stream": False, "options": {"num_predict": 750}}
        status, body, _ = await client.post("/api/chat", call)
        assert status == 200
        assert body["message"] == {"role": "assistant", "content": "next = 19"}
        assert (body["done"], body["done_reason"], body["prompt_eval_count"], body["eval_count"]) == (
            True,
            "stop",
            12,
            3,
        )
        status, body, _ = await client.post("/api/show", {"name": "sim"})
        assert status == 200

    against(Rates(), use)


def test_every_state_that_the_replies_lead_to_is_known() -> None:
    async def use(client: Client) -> None:
        n, wrong = 20, 0
        for _ in range(200):
            if n == 0:
                break
            after = int((await client.texts(n))[0].removeprefix("next = "))
            wrong += after != n - 1
            n = after
        assert n == 0
        assert wrong

    against(Rates(wrong=0.3, seed=3), use)


def test_a_restarted_server_finds_the_state_of_a_resumed_run() -> None:
    async def use(client: Client) -> None:
        assert await client.texts(77) == ["next = 76"]
        assert await client.texts(76) == ["next = 75"]
        assert await client.texts(400) == ["next = 399"]
        assert (await client.get("/maker/stats"))["known_prompts"] < 10

    against(Rates(), use, task=countdown(500))


def test_a_long_search_asks_for_patience_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maker_dsl.simulation.server.places._PATIENCE_S", 0.0)

    async def use(client: Client) -> None:
        answers = [await client.ask(n) for n in (100, 100, 501) for _ in range(25)]
        statuses = [status for status, _, _ in answers]
        assert statuses[0] == 503
        assert answers[0][2] == "1"
        assert "still looking" in answers[0][1]["error"]["message"]
        assert statuses[25:50] == [200] * 25
        assert statuses[50] == 503
        assert statuses[-1] == 400

    against(Rates(), use, task=countdown(500))


def test_a_foreign_prompt_is_refused_with_the_likely_cause() -> None:
    async def use(client: Client) -> None:
        for _ in range(2):
            status, body, _ = await client.ask(501)
            assert status == 400
            assert "belongs to no state of task countdown" in body["error"]["message"]
            assert "--set" in body["error"]["message"]
        assert await client.texts(500) == ["next = 499"]

    against(Rates(), use, task=countdown(500))


def test_known_prompts_are_bounded_and_forgotten_ones_are_found_again() -> None:
    task = countdown(300)

    async def main() -> None:
        places = Places(task, SimulatedModel(task, Rates()), remembered=10)
        for n in range(300, 200, -1):
            places.add({"n": n})
        assert len(places) == 10
        digest = digest_prompt(Prompt(SYSTEM, user(290)))
        assert places.find(digest) is None
        found = await places.search(digest)
        assert found is not None
        assert places.answers(found, digest).right.text == "next = 289"

    asyncio.run(main())


def test_a_prompt_that_hides_part_of_the_state_leads_on_from_all_its_states() -> None:
    task = countdown(30)
    step = task.steps[0]

    def prompts(state: State, local: dict[str, Any]) -> Prompt:
        n = state["n"]
        return Prompt(None, f"The last digit is {n % 10}." if n > 10 else f"Now {n}.")

    hidden = replace(step, render=prompts)
    task = replace(task, steps=(hidden,), next_step=lambda state: hidden)

    async def main() -> None:
        places = Places(task, SimulatedModel(task, Rates()))
        n = 30
        while n:
            digest = digest_prompt(prompts({"n": n}, {}))
            place = places.find(digest)
            assert place is not None
            places.follow(place, places.answers(place, digest).right)
            n -= 1

    asyncio.run(main())


def test_faults_show_on_the_wire() -> None:
    async def refused(client: Client) -> None:
        status, body, retry_after = await client.ask(20)
        assert (status, body["error"]["code"], retry_after) == (429, "rate_limit_exceeded", "1")

    against(Rates(error_429=1, latency="0.01"), refused)

    async def failed(client: Client) -> None:
        for path in ("/v1/messages", "/api/chat"):
            assert (await client.post(path, {"max_tokens": 9, "messages": messages(20)}))[0] == 500

    against(Rates(error_500=1), failed)

    async def dropped(client: Client) -> None:
        with pytest.raises(aiohttp.ClientError):
            await client.ask(20)
        assert (await client.get("/maker/stats"))["outcomes"] == {"dropped": 1}

    against(Rates(dropped=1), dropped)


def test_faults_do_not_change_the_replies() -> None:
    def replies(rates: Rates) -> list[str]:
        texts: list[str] = []

        async def use(client: Client) -> None:
            while len(texts) < 30:
                status, body, _ = await client.ask(20)
                if status == 200:
                    texts.append(body["choices"][0]["message"]["content"])

        against(rates, use)
        return texts

    calm = replies(Rates(wrong=0.4))
    assert replies(Rates(wrong=0.4, error_429=0.3, error_500=0.2)) == calm
    assert len(set(calm)) > 1


def test_equal_rehearsals_write_equal_logs(tmp_path: Path) -> None:
    async def use(client: Client) -> None:
        for n in (20, 19, 18):
            await client.ask(n, n=4)

    logs = [tmp_path / name for name in ("a.jsonl", "b.jsonl")]
    for log in logs:
        against(Rates(wrong=0.3, malformed=0.3), use, log=log)
    lines = [json.loads(line) for line in logs[0].read_text().splitlines()]
    assert [line["n"] for line in lines] == [1, 2, 3]
    assert {kind for line in lines for kind in line["replies"]} >= {"right", "wrong"}
    assert set(lines[0]) == {
        "n",
        "endpoint",
        "prompt",
        "status",
        "outcome",
        "replies",
        "input_tokens",
        "output_tokens",
    }
    assert logs[0].read_bytes() == logs[1].read_bytes()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "not JSON"),
        (b"[]", "not a JSON object"),
        (b"{}", "messages"),
        (b'{"messages": [{"role": "user", "content": 5}]}', "messages[0].content"),
        (b'{"messages": [{"role": "user", "content": [{"type": "image"}]}]}', "text"),
        (b'{"messages": [{"role": "user", "content": "x"}], "n": 0}', "n: expected"),
        (b'{"messages": [{"role": "user", "content": "x"}], "stream": true}', "stream"),
    ],
)
def test_bad_calls_are_refused(body: bytes, message: str) -> None:
    async def main() -> None:
        async with (
            SimulationServer(countdown(20), Rates()) as server,
            aiohttp.ClientSession() as session,
            session.post(server.url + "/v1/chat/completions", data=body) as response,
        ):
            assert response.status == 400
            assert message in (await response.json())["error"]["message"]

    asyncio.run(main())


def test_a_task_without_a_reference_gets_no_server() -> None:
    with pytest.raises(PermanentError):
        create_app(countdown(with_reference=False), Rates())


_SERVE = """
import sys
from pathlib import Path
from simulation_lab import countdown
from maker_dsl.simulation.rates import Rates
from maker_dsl.simulation.server import serve
serve(countdown(20), Rates(), log=Path(sys.argv[1]), announce=lambda url: print(url, flush=True))
print("closed", flush=True)
"""


def test_serving_announces_its_address_and_ends_on_termination(tmp_path: Path) -> None:
    tests = str(Path(__file__).parents[1])
    with subprocess.Popen(
        [sys.executable, "-c", _SERVE, str(tmp_path / "log.jsonl")],
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": tests},
    ) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()

            async def use() -> None:
                async with aiohttp.ClientSession() as session:
                    assert await Client(session, url).texts(20) == ["next = 19"]

            asyncio.run(use())
            process.terminate()
            assert process.stdout.read() == "closed\n"
        finally:
            process.kill()
    assert process.returncode == 0
    assert len((tmp_path / "log.jsonl").read_text().splitlines()) == 1
