"""Bounds of numbers and days, digit by digit: held against the numbers and the calendar themselves."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal

import pytest
from exports_lab import regex_recogniser

from maker_dsl.replies.exports import digits
from maker_dsl.replies.exports.form import NOTHING, Node
from maker_dsl.replies.exports.regexes import regex


def matches(node: Node, text: str) -> bool:
    return re.fullmatch(regex(node, {}), text) is not None


@pytest.mark.parametrize("low", [None, -120, -10, -9, -1, 0, 1, 5, 9, 10, 11, 99, 100, 101])
@pytest.mark.parametrize("high", [None, -100, -11, -10, -1, 0, 1, 8, 9, 10, 19, 99, 100, 105, 123])
def test_bounds_of_ints_are_exact(low: int | None, high: int | None) -> None:
    if low is not None and high is not None and low > high:
        assert digits.whole_number(low, high) == NOTHING
        return
    node = digits.whole_number(low, high)
    for number in range(-1300, 1300):
        within = (low is None or number >= low) and (high is None or number <= high)
        assert matches(node, str(number)) == within, number
    assert not any(matches(node, spelled) for spelled in ("", "-", "-0", "00", "01", "-01", "1.0", " 1"))


FRACTIONS = [
    Decimal(bound) for bound in ("-10.5", "-1", "-0.25", "0", "0.25", "0.3", "1", "1.05", "9.99", "10", "12.5")
]


@pytest.mark.parametrize("low", [None, *FRACTIONS])
@pytest.mark.parametrize("high", [None, *FRACTIONS])
def test_bounds_of_decimals_are_exact(low: Decimal | None, high: Decimal | None) -> None:
    if low is not None and high is not None and low > high:
        return
    node = digits.fraction_number(low, high)
    compiled = re.compile(regex(node, {}))
    for thousandths in range(-13_000, 13_000, 10 if low is None or high is None else 5):
        number = Decimal(thousandths) / 1000
        within = (low is None or number >= low) and (high is None or number <= high)
        for spelled in (format(number, "f"), format(number.normalize(), "f"), f"{number:.4f}"):
            assert (compiled.fullmatch(spelled) is not None) == within, spelled


def test_dates_are_days_of_the_calendar() -> None:
    accepts = regex_recogniser(f"(?:{regex(digits.day(), {})})")
    day = date(1, 1, 1)
    for _ in range(20_000):
        assert accepts(day.isoformat())
        day += timedelta(days=181) if day.year < 9998 else timedelta(days=-3_600_000)
    for year in range(0, 10_000, 7):
        for month in range(14):
            for number in (0, 28, 29, 30, 31, 32):
                spelled = f"{year:04}-{month:02}-{number:02}"
                assert accepts(spelled) == is_day(year, month, number), spelled


def is_day(year: int, month: int, number: int) -> bool:
    try:
        date(year, month, number)
    except ValueError:
        return False
    return True
