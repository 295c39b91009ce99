"""Margins for a target, from Python: from calibrations and from one of the run's own."""

from __future__ import annotations

from pathlib import Path

import pytest

import maker_dsl
from maker_dsl.engine.settings import RunOptions, SettingsRefused

WRONG = ("simulate.wrong=0.05", "price.input=1", "price.output=1")


def run(tmp_path: Path, **asked: object) -> maker_dsl.RunReport:
    task = maker_dsl.load("hanoi", disks=5)
    return maker_dsl.run(task, overrides=WRONG, runs=tmp_path, **asked)  # type: ignore[arg-type]


def test_a_number_is_the_margin_itself(tmp_path: Path) -> None:
    report = run(tmp_path, ahead_by=2)
    assert report.plan is None
    assert report.samples < 100


def test_a_margin_of_its_own_is_planned_and_paid_for(tmp_path: Path) -> None:
    report = run(tmp_path, ahead_by="auto", target=0.99)
    plan = report.plan
    assert report.status == "done"
    assert plan is not None
    assert plan.steps == 31
    assert plan.success is not None
    assert plan.success >= 0.99
    assert report.cost_usd is not None
    assert report.cost_usd > plan.spent[0] > 0
    assert maker_dsl.verify(report.run, runs=tmp_path).is_good


@pytest.mark.parametrize("seed", range(5))
def test_the_calibration_and_the_run_together_keep_to_the_limit(tmp_path: Path, seed: int) -> None:
    report = run(tmp_path, ahead_by="auto", options=RunOptions(max_cost_usd=0.1, seed=seed))
    assert report.cost_usd is not None
    assert report.cost_usd <= 0.1
    assert report.plan is not None
    again = maker_dsl.resume(report.run, runs=tmp_path)
    assert again.plan == report.plan
    assert again.cost_usd is not None
    assert again.cost_usd <= 0.1


def test_fewer_steps_than_the_task_takes_are_refused_before_anything_is_spent(tmp_path: Path) -> None:
    with pytest.raises(SettingsRefused, match="takes 31 steps"):
        run(tmp_path, ahead_by="auto", steps=3)
    with pytest.raises(SettingsRefused, match="how many steps"):
        maker_dsl.run("sort", ahead_by="auto", runs=tmp_path)
    assert not list(tmp_path.iterdir())
