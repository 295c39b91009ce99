"""`maker plan` and `maker calibrate` beyond their transcripts."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from transcript import run_maker

from maker_dsl.cli.plan_picture import plan_svg
from maker_dsl.cli.plan_text import share_text, time_text, usd_text
from maker_dsl.engine.planning import Model, make_plan


def test_the_picture_is_xml_of_its_own_with_all_models_and_margins() -> None:
    plans = [
        make_plan(Model("one & <two>", 0.99, 0.99, cost_usd=0.01), 10**6, 0.95),
        make_plan(Model("three\x00", 1.0, 1.0), 1, 0.5),
    ]
    picture = plan_svg(plans)
    root = ElementTree.fromstring(picture)
    texts = [element.text or "" for element in root.iter() if element.tag.endswith("text")]
    assert "one & <two>" in texts
    bars = [element for element in root.iter() if element.get("class") in ("bar", "chosen")]
    assert len(bars) == sum(len(plan.rows) for plan in plans)
    assert sum(element.get("class") == "chosen" for element in bars) == len(plans)
    assert not re.search(r"<script|href|url\(|@import|https?://(?!www\.w3\.org/2000/svg)", picture)
    width = float(root.get("width") or 0)
    assert all(float(bar.get("x") or 0) + float(bar.get("width") or 0) < width for bar in bars)


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "0 %"),
        (1.0, "100 %"),
        (0.95, "95.00 %"),
        (0.99999, "99.9990 %"),
        (1 - 1e-9, "99.99999990 %"),
        (0.123, "12.3 %"),
        (1e-9, "1.0e-07 %"),
    ],
)
def test_a_share_is_never_rounded_up_to_all(share: float, text: str) -> None:
    assert share_text(share) == text


def test_what_is_nearest_to_all_is_not_all() -> None:
    assert share_text(1 - 2**-53) not in ("100 %", share_text(1.0))


def test_times_and_amounts_are_readable() -> None:
    times = [None, 0, 0.085, 31, 840, 7500, 190_000]
    assert [time_text(one) for one in times] == ["-", "0 s", "85 ms", "31 s", "14 min", "2 h 5 min", "2 d 5 h"]
    assert [usd_text(one) for one in (None, 0.0, 0.0001234, 1234.5)] == ["-", "$0.00", "$0.0001234", "$1,234.50"]


def test_a_calibration_s_json_is_what_its_file_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    output, code = run_maker(["calibrate", "hanoi", "--set", "disks=4", "--json", "-o", "c.json"])
    assert code == 0
    printed = json.loads(next(line for line in output.splitlines() if line.startswith("{")))
    assert printed.pop("stopped_early") is False
    assert printed == json.loads((tmp_path / "c.json").read_text())
    output, code = run_maker(["plan", "c.json", "--json"])
    assert code == 0
    plan = json.loads(output)
    assert plan["steps"] == 15
    assert {"margin", "success", "votes_per_step", "calls", "cost_usd"} <= set(plan)
    assert plan["models"][0]["p_low"] == printed["p"]["low"]


def test_the_same_seed_asks_the_same_states(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    asked = ["calibrate", "hanoi", "--set", "disks=6", "--states", "5", "--json", "--seed"]
    one, again, other = (run_maker([*asked, seed])[0].splitlines()[-1] for seed in ("1", "1", "2"))
    assert json.loads(one) == json.loads(again)
    assert [state["state"] for state in json.loads(one)["states"]] != [
        state["state"] for state in json.loads(other)["states"]
    ]


def test_a_file_that_can_t_be_written_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    output, code = run_maker(["plan", "--steps", "1", "--error-rate", "0.1", "-o", "no/where.svg"])
    assert (code, "can't be written" in output) == (1, True)
    output, code = run_maker(["calibrate", "countdown", "-o", "no/where.json"])
    assert (code, "can't be written" in output) == (1, True)


def test_a_plan_loads_no_provider(tmp_path: Path) -> None:
    script = (
        "import sys\nfrom maker_dsl.cli.app import run\n"
        "assert run(['plan', '--steps', '10', '--error-rate', '0.1']) == 0\n"
        "assert not any(name.split('.')[0] in ('litellm', 'openai', 'aiohttp', 'httpx') for name in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=tmp_path, capture_output=True, timeout=60)
