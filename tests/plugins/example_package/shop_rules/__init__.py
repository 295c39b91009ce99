"""Checkers for a shop's article numbers and prices.

Each is a plain function with annotations; the same arguments must always give the same answer.
"""

from __future__ import annotations

from decimal import Decimal

from maker_dsl.plugins import CannotJudge, CheckerPlugin


def is_article(number: str) -> bool:
    """Whether a text is an EAN-13 article number: thirteen digits, the last of which checks the others."""
    if len(number) != 13 or not number.isascii() or not number.isdigit():
        raise CannotJudge(f"`{number}` does not have thirteen digits")
    weighted = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(number))
    return weighted % 10 == 0


def total(prices: list[Decimal], percent_off: int) -> Decimal:
    """The sum of prices less a discount, to the cent."""
    return (sum(prices, Decimal(0)) * (100 - percent_off) / 100).quantize(Decimal("0.01"))


plugin = CheckerPlugin(version="1.2.0", functions={"is_article": is_article, "total": total}, time_limit_s=2)
