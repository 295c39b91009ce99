"""A report looked at in a real browser: on a desk, on a phone, in the dark and on paper."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from engine_lab import countdown, load_countdown
from report_lab import hostile, run_of

from maker_dsl.providers.port import Price
from maker_dsl.reporting.gathering import gather
from maker_dsl.reporting.page import page

VIEWER = Path(__file__).resolve().parents[1] / "page_viewer.py"
DARK = "--blink-settings=preferredColorScheme=0"


@dataclass(frozen=True)
class Seen:
    """What the browser made of a page."""

    measured: dict[str, Any]
    picture: bytes
    pdf: bytes


@pytest.fixture(scope="module")
def hostile_page() -> str:
    """The report of a run whose replies would rather be a page, and of the same run beside itself."""
    facts = gather(run_of(countdown(30), hostile, price=Price(2.0, 8.0)), load_countdown())
    return page([facts, facts])


def look(text: str, folder: Path, wide: int, high: int, *flags: str) -> Seen:
    path, picture, pdf = folder / "report.html", folder / "report.png", folder / "report.pdf"
    path.write_text(text, encoding="utf-8")
    flags = ("--no-sandbox", "--disable-gpu", *flags)
    environment = {
        **os.environ,
        "HOME": str(folder),
        "XDG_RUNTIME_DIR": str(folder),
        "QTWEBENGINE_CHROMIUM_FLAGS": " ".join(flags),
    }
    command = [sys.executable, str(VIEWER), str(path), str(picture), str(pdf), str(wide), str(high)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, check=False)
    lines = done.stdout.splitlines()
    if done.returncode == 77:
        pytest.skip(f"there is no browser here: {lines[-1]}")
    assert done.returncode == 0, done.stderr
    return Seen(json.loads(lines[0]), picture.read_bytes(), pdf.read_bytes())


@pytest.mark.long
@pytest.mark.parametrize(("wide", "high"), [(1200, 900), (360, 740)], ids=["desk", "phone"])
def test_a_browser_shows_the_page_and_nothing_in_it_runs(
    hostile_page: str, wide: int, high: int, tmp_path: Path
) -> None:
    seen = look(hostile_page, tmp_path, wide, high)
    found = seen.measured
    assert found["ready"] == "complete"
    assert found["title"].startswith("countdown-")
    assert (found["hacked"], found["scripts"], found["loaded"]) == (False, 0, 0)
    assert found["wide"] <= found["window"] == wide, "nothing sticks out at the side"
    assert len(found["plots"]) == 5
    assert all(0.35 * wide < width < wide for width in found["plots"])
    assert found["text"] > 5_000
    assert found["background"] == "rgb(255, 255, 255)"
    assert seen.picture.startswith(b"\x89PNG")
    assert len(seen.picture) > 10_000, "there is something to see"
    assert seen.pdf.startswith(b"%PDF")
    assert seen.pdf.count(b"/Type /Page\n") > 2


@pytest.mark.long
def test_it_is_dark_where_people_like_it_dark(hostile_page: str, tmp_path: Path) -> None:
    assert look(hostile_page, tmp_path, 800, 600, DARK).measured["background"] == "rgb(13, 17, 23)"


@pytest.mark.long
def test_the_browser_would_run_and_show_what_a_careless_page_had(tmp_path: Path) -> None:
    careless = "<!DOCTYPE html><title>x</title><svg></svg><script>window.hacked = 1</script><p style='width: 900px'>x"
    found = look(careless, tmp_path, 360, 740).measured
    assert found["hacked"]
    assert found["scripts"] == 1
    assert found["wide"] > found["window"]
