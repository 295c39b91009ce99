"""Tasks that call checkers: what is checked without the plug-in, what needs it allowed, and how runs keep to it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from plugin_lab import EXAMPLE, install, write_plugin
from transcript import run_maker

import maker_dsl
from maker_dsl.diagnostics import Source
from maker_dsl.language import check_text
from maker_dsl.plugins.allowed import AllowedCheckers

TASK = """
task stock {
  checker is_article(number: string) -> bool from "shop_rules"
  state { seen: list[string] = [] }
  done when len(seen) == 2
  step {
    prompt "Name an article other than {{ seen }}. {{ reply.format }}"
    reply "article = {number: line}"
    rule "is an article": is_article(reply.number)
    rule "is new": reply.number not in seen
    update { seen = seen + [reply.number] }
  }
  reference {
    number = "4006381333931" if not seen else "9780201379624"
    mistake { number = "4006381333932" }
    mistake { number = "12" }
  }
  test "a right number" { reply "article = 4006381333931"  accept }
  test "a wrong check digit" { reply "article = 4006381333930"  reject "is an article" }
  test "no number at all" { reply "article = none"  reject "error" }
}
"""


@pytest.fixture
def stock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    install(EXAMPLE, tmp_path / "site", monkeypatch)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MAKER_PROVIDER", raising=False)
    path = tmp_path / "stock.maker"
    path.write_text(TASK)
    return path


def test_a_file_is_checked_without_the_plugin_and_in_full_with_it(stock: Path) -> None:
    said, code = run_maker(["check", "stock.maker"])
    assert code == 0
    assert "the plug-in `shop_rules` was not tried out" in said
    said, code = run_maker(["check", "stock.maker", "--allow", "shop_rules"])
    assert (said.strip(), code) == ("1 file checked: no problems", 0)


def test_without_leave_nothing_runs(stock: Path) -> None:
    said, code = run_maker(["run", "stock.maker"])
    assert code == 2
    assert "MK655" in said
    assert not Path("runs").exists()
    said, code = run_maker(["test", "stock.maker"])
    assert code == 1
    assert said.count("`--allow shop_rules`") == 3
    said, code = run_maker(["validate", "stock.maker", "article = 4006381333931"])
    assert code == 2
    said, code = run_maker(["run", "stock.maker", "--allow", "shop_rule"])
    assert code == 3
    assert "did you mean `shop_rules`" in said


def test_a_run_keeps_to_its_plugins(stock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rates = ["--override", "simulate.wrong=0.3"]
    said, code = run_maker(["run", "stock.maker", "--allow", "shop_rules", "--json", "--max-steps", "1", *rates])
    assert code == 1
    said, code = run_maker(["resume", "last", "--json", "--max-steps", "9"])
    assert code == 0, said
    report = json.loads(next(line for line in said.splitlines() if line.startswith("{")))
    assert report["result"]["seen"] == ["4006381333931", "9780201379624"]
    assert {"is an article", "error"} & report["flags"].keys()
    said, code = run_maker(["verify", "last"])
    assert code == 0, said
    assert "0 decisions differ" in said

    other = tmp_path / "other"
    shutil.copytree(EXAMPLE, other)
    module = other / "shop_rules" / "__init__.py"
    module.write_text(module.read_text().replace("1.2.0", "1.3.0"))
    shutil.rmtree(tmp_path / "site")
    install(other, tmp_path / "site", monkeypatch)
    for command in ("verify", "resume"):
        said, code = run_maker([command, "last"])
        assert code == 2
        assert "`shop_rules` was version 1.2.0 and is 1.3.0 now" in said
    shutil.rmtree(tmp_path / "site")
    said, code = run_maker(["verify", "last"])
    assert code == 2
    assert "MK657" in said


def test_a_reply_that_a_checker_has_no_time_for_is_flagged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = (
        "import time\n"
        "def is_article(number: str) -> bool:\n"
        "    while number.startswith('9'):\n"
        "        pass\n"
        "    return True\n"
        "plugin = CheckerPlugin('1', {'is_article': is_article}, time_limit_s=0.2)\n"
    )
    install(write_plugin(tmp_path / "source", "shop_rules", body), tmp_path / "site", monkeypatch)
    task = maker_dsl.loads(TASK, allow=["shop_rules"])
    verdict = maker_dsl.judge(task, "article = 9")
    assert isinstance(verdict, maker_dsl.Flag)
    assert (verdict.stage, verdict.name) == ("rule", "timed out")
    assert "took longer than 0.2 s" in verdict.detail
    assert isinstance(maker_dsl.judge(task, "article = 8"), maker_dsl.Vote)


@pytest.mark.parametrize(
    ("declared", "rule", "said"),
    [
        (
            "is_article(number: int) -> bool",
            "is_article(len(reply.number))",
            "has the checker `is_article` in another form",
        ),
        (
            "is_article(number: string) -> int",
            "is_article(reply.number) > 0",
            "has the checker `is_article` in another form",
        ),
        ("is_articel(number: string) -> bool", "is_articel(reply.number)", "has no checker `is_articel`"),
    ],
)
def test_a_declaration_that_the_plugin_does_not_bear_out(stock: Path, declared: str, rule: str, said: str) -> None:
    text = TASK.replace("is_article(number: string) -> bool", declared).replace("is_article(reply.number)", rule)
    assert not check_text(Source("stock.maker", text)).has_errors
    (found,) = check_text(Source("stock.maker", text), checkers=AllowedCheckers(["shop_rules"])).diagnostics
    assert found.code == "MK299"
    assert said in found.title


def test_a_checker_that_gives_something_else_flags_the_reply(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = (
        "def is_article(number: str) -> bool:\n"
        "    return number\n"
        "plugin = CheckerPlugin('1', {'is_article': is_article})\n"
    )
    install(write_plugin(tmp_path / "source", "shop_rules", body), tmp_path / "site", monkeypatch)
    verdict = maker_dsl.judge(maker_dsl.loads(TASK, allow=["shop_rules"]), "article = 8")
    assert isinstance(verdict, maker_dsl.Flag)
    assert verdict.name == "error"
    assert "gave something else than it should" in verdict.detail


def test_a_plugin_that_cannot_be_loaded_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = write_plugin(tmp_path / "source", "shop_rules", "import nothing_of_this_name")
    install(package, tmp_path / "site", monkeypatch)
    with pytest.raises(maker_dsl.TaskRefused, match="MK656") as raised:
        maker_dsl.loads(TASK, allow=["shop_rules"])
    assert "nothing_of_this_name" in raised.value.diagnostics[0].primary.text
