"""Plug-ins in their processes: found by entry points, limited in time, and whatever they do, the caller goes on."""

from __future__ import annotations

import sys
from decimal import Decimal
from pathlib import Path

import pytest
from plugin_lab import EXAMPLE, install, write_plugin

from maker_dsl.expressions.errors import CheckerTimeout, EvaluationError
from maker_dsl.plugins.allowed import AllowedCheckers, PluginMissing
from maker_dsl.plugins.discovery import plugin_names
from maker_dsl.task import PluginBroken


def test_the_bundled_ones_are_found() -> None:
    assert {"algebra", "logic"} <= set(plugin_names())


def test_the_example_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(EXAMPLE, tmp_path, monkeypatch)
    checkers = AllowedCheckers(["shop_rules"])
    assert checkers.version("shop_rules") == "1.2.0"
    assert checkers.version("algebra") is None
    assert checkers.signature("shop_rules", "total") == (("list[decimal]", "int"), "decimal")
    assert checkers.signature("shop_rules", "price") is None
    is_article = checkers.function("shop_rules", "is_article")
    assert is_article("4006381333931") is True
    assert is_article("4006381333932") is False
    with pytest.raises(EvaluationError, match="`is_article` can't say: `12` does not have thirteen digits"):
        is_article("12")
    assert checkers.function("shop_rules", "total")([Decimal("10.10"), Decimal("0.05")], 10) == Decimal("9.14")
    assert "shop_rules" not in sys.modules


def test_a_missing_one_is_said() -> None:
    with pytest.raises(PluginMissing, match="no installed package has a plug-in `shop_rulez`"):
        AllowedCheckers(["shop_rulez"])


WILD = """
import os, sys, time

def forever() -> bool:
    while True:
        pass

def gone() -> bool:
    os._exit(3)

def noisy(text: str) -> str:
    print("x" * 100_000)
    sys.stderr.write("y" * 100_000)
    return text + "!"

def wrong() -> bool:
    raise ZeroDivisionError("by zero")

def odd() -> bool:
    return object()

def deep() -> bool:
    return deep()

plugin = CheckerPlugin("1", {f.__name__: f for f in (forever, gone, noisy, wrong, odd, deep)}, time_limit_s=1.0)
"""


def test_whatever_it_does_the_caller_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(write_plugin(tmp_path / "source", "wild", WILD), tmp_path / "site", monkeypatch)
    checkers = AllowedCheckers(["wild"])

    def call(name: str, *arguments: object) -> object:
        return checkers.function("wild", name)(*arguments)

    assert call("noisy", "a") == "a!"
    with pytest.raises(CheckerTimeout, match="`forever` took longer than 1 s"):
        call("forever")
    assert call("noisy", "b") == "b!"
    with pytest.raises(EvaluationError, match="failed: its process ended"):
        call("gone")
    with pytest.raises(EvaluationError, match="failed: ZeroDivisionError: by zero"):
        call("wrong")
    with pytest.raises(EvaluationError, match="no value of the language"):
        call("odd")
    with pytest.raises(EvaluationError, match="nested too deeply"):
        call("deep")
    assert call("noisy", "c") == "c!"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("import nothing_of_this_name", "No module named 'nothing_of_this_name'"),
        ("plugin = 3", "names a value of type `int`, not a CheckerPlugin"),
        (
            "def f(x): ...\nplugin = CheckerPlugin('1', {'f': f})",
            "its function `f` is no checker: no annotation for `x`",
        ),
        ("def f(x: bytes) -> bool: ...\nplugin = CheckerPlugin('1', {'f': f})", "is no type of the language"),
        ("import os\nos._exit(1)", "its process ended"),
    ],
)
def test_a_broken_one_says_why(body: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(write_plugin(tmp_path / "source", "broken", body), tmp_path / "site", monkeypatch)
    with pytest.raises(PluginBroken, match=why):
        AllowedCheckers(["broken"]).version("broken")


def test_a_file_beside_the_task_is_not_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sympy.py").write_text("raise SystemExit(9)")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("maker_dsl.plugins.allowed._STARTED", {})
    assert AllowedCheckers(["algebra"]).function("algebra", "equivalent")("x + x", "2x") is True


RUDE = """
import datetime, os

def clock() -> str:
    return datetime.datetime(2026, 11, 23, 12)

def junk() -> bool:
    for number in range(3, 10):
        try:
            os.write(number, b"junk\\n")
        except OSError:
            pass
    return True

def endless() -> bool:
    raise CannotJudge("\\ud800" * 1_000_000)

def polite() -> bool:
    return True

def last() -> bool:
    os.close(0)
    return True

plugin = CheckerPlugin("1", {f.__name__: f for f in (clock, junk, endless, polite, last)})
"""


def test_what_it_says_is_cut_and_what_is_no_answer_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(write_plugin(tmp_path / "source", "rude", RUDE), tmp_path / "site", monkeypatch)
    checkers = AllowedCheckers(["rude"])
    with pytest.raises(EvaluationError, match="no value of the language"):
        checkers.function("rude", "clock")()
    with pytest.raises(EvaluationError, match="wrote something else than answers"):
        checkers.function("rude", "junk")()
    with pytest.raises(EvaluationError) as raised:
        checkers.function("rude", "endless")()
    assert len(str(raised.value).encode()) < 1_000
    assert checkers.function("rude", "polite")() is True


def test_one_that_ends_between_two_calls_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(write_plugin(tmp_path / "source", "rude", RUDE), tmp_path / "site", monkeypatch)
    checkers = AllowedCheckers(["rude"])
    assert checkers.function("rude", "last")() is True
    with pytest.raises(EvaluationError, match="its process ended"):
        checkers.function("rude", "polite")()
