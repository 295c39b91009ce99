"""The settings of the simulated model."""

from __future__ import annotations

import pytest

from maker_dsl.simulation.rates import Latency, RateProblem, Rates, parse_latency, read_rates


def problems(**settings: object) -> tuple[RateProblem, ...]:
    read = read_rates(settings)
    assert not isinstance(read, Rates)
    return read


def test_nothing_set_means_no_faults() -> None:
    rates = Rates()
    assert rates.describe() == "no faults"
    assert rates.delay.is_zero


def test_settings_of_a_profile_are_read() -> None:
    rates = read_rates({"wrong": 0.05, "error_429": 1, "agree": 0.5, "latency": "lognormal(0.2, 0.5)", "seed": 7})
    assert rates == Rates(wrong=0.05, error_429=1.0, agree=0.5, latency="lognormal(0.2, 0.5)", seed=7)
    assert rates.describe() == "wrong 0.05, error_429 1, agree 0.5, latency lognormal(0.2, 0.5)"


def test_every_bad_setting_is_reported() -> None:
    found = problems(wrong=1.5, dropped=True, latency="fast", seed="x")
    assert [problem.key for problem in found] == ["wrong", "dropped", "latency", "seed"]
    assert found[0].message == "expected a share from 0 to 1, found `1.5`"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -0.1, "0.1", None])
def test_a_rate_is_a_share(value: object) -> None:
    assert [problem.key for problem in problems(wrong=value)] == ["wrong"]


def test_a_misspelt_setting_suggests_the_right_one() -> None:
    (found,) = problems(wrnog=0.1)
    assert found == RateProblem("wrnog", "unknown setting `wrnog`", "did you mean `wrong`?")


def test_reply_faults_add_up_to_at_most_one() -> None:
    (found,) = problems(wrong=0.5, malformed=0.4, overlong=0.2)
    assert found.key is None
    assert found.message == "`wrong`, `malformed`, `overlong`, `truncated` add up to 1.1, more than 1"
    assert isinstance(read_rates({"wrong": 0.7, "malformed": 0.1, "overlong": 0.1, "truncated": 0.1}), Rates)


def test_call_faults_add_up_to_at_most_one() -> None:
    (found,) = problems(error_429=0.6, dropped=0.6)
    assert found.message == "`error_429`, `error_500`, `dropped` add up to 1.2, more than 1"


@pytest.mark.parametrize(
    ("text", "latency"),
    [
        ("0", Latency(0.0)),
        ("0.2", Latency(0.2)),
        (" 2 ", Latency(2.0)),
        ("lognormal(0.2, 0.5)", Latency(0.2, 0.5)),
        ("lognormal( 1,0 )", Latency(1.0)),
    ],
)
def test_latency_is_read(text: str, latency: Latency) -> None:
    assert parse_latency(text) == latency


@pytest.mark.parametrize("text", ["", "-1", "1e9", "99999", "nan", "lognormal(1)", "lognormal(1, 9)", "normal(1, 1)"])
def test_anything_else_is_no_latency(text: str) -> None:
    assert parse_latency(text) is None


def test_a_lognormal_latency_has_its_median_and_spread() -> None:
    latency = Latency(0.2, 0.5)
    assert latency.at(0.5) == pytest.approx(0.2)
    assert latency.at(0.841344746) == pytest.approx(0.2 * 2.718281828**0.5)
    assert Latency(0.3).at(0.999) == 0.3
