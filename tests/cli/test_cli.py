"""The command line as people meet it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from transcript import check_transcript, run_maker

from maker_dsl.api import status as read_status
from maker_dsl.cli import app
from maker_dsl.journal.errors import JournalError

CASES = sorted((Path(__file__).parent / "cases").glob("*.md"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_transcript_is_what_comes(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MAKER_PROVIDER", raising=False)
    check_transcript(path, tmp_path, update=bool(request.config.getoption("--update-golden")))


def test_help_lists_every_command_with_the_words_of_its_own_help() -> None:
    output, code = run_maker(["--help"])
    assert code == 0
    for name, (_, line) in app.COMMANDS.items():
        assert name in output
        own, code = run_maker([name, "--help"])
        assert code == 0
        assert own.startswith(f"Usage: maker {name}")
        assert line in " ".join(output.split())
        assert line.split(",")[0].rstrip(".").split()[0] in own


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["check", "countdown"],
        ["check", "countdown", "--provider", "openai"],
        ["test", "countdown"],
        ["show", "hanoi", "prompt"],
    ],
)
def test_litellm_is_not_loaded_before_a_provider_is_opened(arguments: list[str], tmp_path: Path) -> None:
    script = (
        "import sys\nfrom maker_dsl.cli.app import run\n"
        f"code = run({arguments!r})\nassert code == 0, code\n"
        "assert not any(name.split('.')[0] in ('litellm', 'openai', 'aiohttp', 'httpx') for name in sys.modules)\n"
    )
    found = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr


def test_json_of_a_run_is_one_object_with_the_documented_members(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = subprocess.run(
        [sys.executable, "-m", "maker_dsl", "run", "countdown", "--json"], capture_output=True, text=True, check=True
    )
    lines = found.stdout.splitlines()
    assert len(lines) == 1
    report = json.loads(lines[0])
    assert set(report) >= {
        *("run", "status", "reason", "steps", "samples", "votes", "flags", "retries", "tokens", "cost_usd"),
        *("seconds", "result"),
    }
    assert set(report["tokens"]) == {"input", "output"}
    assert report["status"] == "done"
    assert report["result"] == {"n": 0}


def test_quiet_prints_nothing_but_the_result(tmp_path: Path) -> None:
    found = subprocess.run(
        [sys.executable, "-m", "maker_dsl", "run", "countdown", "--quiet"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert (found.stdout, found.stderr) == ("n = 0\n", "")


def wait_for_steps(runs: Path) -> None:
    """Wait until a run of another process has decided steps."""
    for _ in range(600):
        with suppress(JournalError):
            if read_status("last", runs=runs).progress.steps:
                return
        time.sleep(0.05)
    raise AssertionError("no run began")


def test_ctrl_c_stops_cleanly_and_the_line_that_it_prints_goes_on(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "maker_dsl", "run", "hanoi", "--set", "disks=12", "--override", "simulate.latency=0.01"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for_steps(tmp_path / "runs")
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    line = next(line for line in errors.splitlines() if "maker resume " in line)
    words = line[line.index("maker resume ") :].split()[1:]
    again = subprocess.run(
        [sys.executable, "-m", "maker_dsl", *words, "--json", "--override", "simulate.latency=0"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    report = json.loads(again.stdout)
    assert (report["status"], report["steps"]) == ("done", 4095)
    verified = subprocess.run(
        [sys.executable, "-m", "maker_dsl", "verify"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "0 decisions differ" in verified.stdout


def test_a_second_process_is_refused_with_the_pid_of_the_first(tmp_path: Path) -> None:
    first = subprocess.Popen(
        [sys.executable, "-m", "maker_dsl", "run", "countdown", "--override", "simulate.latency=30"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
    )
    try:
        runs = tmp_path / "runs"
        for _ in range(600):
            if any(runs.glob("*/journal/*")):
                break
            time.sleep(0.05)
        second = subprocess.run(
            [sys.executable, "-m", "maker_dsl", "resume", "last"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert second.returncode == 1
        assert str(first.pid) in second.stderr
        status = subprocess.run(
            [sys.executable, "-m", "maker_dsl", "status"], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        assert f"running (process {first.pid})" in status.stdout
        first.kill()
        os.waitid(os.P_PID, first.pid, os.WEXITED | os.WNOWAIT)  # dead, and not yet taken note of
        output, _ = run_maker(["status", "--runs", str(runs)])
        assert ": killed" in output
        assert "of work" not in output  # nobody knows how long it has worked
    finally:
        first.kill()
        first.communicate()


def test_a_bug_of_ours_is_called_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("maker_dsl.cli.check.check_file", lambda name: 1 // 0)
    output, code = run_maker(["check", "countdown"])
    assert code == 70
    assert "bug of ours" in output
    assert "Traceback" not in output


@pytest.mark.parametrize("closing", [">&-", "2>&-", "<&-", "| true"])
def test_a_stream_that_nobody_listens_to_is_no_bug(closing: str, tmp_path: Path) -> None:
    command = f"{sys.executable} -m maker_dsl check countdown hanoi {closing}; exit ${{PIPESTATUS[0]}}"
    found = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr


def test_an_output_that_takes_nothing_more_is_said(tmp_path: Path) -> None:
    command = f"{sys.executable} -m maker_dsl show hanoi prompt > /dev/full"
    found = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (1, "the output can't be written: No space left on device\n")


def test_a_reply_that_begins_as_an_option_does_goes_after_two_dashes(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["validate", "--grammar", "list", "--", "- a"]) == 0
    assert capsys.readouterr().out == 'accept\n  value.items = ["a"]\n'
    assert app.run(["validate", "countdown", "-5"]) == 3
    assert "after `--`" in capsys.readouterr().err


LARGE = """task large {
  state { n: int in 0..10**100 = 10**99 }
  done when n == 10**99 + 1
  step {
    prompt "{{ n }} {{ reply.format }}"
    reply json { v: int in 0..10**100 }
    update { n = reply.v }
  }
  reference { v = n + 1 }
}
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "large.maker", "--quiet"],
        ["run", "large.maker", "--quiet", "--json"],
        ["show", "large.maker", "schema"],
        ["show", "large.maker", "schema", "--json"],
        ["show", "large.maker", "grammar", "--target", "json-schema"],
        ["show", "large.maker", "grammar", "--target", "json-schema", "--json"],
        ["validate", "large.maker", '{"v": 1' + "0" * 99 + "}", "--json"],
    ],
)
def test_ints_of_any_length_are_printed(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "large.maker").write_text(LARGE)
    assert app.run(arguments) == 0
    assert "1" + "0" * 98 in capsys.readouterr().out


def test_a_profile_without_end_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["run", "countdown", "--provider", "/dev/zero", "--runs", str(tmp_path)]) == 2
    assert "larger than 1,000,000 bytes" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["fmt", "/dev/zero"], 2),
        (["validate", "countdown", "@/dev/zero"], 3),
        (["run", "countdown", "--set", "start=@/dev/zero"], 3),
        (["show", "countdown", "prompt", "--state", "@/dev/zero"], 3),
    ],
)
def test_a_file_without_end_is_refused(
    arguments: list[str], code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("maker_dsl.cli.files.MAX_BYTES", 1_000_000)
    assert app.run(arguments) == code
    assert "it is larger than 1,000,000 bytes" in capsys.readouterr().err


def test_a_count_that_re2_takes_for_a_text_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "large.maker"
    file.write_text(
        LARGE.replace("json { v: int in 0..10**100 }", "json { v: int, t: string up to 10**9 }").replace(
            "{ v = n + 1 }", '{ v = n + 1; t = "" }'
        )
    )
    assert app.run(["show", str(file), "grammar", "--target", "regex"]) == 1
    assert "counts higher than RE2 can" in capsys.readouterr().err
