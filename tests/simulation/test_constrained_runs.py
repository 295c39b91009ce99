"""Constrained runs the whole way: a profile, LiteLLM, a server that enforces, ignores or refuses, the journal.

What is compared is what the server received. Loads LiteLLM.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from exports_lab import llguidance_recogniser, schema_recogniser
from gbnf_reader import recogniser as gbnf_recogniser

from maker_dsl.api import loads
from maker_dsl.choosing import ProviderChoice
from maker_dsl.engine.inspection import read_status
from maker_dsl.engine.records import ConstraintRecord
from maker_dsl.engine.report import RunReport
from maker_dsl.engine.settings import RunOptions, SettingsRefused
from maker_dsl.engine.start import begin_run
from maker_dsl.journal import RealDisk, list_runs
from maker_dsl.providers.constraint import TARGETS, ConstrainMode, Dialect
from maker_dsl.simulation.rates import Rates
from maker_dsl.simulation.server import create_app
from maker_dsl.simulation.server.grammars import Handling
from maker_dsl.task import Step, Target, Task

pytestmark = [pytest.mark.long, pytest.mark.filterwarnings("ignore")]

LINE = """
task pairs {
  state { n: int in 0..100 = 2 }
  done when n == 0
  result { n = n }
  step down {
    prompt "The number is {{ n }}. Subtract one. {{ reply.format }}"
    reply "next = {value: int in 0..100}" whole
    update { n = reply.value }
  }
  reference down { value = n - 1 }
}
"""
OBJECT = LINE.replace('reply "next = {value: int in 0..100}" whole', "reply json { value: int in 0..100 }")
THINKING = LINE.replace('}" whole', '}" then format with "small"')

PROFILE = """
model = "{model}"
api_base = "{base}"
max_tokens = 200
constrain = "{mode}"
constrain_as = "{dialect}"
[retry]
attempts = 2
"""


@dataclass
class Wire:
    """How LiteLLM gets to a format of the server."""

    model: str
    path: str


WIRES = {
    "openai": Wire("openai/sim", "/v1"),
    "ollama": Wire("ollama_chat/sim", ""),
    "anthropic": Wire("anthropic/claude-sonnet-4-5", ""),
    "anthropic-old": Wire("anthropic/claude-3-5-haiku-latest", ""),
    "gemini": Wire("gemini/gemini-2.5-flash-lite", "/v1beta"),
}


class Seen:
    """A run, and all bodies that the server received."""

    def __init__(
        self,
        folder: Path,
        dialect: Dialect,
        grammars: Handling = "enforce",
        mode: ConstrainMode = "prefer",
        *,
        text: str = LINE,
        wire: str = "openai",
        rates: Rates | None = None,
    ) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.task: Task = loads(text)
        self._folder = folder
        self._profile = PROFILE.replace("{mode}", mode).replace("{dialect}", dialect)
        self._wire = WIRES[wire]
        self._names = ("small",) if text == THINKING else ()
        self.report: RunReport = asyncio.run(self._run(grammars, rates or Rates()))

    async def _run(self, grammars: Handling, rates: Rates) -> RunReport:
        @web.middleware
        async def watching(
            request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
        ) -> web.StreamResponse:
            self.bodies.append(json.loads(await request.read()))
            return await handler(request)

        app = create_app(self.task, rates, 1, grammars=grammars)
        app.middlewares.append(watching)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        base = f"http://127.0.0.1:{runner.addresses[0][1]}{self._wire.path}"
        path = self._folder / "mine.toml"
        path.write_text(self._profile.replace("{model}", self._wire.model).replace("{base}", base))
        try:
            setup = ProviderChoice(str(path), (), dict.fromkeys(self._names, str(path))).open(self.task, 1)
            return await begin_run(self.task, setup, RunOptions(seed=1), self._folder / "runs").go()
        finally:
            await runner.cleanup()

    @property
    def records(self) -> tuple[ConstraintRecord, ...]:
        (directory,) = list_runs(self._folder / "runs", RealDisk())
        return read_status(directory).constraints

    def export(self, target: Target) -> str:
        (step,) = self.task.steps
        assert isinstance(step, Step)
        return step.reply.export(target)


RECOGNISERS = {"gbnf": gbnf_recogniser, "llguidance": llguidance_recogniser, "json-schema": schema_recogniser}
PLACES: dict[Dialect, Callable[[dict[str, Any]], Any]] = {
    "llama.cpp": lambda body: body.get("grammar"),
    "vllm": lambda body: body.get("structured_outputs", {}).get("grammar"),
    "sglang": lambda body: body.get("ebnf"),
    "fireworks": lambda body: body.get("response_format", {}).get("grammar"),
    "openai-tool": lambda body: body["tools"][0]["format"]["definition"] if body.get("tools") else None,
    "json-schema": lambda body: body.get("response_format", {}).get("json_schema", {}).get("schema"),
}
SCHEMA_PLACES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "ollama": lambda body: body.get("format"),
    "anthropic": lambda body: body.get("output_format", {}).get("schema"),
    "gemini": lambda body: body["generationConfig"].get("response_json_schema"),
}


def text_of(dialect: Dialect) -> str:
    return OBJECT if dialect == "json-schema" else LINE


@pytest.mark.parametrize("dialect", list(TARGETS))
def test_an_enforcing_server_gets_the_export_of_the_step_with_every_call(dialect: Dialect, tmp_path: Path) -> None:
    seen = Seen(tmp_path, dialect, mode="require", text=text_of(dialect), rates=Rates(malformed=0.5))
    assert (seen.report.status, dict(seen.report.flags)) == ("done", {})
    assert [(record.enforced, record.why) for record in seen.records] == [(True, None)]
    found = [PLACES[dialect](body) for body in seen.bodies]
    target = TARGETS[dialect]
    export = seen.export(target)
    assert found[0] != found[1]
    assert len(found) == 1 + seen.report.samples
    for each in found[1:]:
        assert each == (json.loads(export) if target == "json-schema" else export)
    accepts = RECOGNISERS[target](export)
    right, wrong = ('{"value": 1}', '{"value": 101}') if target == "json-schema" else ("next = 1", "next = 101")
    assert accepts(right)
    assert not accepts(wrong)
    assert not accepts(f"Let me see.\n{right}")


@pytest.mark.parametrize("dialect", list(TARGETS))
@pytest.mark.parametrize("grammars", ["ignore", "refuse"])
def test_without_enforcement_a_preferred_constraint_is_left_out(
    dialect: Dialect, grammars: Handling, tmp_path: Path
) -> None:
    seen = Seen(tmp_path, dialect, grammars, text=text_of(dialect))
    assert seen.report.status == "done"
    found = [PLACES[dialect](body) for body in seen.bodies]
    assert found[0] is not None
    assert set(found[1:]) == {None}
    (record,) = seen.records
    assert record.why is not None
    assert record.why.startswith(
        "it answered “Hello!”, which the grammar" if grammars == "ignore" else "it refuses the request: the server"
    )


@pytest.mark.parametrize("dialect", list(TARGETS))
def test_without_enforcement_a_required_constraint_stops_the_run_at_the_proof(dialect: Dialect, tmp_path: Path) -> None:
    seen = Seen(tmp_path, dialect, "ignore", "require", text=text_of(dialect))
    assert (seen.report.status, seen.report.samples, len(seen.bodies)) == ("failed", 0, 1)
    assert seen.report.reason is not None
    assert "does not enforce grammars: it answered “Hello!”" in seen.report.reason


@pytest.mark.parametrize("wire", list(SCHEMA_PLACES))
@pytest.mark.parametrize("grammars", ["enforce", "ignore"])
def test_schemas_reach_the_other_formats(wire: str, grammars: Handling, tmp_path: Path) -> None:
    seen = Seen(tmp_path, "json-schema", grammars, text=OBJECT, wire=wire)
    assert seen.report.status == "done"
    assert [record.enforced for record in seen.records] == [grammars == "enforce"]
    found = [SCHEMA_PLACES[wire](body) for body in seen.bodies]
    assert found[0]["properties"]["number"]["enum"]
    for each in found[1:]:
        # LiteLLM leaves out of a schema what a server is known not to take, such as bounds of numbers.
        assert (None if grammars == "ignore" else ["value"]) == (each and each["required"])


def test_a_schema_that_litellm_only_shows_to_the_model_is_no_constraint_and_costs_no_proof(tmp_path: Path) -> None:
    seen = Seen(tmp_path, "json-schema", text=OBJECT, wire="anthropic-old")
    assert seen.report.status == "done"
    (record,) = seen.records
    assert record.why == "LiteLLM shows a schema to this model and has nobody hold it to that"
    assert len(seen.bodies) == seen.report.samples
    assert not any("tools" in body for body in seen.bodies)


def test_a_member_that_litellm_or_the_server_drops_proves_nothing(tmp_path: Path) -> None:
    for wire in ("anthropic", "gemini", "ollama"):
        folder = tmp_path / wire
        folder.mkdir()
        seen = Seen(folder, "vllm", wire=wire)
        assert seen.report.status == "done"
        assert [record.enforced for record in seen.records] == [False], wire


def test_a_thought_is_free_and_its_form_constrained(tmp_path: Path) -> None:
    seen = Seen(tmp_path, "vllm", mode="require", text=THINKING)
    assert seen.report.status == "done"
    proof, *found = [PLACES["vllm"](body) for body in seen.bodies]
    assert proof is not None
    assert set(found) == {None, seen.export("gbnf")}
    assert found.count(None) == seen.report.samples


def test_a_required_form_that_cannot_be_written_is_refused_without_a_call(tmp_path: Path) -> None:
    with pytest.raises(SettingsRefused) as refused:
        Seen(tmp_path, "json-schema", mode="require", text=LINE)
    assert [one.code for one in refused.value.diagnostics] == ["MK558"]


def test_transport_faults_and_cut_off_replies_are_what_they_were(tmp_path: Path) -> None:
    seen = Seen(tmp_path, "openai-tool", mode="require", rates=Rates(truncated=0.3, error_500=0.1))
    assert seen.report.status == "done"
    assert set(seen.report.flags) <= {"truncated", "parse", "locate"}
    assert seen.report.flags["truncated"] > 0
