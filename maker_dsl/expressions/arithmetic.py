"""Operators where Python's own would be unbounded, inexact or dependent on its surroundings."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import (
    ROUND_CEILING,
    ROUND_FLOOR,
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
)
from typing import Any

from maker_dsl.expressions.errors import EvaluationError
from maker_dsl.expressions.fuel import spend
from maker_dsl.expressions.limits import (
    BITS_PER_FUEL,
    CHARACTERS_PER_FUEL,
    MAX_CHARACTERS,
    MAX_DECIMAL_DIGITS,
    MAX_DECIMAL_EXPONENT,
    MAX_INT_BITS,
    MAX_ITEMS,
)

_PLAIN_BITS = 256
"""Ints up to this size are taken to cost nothing beside the operation that gives them."""

DECIMALS = Context(
    prec=MAX_DECIMAL_DIGITS,
    rounding=ROUND_HALF_EVEN,
    Emin=-MAX_DECIMAL_EXPONENT,
    Emax=MAX_DECIMAL_EXPONENT,
    capitals=1,
    clamp=0,
    flags=[],
    traps=[InvalidOperation, DivisionByZero, Overflow],
)
"""The arithmetic of all decimals, whatever the surrounding program has set."""


def bounded_int(number: int) -> int:
    """An int that was just computed, with fuel for its size, unless it is too large."""
    bits = number.bit_length()
    if bits > _PLAIN_BITS:
        if bits > MAX_INT_BITS:
            raise EvaluationError(f"this int is too large: an int has at most {MAX_INT_BITS:,} binary digits")
        spend(bits // BITS_PER_FUEL)
    return number


def add_ints(left: int, right: int) -> int:
    """`left + right`, bounded."""
    return bounded_int(left + right)


def subtract_ints(left: int, right: int) -> int:
    """`left - right`, bounded."""
    return bounded_int(left - right)


def multiply_ints(left: int, right: int) -> int:
    """`left * right`, bounded."""
    _spend_product(left, right)
    return bounded_int(left * right)


def divide_ints(left: int, right: int) -> int:
    """`left // right`, with fuel for large ints."""
    _spend_product(left, right)
    return bounded_int(left // right)


def modulo_ints(left: int, right: int) -> int:
    """`left % right`, with fuel for large ints."""
    _spend_product(left, right)
    return bounded_int(left % right)


def negate_int(number: int) -> int:
    """`-number`, with fuel for its size."""
    return bounded_int(-number)


def _spend_product(left: int, right: int) -> None:
    """Multiplying and dividing takes time in proportion to the product of the lengths."""
    cost = left.bit_length() * right.bit_length() >> 16
    if cost:
        spend(cost)


def power_int(base: int, exponent: int) -> int:
    """`base ** exponent`, bounded before it is computed."""
    if exponent < 0:
        raise EvaluationError("an int can't be raised to a negative exponent")
    if (abs(base).bit_length() - 1) * exponent > MAX_INT_BITS:
        raise EvaluationError(f"this int is too large: an int has at most {MAX_INT_BITS:,} binary digits")
    if -1 <= base <= 1:
        return base if exponent % 2 else base * base if exponent else 1
    spend(((abs(base).bit_length() * exponent) ** 2 >> 16) + 1)
    return bounded_int(int(base**exponent))


def finite(number: float) -> float:
    """A float that was just computed, unless it is infinite or undefined."""
    if number - number != 0.0:
        raise EvaluationError("this number is too large for a float")
    return number


def power_float(base: float, exponent: int) -> float:
    """`base ** exponent` by multiplication, the same on every machine."""
    if exponent < 0:
        return finite(1.0 / power_float(base, -exponent))
    if exponent.bit_length() > 64:
        raise EvaluationError("this exponent is too large")
    result = 1.0
    while exponent:
        if exponent & 1:
            result *= base
        exponent >>= 1
        if exponent:
            base *= base
    return finite(result)


_SQUARING = 4
"""How many operations it is worth to square a decimal, and perhaps multiply it."""


def power_decimal(base: Decimal, exponent: int) -> Decimal:
    """`base ** exponent`."""
    if exponent.bit_length() > 64:
        raise EvaluationError("this exponent is too large")
    spend(exponent.bit_length() * _SQUARING)
    return Decimal(1) if exponent == 0 else DECIMALS.power(base, exponent)


_DIVIDING = 8
"""How many operations it is worth to divide a decimal, or to round it."""


def floor_divide_decimal(left: Decimal | int, right: Decimal | int) -> Decimal:
    """`left // right`, rounded down as for ints."""
    spend(_DIVIDING)
    if right == 0:
        raise EvaluationError("division by zero")
    quotient = DECIMALS.divide_int(left, right)
    rest = DECIMALS.remainder(left, right)
    return DECIMALS.subtract(quotient, 1) if rest and (rest < 0) != (right < 0) else quotient


def modulo_decimal(left: Decimal | int, right: Decimal | int) -> Decimal:
    """`left % right`, of the divisor's sign as for ints."""
    spend(_DIVIDING)
    if right == 0:
        raise EvaluationError("division by zero")
    rest = DECIMALS.remainder(left, right)
    return DECIMALS.add(rest, right) if rest and (rest < 0) != (right < 0) else rest


_INT_LIMIT: int = 10**MAX_DECIMAL_DIGITS


def int_to_decimal(number: int) -> Decimal:
    """The int as a decimal, exactly."""
    if not -_INT_LIMIT < number < _INT_LIMIT:
        raise EvaluationError(f"this int is too large for a decimal of {MAX_DECIMAL_DIGITS} digits")
    return Decimal(number)


def round_decimal_to(number: Decimal | int, rounding: str) -> int:
    """The int that `rounding` (of the module decimal) gives."""
    number = Decimal(number)
    spend(_DIVIDING + max(number.adjusted(), 0) // 4)
    return int(number.to_integral_value(rounding=rounding))


def round_down(number: Decimal | float) -> int:
    """The largest int that is not greater."""
    return round_decimal_to(Decimal(number), ROUND_FLOOR)


def round_up(number: Decimal | float) -> int:
    """The smallest int that is not less."""
    return round_decimal_to(Decimal(number), ROUND_CEILING)


def add_days(one: Any, other: Any) -> date:
    """A date so many days later; the operands in either order."""
    day, days = (one, other) if isinstance(one, date) else (other, one)
    return _moved(day, days)


def subtract_days(day: date, days: int) -> date:
    """A date so many days earlier."""
    return _moved(day, -days)


def _moved(day: date, days: int) -> date:
    try:
        return day + timedelta(days=days)
    except OverflowError:
        raise EvaluationError("this date lies outside the years 1 to 9999") from None


def days_between(later: date, earlier: date) -> int:
    """The days from `earlier` to `later`."""
    return (later - earlier).days


def add_lists(left: list[Any], right: list[Any]) -> list[Any]:
    """`left + right`, bounded."""
    count = len(left) + len(right)
    if count > MAX_ITEMS:
        raise EvaluationError(f"this list is too long: it would have {count:,} items, {MAX_ITEMS:,} are allowed")
    spend(count)
    return left + right


def add_texts(left: str, right: str) -> str:
    """`left + right`, bounded."""
    return bounded_text(left + right)


def bounded_text(text: str) -> str:
    """A text that was just made (in a size that its parts bound), unless it is too long."""
    if len(text) > MAX_CHARACTERS:
        raise too_long_text(len(text))
    spend(len(text) // CHARACTERS_PER_FUEL + 1)
    return text


def too_long_text(count: int) -> EvaluationError:
    """The error of a text that would have so many characters."""
    return EvaluationError(
        f"this string is too long: it would have {count:,} characters, {MAX_CHARACTERS:,} are allowed"
    )


def repeat_list(one: Any, other: Any) -> list[Any]:
    """`list * int`, in either order, bounded."""
    items, times = (one, other) if isinstance(one, list) else (other, one)
    count = len(items) * max(times, 0)
    if count > MAX_ITEMS:
        raise EvaluationError(f"this list is too long: it would have {count:,} items, {MAX_ITEMS:,} are allowed")
    spend(count)
    return list(items * times) if count else []


def repeat_text(one: Any, other: Any) -> str:
    """`string * int`, in either order, bounded."""
    text, times = (one, other) if isinstance(one, str) else (other, one)
    count = len(text) * max(times, 0)
    if count > MAX_CHARACTERS:
        raise too_long_text(count)
    spend(count // CHARACTERS_PER_FUEL + 1)
    return str(text * times) if count else ""


def cut(items: Any, start: int | None, stop: int | None, step: int | None) -> Any:
    """A slice of a list or string."""
    if step == 0:
        raise EvaluationError("the step of a slice is zero")
    part = items[start:stop:step]
    spend(len(part) // CHARACTERS_PER_FUEL + 1 if isinstance(part, str) else len(part) + 1)
    return part
