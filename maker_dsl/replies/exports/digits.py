"""Numbers and dates within bounds, digit by digit, so that no bound of a number is left to reading."""

from __future__ import annotations

from decimal import Decimal

from maker_dsl.replies.exports.form import (
    EMPTY,
    NOTHING,
    Node,
    Text,
    characters,
    choice,
    optional,
    repeat,
    sequence,
)

MAX_BOUND_DIGITS = 120
"""Digits of a bound that is kept; a number's automaton grows with them."""

_DIGIT = characters("09")
_DIGITS = repeat(_DIGIT, 0, None)
_NATURAL = choice(sequence(characters("19"), _DIGITS), Text("0"))
_FRACTION = sequence(Text("."), repeat(_DIGIT, 1, None))


def whole_number(low: int | None, high: int | None) -> Node:
    """An int within bounds, without leading zeros or minus zero."""
    below: Node = NOTHING
    if low is None or low < 0:
        most = None if low is None else -low
        below = sequence(Text("-"), natural(1 if high is None or high >= 0 else -high, most))
    above = NOTHING if high is not None and high < 0 else natural(max(low or 0, 0), high)
    return choice(below, above)


def natural(low: int, high: int | None) -> Node:
    """A number from `low` >= 0 up, the ones with more digits first."""
    least = len(str(low))
    if high is None:
        if str(low) == "1" + "0" * (least - 1):
            return sequence(characters("19"), repeat(_DIGIT, least - 1, None))
        longer = sequence(characters("19"), repeat(_DIGIT, least, None))
        return choice(longer, _between(str(low), "9" * least))
    if high < low:
        return NOTHING
    most = len(str(high))
    if least == most:
        return _between(str(low), str(high))
    middle = sequence(characters("19"), repeat(_DIGIT, least, most - 2)) if most - least > 1 else NOTHING
    return choice(_between("1" + "0" * (most - 1), str(high)), middle, _between(str(low), "9" * least))


def _between(low: str, high: str) -> Node:
    """Digits of one length, from `low` to `high`."""
    shared = 0
    while shared < len(low) and low[shared] == high[shared]:
        shared += 1
    prefix = Text(low[:shared]) if shared else EMPTY
    if shared == len(low):
        return prefix
    a, b, rest = int(low[shared]), int(high[shared]), len(low) - shared - 1
    low_rest, high_rest = low[shared + 1 :], high[shared + 1 :]
    options: list[Node] = []
    if low_rest != "0" * rest:
        options.append(sequence(_digit(a, a), _from(low_rest)))
        a += 1
    last: Node = NOTHING
    if high_rest != "9" * rest:
        last = sequence(_digit(b, b), _up_to(high_rest))
        b -= 1
    options += [sequence(_digit(a, b), repeat(_DIGIT, rest, rest)), last]
    return sequence(prefix, choice(*options))


def _digit(low: int, high: int) -> Node:
    if low > high:
        return NOTHING
    return Text(str(low)) if low == high else characters(f"{low}{high}")


def _from(low: str) -> Node:
    """As many digits as `low` has, at least `low`."""
    node: Node = EMPTY
    for at in range(len(low) - 1, -1, -1):
        digit, rest = int(low[at]), len(low) - at - 1
        if not low[at:].strip("0"):
            node = repeat(_DIGIT, rest + 1, rest + 1)
            continue
        node = choice(sequence(Text(low[at]), node), sequence(_digit(digit + 1, 9), repeat(_DIGIT, rest, rest)))
    return node


def _up_to(high: str) -> Node:
    node: Node = EMPTY
    for at in range(len(high) - 1, -1, -1):
        digit, rest = int(high[at]), len(high) - at - 1
        if not high[at:].strip("9"):
            node = repeat(_DIGIT, rest + 1, rest + 1)
            continue
        node = choice(sequence(_digit(0, digit - 1), repeat(_DIGIT, rest, rest)), sequence(Text(high[at]), node))
    return node


def fraction_number(low: Decimal | None, high: Decimal | None) -> Node:
    """A number with or without a fraction, within bounds, without exponent."""
    if low is None and high is None:
        return sequence(optional(Text("-")), _NATURAL, optional(_FRACTION))
    below: Node = NOTHING
    if low is None or low < 0:
        most = None if low is None else low.copy_negate()
        least = Decimal(0) if high is None or high >= 0 else high.copy_negate()
        below = sequence(Text("-"), _magnitude(least, most))
    above = NOTHING if high is not None and high < 0 else _magnitude(max(low or Decimal(0), Decimal(0)), high)
    return choice(below, above)


def _magnitude(low: Decimal, high: Decimal | None) -> Node:
    low_int, low_digits = _split(low)
    at_low = Text(str(low_int))
    from_low = sequence(Text("."), _fraction_from(low_digits)) if low_digits else optional(_FRACTION)
    if high is None:
        return choice(sequence(natural(low_int + 1, None), optional(_FRACTION)), sequence(at_low, from_low))
    if high < low:
        return NOTHING
    high_int, high_digits = _split(high)
    if low_int == high_int:
        if not low_digits:
            return sequence(at_low, _optional_fraction_up_to(high_digits))
        return sequence(at_low, Text("."), _fraction_between(low_digits, high_digits))
    return choice(
        sequence(Text(str(high_int)), _optional_fraction_up_to(high_digits)),
        sequence(natural(low_int + 1, high_int - 1), optional(_FRACTION)),
        sequence(at_low, from_low),
    )


def _split(value: Decimal) -> tuple[int, str]:
    """The whole part, and the digits of the fraction without trailing zeros."""
    whole, _, digits = format(value, "f").partition(".")
    return int(whole), digits.rstrip("0")


def _fraction_from(low: str) -> Node:
    node = _DIGITS
    for digit in reversed(low):
        node = choice(sequence(_digit(int(digit) + 1, 9), _DIGITS), sequence(Text(digit), node))
    return node


def _optional_fraction_up_to(high: str) -> Node:
    if not high:
        return optional(sequence(Text("."), repeat(Text("0"), 1, None)))
    return optional(sequence(Text("."), _some_up_to(high)))


def _some_up_to(high: str) -> Node:
    """One digit or more of a fraction that is at most `high`, which does not end in a zero."""
    node = repeat(Text("0"), 0, None)
    for index, digit in enumerate(reversed(high)):
        node = choice(
            sequence(_digit(0, int(digit) - 1), _DIGITS), sequence(Text(digit), optional(node) if index else node)
        )
    return node


def _fraction_between(low: str, high: str) -> Node:
    """The digits of a fraction from `low`, not empty, to `high`; neither ends in a zero."""
    shared = 0
    while shared < min(len(low), len(high)) and low[shared] == high[shared]:
        shared += 1
    prefix = Text(low[:shared]) if shared else EMPTY
    low_rest, high_rest = low[shared:], high[shared:]
    if not low_rest:
        ends = repeat(Text("0"), 0, None) if not high_rest else optional(_some_up_to(high_rest))
        return sequence(prefix, ends)
    a, b = int(low_rest[0]), int(high_rest[0])
    return sequence(
        prefix,
        choice(
            sequence(Text(low_rest[0]), _fraction_from(low_rest[1:])),
            sequence(_digit(a + 1, b - 1), _DIGITS),
            sequence(Text(high_rest[0]), _after_high(high_rest[1:])),
        ),
    )


def _after_high(high: str) -> Node:
    return optional(_some_up_to(high)) if high else repeat(Text("0"), 0, None)


_EXPONENT = choice(
    sequence(Text("-"), repeat(_DIGIT, 1, 3)),
    sequence(
        optional(Text("+")),
        choice(
            sequence(characters("12"), repeat(_DIGIT, 2, 2)),
            sequence(Text("30"), characters("07")),
            repeat(_DIGIT, 1, 2),
        ),
    ),
)


def any_float() -> Node:
    """A finite float: up to 20 digits before the point, or one and an exponent that can't overflow."""
    scientific = sequence(_DIGIT, optional(_FRACTION), characters("E", "e"), _EXPONENT)
    plain = sequence(choice(sequence(characters("19"), repeat(_DIGIT, 0, 19)), Text("0")), optional(_FRACTION))
    return sequence(optional(Text("-")), choice(scientific, plain))


def float_between(low: float | None, high: float | None) -> Node:
    """A float within bounds, without exponent; an open side ends where floats of 20 digits do, or near the largest."""
    least, most = (None if bound is None else Decimal(repr(bound)) for bound in (low, high))
    digits = 20 if all(abs(bound) < 10**20 for bound in (least, most) if bound is not None) else 308
    ends = Decimal("9" * digits)
    return fraction_number(ends.copy_negate() if least is None else least, ends if most is None else most)


def _two_digit_years() -> Node:
    """Two digits that are a multiple of four, not 00."""
    return choice(
        sequence(Text("0"), characters("4", "8")),
        sequence(characters("2", "4", "6", "8"), characters("0", "4", "8")),
        sequence(characters("1", "3", "5", "7", "9"), characters("2", "6")),
    )


def day() -> Node:
    """A day from 0001-01-01 to 9999-12-31; the 29th of February in leap years alone."""
    two = repeat(_DIGIT, 2, 2)
    leap = choice(sequence(two, _two_digit_years()), sequence(_two_digit_years(), Text("00")))
    year = choice(
        sequence(characters("19"), repeat(_DIGIT, 3, 3)),
        sequence(Text("0"), characters("19"), two),
        sequence(Text("00"), characters("19"), _DIGIT),
        sequence(Text("000"), characters("19")),
    )
    to_28 = choice(
        sequence(Text("0"), characters("19")), sequence(Text("1"), _DIGIT), sequence(Text("2"), characters("08"))
    )
    month = choice(sequence(Text("0"), characters("19")), sequence(Text("1"), characters("02")))
    without_february = choice(sequence(Text("0"), characters("1", "39")), sequence(Text("1"), characters("02")))
    long_month = choice(
        sequence(Text("0"), characters("1", "3", "5", "7", "8")), sequence(Text("1"), characters("0", "2"))
    )
    return choice(
        sequence(
            year,
            Text("-"),
            choice(
                sequence(month, Text("-"), to_28),
                sequence(without_february, Text("-"), choice(Text("29"), Text("30"))),
                sequence(long_month, Text("-31")),
            ),
        ),
        sequence(leap, Text("-02-29")),
    )
