"""Builtins over dates.

Each is total on values of its signature's types: it gives a value or raises EvaluationError, in bounded time and size.
"""

from __future__ import annotations

import re
from datetime import date

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def text_to_date(text: str) -> date | None:
    if not _DATE.fullmatch(text):
        return None
    return make_date(int(text[:4]), int(text[5:7]), int(text[8:]))


def make_date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except (ValueError, OverflowError):
        return None


def year(day: date) -> int:
    return day.year


def month(day: date) -> int:
    return day.month


def day_of_month(day: date) -> int:
    return day.day


def weekday(day: date) -> int:
    return day.isoweekday()
