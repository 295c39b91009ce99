"""`maker test` for programs: JSON, JUnit, GitHub, files, exit codes, models over HTTP."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import pytest
from transcript import run_maker

from maker_dsl.cli import github, junit
from maker_dsl.cli.case_report import Case
from maker_dsl.cli.live import percent

GOOD = """
task good {
  state { n: int = 3 }
  done when n == 0
  step {
    prompt "The number is {{ n }}. Subtract one. {{ reply.format }}"
    reply "next = {value: int}"
    rule "goes down": reply.value < n
    update { n = reply.value }
  }
  reference { value = n - 1 }
  test "two follows three" {
    reply "next = 2"
    accept
    then n == 2
  }
  test "four does not" {
    reply "next = 4"
    reject "goes down"
  }
}
"""
FAILING = GOOD.replace("next = 4", "next = 1")
NEVER_RIGHT = ("--override", "simulate.wrong=0", "--override", "simulate.malformed=1")
WRONG = GOOD.replace("done when n == 0", "done when m == 0")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in (("good", GOOD), ("failing", FAILING), ("wrong", WRONG)):
        (tmp_path / f"{name}.maker").write_text(text, encoding="utf-8")
    return tmp_path


def objects(*arguments: str) -> tuple[list[Any], int]:
    output, code = run_maker(["test", *arguments])
    return [json.loads(line) for line in output.splitlines() if line.startswith("{")], code


def test_json_has_an_object_for_each_test(folder: Path) -> None:
    found, code = objects("good.maker", "failing.maker", "--json")
    assert code == 1
    assert found[0] == {"file": "good.maker", "test": "two follows three", "passed": True, "why": ""}
    assert [one["passed"] for one in found] == [True, True, True, False]


def test_a_wrong_file_does_not_keep_the_others_from_being_tested(folder: Path) -> None:
    output, code = run_maker(["test", "wrong.maker", "failing.maker", "good.maker"])
    assert code == 2
    assert "error[MK201]" in output
    assert "FAILED failing.maker: four does not" in output
    assert "3 tests passed, 1 failed" in output


def test_json_of_live_tests_has_rates_and_then_the_providers(folder: Path) -> None:
    found, code = objects("good.maker", "--provider", "simulated", "--repeat", "50", "--seed", "3", "--json")
    assert code == 0
    test, provider = found
    assert (test["file"], test["test"], test["provider"]) == ("good.maker", "two follows three", "simulated")
    assert (test["asked"], test["drawn"]) == (50, 50)
    assert test["right"] + sum(test["flags"].values()) + sum(test["unmet"].values()) == 50
    low, high = test["interval"]
    assert low < test["rate"] <= high
    assert provider["provider"] == "simulated"
    assert (provider["cost_usd"], provider["stopped"], provider["retries"]) == (0.0, None, 0)
    assert provider["tokens"]["input"] > 0


def test_the_same_seed_gives_the_same_rates(folder: Path) -> None:
    arguments = (
        "good.maker",
        "--provider",
        "simulated",
        "--repeat",
        "200",
        "--override",
        "simulate.wrong=0.3",
        "--json",
    )
    one, other, another = (objects(*arguments, "--seed", seed)[0][0] for seed in ("5", "5", "6"))
    assert one == other
    assert one != another


def test_a_model_that_is_never_right_fails_the_test(folder: Path) -> None:
    output, code = run_maker(["test", "good.maker", "--provider", "simulated", "--repeat", "5", *NEVER_RIGHT])
    assert code == 1
    assert "FAILED good.maker: two follows three [simulated]" in output
    assert "no sample was right: " in output


@pytest.mark.parametrize(("at_least", "code"), [("0.2", 0), ("0.999", 1)])
def test_a_rate_can_be_asked_for(folder: Path, at_least: str, code: int) -> None:
    arguments = ["test", "good.maker", "--provider", "simulated", "--repeat", "100", "--at-least", at_least]
    assert run_maker([*arguments, "--override", "simulate.wrong=0.3"])[1] == code


def test_nothing_is_asked_about_a_test_that_fails_by_itself(folder: Path) -> None:
    output, code = run_maker(["test", "good.maker", "failing.maker", "--provider", "simulated"])
    assert code == 1
    assert "1 test failed with the reply that the file gives: no model was asked" in output
    assert "calls" not in output


def test_a_limit_on_money_stops_the_asking(folder: Path) -> None:
    (folder / "priced.toml").write_text(
        'provider = "simulated"\nmax_tokens = 100\n[price]\ninput = 1000.0\noutput = 1000.0\n', encoding="utf-8"
    )
    arguments = ["--provider", "priced.toml", "--repeat", "1000", "--max-cost", "0.3", "--json"]
    found, code = objects("good.maker", *arguments)
    test, provider = found
    assert code == 1
    assert test["drawn"] < 1000
    assert provider["cost_usd"] <= 0.3
    assert "--max-cost" in provider["stopped"]


def test_the_simulated_model_needs_a_reference(folder: Path) -> None:
    (folder / "bare.maker").write_text(GOOD.replace("  reference { value = n - 1 }\n", ""), encoding="utf-8")
    output, code = run_maker(["test", "bare.maker", "--provider", "simulated"])
    assert code == 2
    assert "`reference`" in output


def test_several_tasks_of_a_file_are_all_tested(folder: Path) -> None:
    (folder / "both.maker").write_text(GOOD + FAILING.replace("task good", "task second"), encoding="utf-8")
    output, code = run_maker(["test", "both.maker"])
    assert code == 1
    assert "FAILED both.maker: second: four does not" in output
    assert "3 tests passed, 1 failed" in output


def test_a_report_goes_to_a_file_and_the_text_to_the_screen(folder: Path) -> None:
    output, code = run_maker(["test", "failing.maker", "--format", "github", "-o", "report.txt"])
    assert code == 1
    assert "FAILED failing.maker: four does not" in output
    assert "::error" not in output
    assert (folder / "report.txt").read_text(encoding="utf-8").startswith("::error file=failing.maker,line=17,col=8,")


def test_a_report_that_can_not_be_written_is_told_before_anything_is_run(folder: Path) -> None:
    output, code = run_maker(["test", "failing.maker", "--format", "junit", "-o", "no/where.xml"])
    assert code == 3
    assert output == "--output no/where.xml: the file can't be written: No such file or directory\n"


def test_github_reads_a_command_back_as_it_was() -> None:
    case = Case("a,b.maker", "100 %: x, y", 3, 7, failure="50 % of\nit: a, b\r")
    line = github.render([case, Case("a.maker", "fine"), Case("a.maker", "not asked", skipped="why")])
    assert line.count("\n") == 0
    match = re.fullmatch(r"::error ([^:]*)::(.*)", line)
    assert match is not None

    def unescaped(text: str) -> str:
        for code, character in (("%2C", ","), ("%3A", ":"), ("%0A", "\n"), ("%0D", "\r"), ("%25", "%")):
            text = text.replace(code, character)
        return text

    properties = dict(part.split("=", 1) for part in match[1].split(","))
    assert {name: unescaped(value) for name, value in properties.items()} == {
        "file": "a,b.maker",
        "line": "3",
        "col": "7",
        "title": "maker test: 100 %: x, y",
    }
    assert unescaped(match[2]) == case.failure


# What Jenkins' schema (junit-10.xsd) lets each element have; `error` is what everybody writes beside it.
ATTRIBUTES = {
    "testsuites": {"name", "time", "tests", "failures", "errors"},
    "testsuite": {"name", "tests", "failures", "errors", "time", "skipped", "timestamp", "hostname", "id", "file"},
    "testcase": {"name", "time", "classname", "group"},
    "failure": {"type", "message"},
    "error": {"type", "message"},
    "skipped": {"type", "message"},
    "system-out": set(),
}
CHILDREN = {
    "testsuites": {"testsuite"},
    "testsuite": {"testcase"},
    "testcase": {"skipped", "error", "failure", "system-out"},
}


def require_valid(element: Xml.Element) -> None:
    assert set(element.attrib) <= ATTRIBUTES[element.tag], element.tag
    if element.tag == "testsuite":
        assert {"name", "tests", "failures", "errors"} <= set(element.attrib)
    if "time" in element.attrib:
        assert re.fullmatch(r"[0-9]+\.[0-9]{3}", element.attrib["time"])
    for child in element:
        assert child.tag in CHILDREN[element.tag]
        require_valid(child)


@pytest.mark.parametrize(
    "arguments",
    [
        ["good.maker", "failing.maker", "wrong.maker"],
        ["good.maker", "--provider", "simulated", "--repeat", "5", *NEVER_RIGHT],
        ["good.maker", "failing.maker", "--mutate"],
    ],
)
def test_junit_is_valid_and_its_numbers_are_right(folder: Path, arguments: list[str]) -> None:
    run_maker(["test", *arguments, "--format", "junit", "-o", "report.xml"])
    root = Xml.parse(folder / "report.xml").getroot()
    require_valid(root)
    for scope in (root, *root.iter("testsuite")):
        for attribute, tag in (
            ("tests", "testcase"),
            ("failures", "failure"),
            ("errors", "error"),
            ("skipped", "skipped"),
        ):
            if attribute in scope.attrib:
                assert int(scope.attrib[attribute]) == len(list(scope.iter(tag)))
    assert int(root.attrib["failures"]) > 0


def test_junit_holds_any_reply() -> None:
    nasty = "a\x00b\x1bc\ud800d\ufffee <&>\"'\n"
    text = junit.render([Case("f.maker", nasty, failure=nasty, details=nasty)])
    text.encode("utf-8")
    root = Xml.fromstring(text.split("\n", 1)[1])
    failure = root.find(".//failure")
    assert failure is not None
    assert failure.text is not None
    assert failure.text.endswith("<&>\"'\n")


@pytest.mark.parametrize(
    ("share", "text"),
    [(1, "100 %"), (0, "0 %"), (0.5, "50 %"), (0.123456, "12.3 %"), (0.99999, "99.9 %"), (0.00001, "0.1 %")],
)
def test_a_share_is_never_rounded_to_all_or_nothing(share: float, text: str) -> None:
    assert percent(share) == text


@pytest.mark.long
@pytest.mark.timeout(100)
def test_models_are_asked_through_litellm(folder: Path) -> None:
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "maker_dsl", "simulate", "good.maker", "--port", "0"),
            *("--wrong", "0.3", "--error-429", "0.2"),
        ],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stderr is not None
        url = server.stderr.readline().strip()
        (folder / "real.toml").write_text(
            f'model = "openai/sim"\napi_base = "{url}/v1"\nmax_tokens = 100\n'
            "[price]\ninput = 1.0\noutput = 2.0\n[retry]\nfirst_backoff_s = 0.01\nmax_backoff_s = 0.05\n",
            encoding="utf-8",
        )
        asked = subprocess.run(
            [
                *(sys.executable, "-m", "maker_dsl", "test", "good.maker", "--provider", "real.toml"),
                *("--repeat", "20", "--max-cost", "1", "--json"),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        server.terminate()
        server.communicate(timeout=30)
    assert asked.returncode == 0, asked.stderr
    test, provider = [json.loads(line) for line in asked.stdout.splitlines()]
    assert test["drawn"] == 20
    assert 0 < test["right"] <= 20
    assert provider["retries"] == provider["failed_calls"]["rate_limit"] > 0
    assert provider["calls"] == 20 + provider["retries"]
    assert 0 < provider["cost_usd"] < 1


def test_where_no_reply_is_right_the_mutation_check_says_why(folder: Path) -> None:
    lonely = GOOD.replace("  reference { value = n - 1 }\n", "").replace("next = 2", "next = 5")
    (folder / "lonely.maker").write_text(lonely, encoding="utf-8")
    output, _ = run_maker(["test", "lonely.maker", "--mutate"])
    assert 'no right reply to corrupt: the test "two follows three" was left out: it fails' in output


def test_a_share_of_nothing_is_not_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bare.maker").write_text(
        'task bare { state { n: int = 2 } done when n == 0 step { prompt "{{ n }} {{ reply.format }}" '
        'reply "n = {n: int}" update { n = reply.n } } }'
    )
    assert run_maker(["test", "bare.maker", "--mutate"])[1] == 0
    said, code = run_maker(["test", "bare.maker", "--mutate", "--at-least", "0.5"])
    assert (code, "there is no right reply to corrupt" in said) == (1, True)
