"""Two servers as two profiles of one run: wordings, a step's own profile and the second call, the whole way."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from maker_dsl.api import loads
from maker_dsl.choosing import ProviderChoice
from maker_dsl.engine.inspection import read_events
from maker_dsl.engine.records import CallRecord, RunRecord
from maker_dsl.engine.report import RunReport
from maker_dsl.engine.settings import RunOptions
from maker_dsl.engine.start import begin_run
from maker_dsl.engine.verification import verify_run
from maker_dsl.journal import RealDisk, list_runs
from maker_dsl.simulation.rates import Rates
from maker_dsl.simulation.server import SimulationServer
from maker_dsl.task import Task

TEXT = """
task pairs {
  input start: int in 1..1000 = 6
  state { n: int = start; last: string = "" }
  done when n == 0
  result { n = n }
  step even when n % 2 == 0 {
    with profile "strong"
    prompt "The number is {{ n }}. Subtract one."
    prompt variant "question" "What comes just before {{ n }}?"
    reply "next = {value: int}" then format with "small"
    rule "goes down by one": reply.value == n - 1
    update { n = reply.value; last = reply.text }
  }
  step odd {
    prompt "The number is {{ n }}. Subtract one. {{ reply.format }}"
    prompt variant "sum" "? + 1 = {{ n }} {{ reply.format }}"
    reply "next = {value: int}" whole
    update { n = reply.value }
  }
  reference even { value = n - 1 }
  reference odd { value = n - 1; mistake { value = n - 2 } }
}
"""

PROFILE = """
model = "openai/sim"
api_base = "{url}/v1"
max_tokens = 2000
[price]
input = {price}
output = {price}
"""


def _made_profiles(folder: Path, **servers: tuple[SimulationServer, float]) -> None:
    (folder / "providers").mkdir()
    for name, (server, price) in servers.items():
        text = PROFILE.format(url=server.url, price=price)
        (folder / "providers" / f"{name}.toml").write_text(text)


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")
def test_the_servers_have_seen_what_the_journal_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    task: Task = loads(TEXT)
    rates = Rates(wrong=0.1, malformed=0.05, truncated=0.05, error_500=0.05, agree=1.0)

    async def main() -> RunReport:
        cheap = SimulationServer(task, rates, log=tmp_path / "cheap.jsonl")
        dear = SimulationServer(task, rates, seed=5, log=tmp_path / "dear.jsonl")
        async with cheap, dear:
            _made_profiles(tmp_path, cheap=(cheap, 1.0), dear=(dear, 50.0))
            choice = ProviderChoice("cheap", (), {"strong": "dear", "small": "cheap"})
            setup = choice.open(task, 1)
            assert setup.named["small"].provider is setup.provider
            return await begin_run(task, setup, RunOptions(seed=1), tmp_path / "runs").go()

    report = asyncio.run(main())
    assert (report.status, report.result) == ("done", {"n": 0})
    (directory,) = list_runs(tmp_path / "runs", RealDisk())
    events = list(read_events(directory))
    first = events[0]
    assert isinstance(first, RunRecord)
    assert {name: one.profile["asked"] for name, one in first.profiles.items()} == {"strong": "dear", "small": "cheap"}
    assert (first.policies["even"].profile, first.policies["odd"].profile) == ("strong", None)
    calls = [event for event in events if isinstance(event, CallRecord)]
    logs = {name: _log(tmp_path / f"{name}.jsonl") for name in ("cheap", "dear")}
    assert len(calls) == len(logs["cheap"]) + len(logs["dear"])
    # Thoughts went to the dear one alone, forms and whole answers to the cheap one.
    assert sum(len(call.thoughts) for call in calls) == sum(len(line["replies"]) for line in logs["dear"])
    kinds = Counter(kind for line in logs["cheap"] for kind in line["replies"])
    assert kinds["copied"] > 0
    for name, price in (("cheap", 1.0), ("dear", 50.0)):
        tokens = sum(line["input_tokens"] + line["output_tokens"] for line in logs[name])
        # Only thoughts are asked of the dear server; a call that failed used nothing.
        answered = [call for call in calls if bool(call.thoughts) == (name == "dear")]
        assert sum(call.usage[0] + call.usage[1] for call in answered if call.usage) == tokens
        assert sum(call.cost_usd or 0.0 for call in answered) == pytest.approx(tokens * price / 1e6)
    assert report.cost_usd == pytest.approx(sum(call.cost_usd or 0.0 for call in calls))
    assert {(one.step, one.wording) for one in report.wordings} == {
        ("even", "prompt"),
        ("even", "question"),
        ("odd", "prompt"),
        ("odd", "sum"),
    }
    assert sum(one.samples for one in report.wordings) == report.samples
    found = verify_run(directory, lambda _text, _record: task)
    assert (found.mismatch, found.wrong_steps) == (None, 0)


def _log(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]
