"""Constrained decoding as people meet it: what run, status, explain, verify, resume and live tests say of it."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from transcript import mask, run_maker

from maker_dsl.api import load
from maker_dsl.simulation.rates import Rates
from maker_dsl.simulation.server import SimulationServer
from maker_dsl.simulation.server.grammars import Handling

pytestmark = [pytest.mark.long, pytest.mark.filterwarnings("ignore")]

TASK = """task pairs {
  state { n: int in 0..100 = 2 }
  done when n == 0
  result { n = n }
  step down {
    prompt "The number is {{ n }}. Subtract one. {{ reply.format }}"
    reply "next = {value: int in 0..100}" at end
    update { n = reply.value }
  }
  reference down { value = n - 1 }
  test "one less" {
    given { n = 2 }
    reply "next = 1"
    accept
    then n == 1
  }
}
"""
PROFILE = (
    'model = "openai/sim"\napi_base = "{url}/v1"\nmax_tokens = 100\nconstrain = "{mode}"\nconstrain_as = "{dialect}"\n'
)


@contextmanager
def serving(folder: Path, grammars: Handling, mode: str = "prefer", dialect: str = "vllm") -> Iterator[None]:
    """A server in another thread, and a profile for it, `mine.toml`."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    (folder / "pairs.maker").write_text(TASK)
    server = SimulationServer(load(folder / "pairs.maker"), Rates(), grammars=grammars)
    try:
        asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result()
        profile = PROFILE.replace("{url}", server.url).replace("{mode}", mode).replace("{dialect}", dialect)
        (folder / "mine.toml").write_text(profile)
        yield
        asyncio.run_coroutine_threadsafe(server.__aexit__(None, None, None), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MAKER_PROVIDER", raising=False)
    return tmp_path


def maker(folder: Path, *words: str) -> tuple[list[str], int]:
    output, code = run_maker(list(words))
    return mask(output, folder).splitlines(), code


def test_an_enforced_constraint_is_said_at_the_start_and_stands_in_status(folder: Path) -> None:
    with serving(folder, "enforce", "require"):
        lines, code = maker(folder, "run", "pairs.maker", "--provider", "./mine.toml")
    assert code == 0
    told = "mine (openai/sim) enforces grammars (vllm): replies are constrained"
    assert lines.count(told) == 1
    assert lines[-1] == "n = 0"
    lines, _ = maker(folder, "status")
    assert "  replies constrained (vllm): the server enforces grammars" in lines
    output, _ = run_maker(["status", "--json"])
    assert json.loads(output)["constraints"] == [
        {"profile": "", "dialect": "vllm", "mode": "require", "enforced": True, "why": None, "step": None}
    ]
    assert maker(folder, "verify", "last")[1] == 0
    lines, code = maker(folder, "explain", "last", "1")
    assert code == 0
    assert not any("proof" in line for line in lines)


def test_a_preferred_constraint_that_is_not_to_be_had_is_said_once(folder: Path) -> None:
    with serving(folder, "ignore"):
        lines, code = maker(folder, "run", "pairs.maker", "--provider", "./mine.toml")
        again, _ = maker(folder, "run", "pairs.maker", "--provider", "./mine.toml", "--json", "--quiet")
    assert code == 0
    why = "it answered “Hello!”, which the grammar does not allow"
    told = f"mine (openai/sim) does not enforce grammars ({why}): replies are not constrained"
    assert lines.count(told) == 1
    assert len(again) == 1
    assert f"  replies not constrained (vllm): {why}" in maker(folder, "status")[0]


def test_a_required_constraint_that_is_not_to_be_had_stops_and_can_be_given_up(folder: Path) -> None:
    with serving(folder, "refuse", "require"):
        lines, code = maker(folder, "run", "pairs.maker", "--provider", "./mine.toml")
        assert code == 1
        (failed,) = [line for line in lines if line.startswith("failed: ")]
        assert failed == (
            "failed: mine (openai/sim) does not enforce grammars: it refuses the request: the server answered 400: "
            "grammars are not supported (simulated); see whether `constrain_as` fits the server, or go on without: "
            "`--override constrain=prefer`"
        )
        assert any(line.startswith("go on with: maker resume pairs-") for line in lines)
        lines, code = maker(folder, "resume", "last", "--override", "constrain=prefer")
        assert (code, lines[-1]) == (0, "n = 0")


def test_a_required_form_that_can_not_be_written_is_a_finding(folder: Path) -> None:
    with serving(folder, "enforce", "require", "json-schema"):
        lines, code = maker(folder, "run", "pairs.maker", "--provider", "./mine.toml")
    assert code == 2
    title = "the replies of step `down` can't be constrained as `json-schema`: the reply is not a JSON object"
    assert f"error[MK558]: {title}" in lines
    assert not (folder / "runs").exists()


@pytest.mark.parametrize(("grammars", "code"), [("enforce", 0), ("ignore", 2)])
def test_live_tests_are_constrained_too(folder: Path, grammars: Handling, code: int) -> None:
    with serving(folder, grammars, "require"):
        lines, found = maker(folder, "test", "pairs.maker", "--provider", "./mine.toml")
    assert found == code
    text = "\n".join(lines)
    assert ("enforces grammars (vllm)" if code == 0 else "does not enforce grammars: it answered “Hello!”") in text
