"""The plug-in `algebra`: known identities and equations, laws, and what it refuses."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maker_dsl.plugins import CannotJudge
from maker_dsl.plugins.algebra import equivalent, is_solution, is_solved, readable, same_solutions


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("2(x + 3)", "2x + 6", True),
        ("(x + 1)^2", "x^2 + 2x + 1", True),
        ("(x^2 - 1)/(x - 1)", "x + 1", True),
        ("xy", "y*x", True),
        ("0.5x", "x/2", True),
        ("x^-1", "1/x", True),
        ("-x^2", "(-x)^2", False),
        ("2^3", "8", True),
        ("x_1 + x_2", "x_2 + x_1", True),
        ("3 − x", "3 - x", True),
        ("x + 1", "x + 2", False),
        ("(a + b)(a - b)", "a^2 - b^2", True),
    ],
)
def test_equivalent(left: str, right: str, same: bool) -> None:
    assert equivalent(left, right) is same
    assert equivalent(right, left) is same


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2x + 3 = 7", "2x = 4", True),
        ("2x + 3 = 7", "x = 2", True),
        ("x^2 = 4", "x = 2", False),
        ("x^2 = x", "x = 1", False),
        ("x(x - 1)/x = 0", "x = 1", True),
        ("1 = 1", "x = x", True),
        ("0 = 1", "x^2 + 1 = 0", True),
        ("x^3 + x = 0", "x = 0", True),
        ("x^2 = 2", "(x^2 - 2)^2 = 0", True),
        ("x/x = 1", "x = x", False),
        ("y = 2x", "x = y/2", True),
        ("3(x - 2) = x + 4", "2x = 10", True),
        ("3(x - 2) = x + 4", "2x = -2", False),
    ],
)
def test_same_solutions(one: str, other: str, same: bool) -> None:
    assert same_solutions(one, other) is same
    assert same_solutions(other, one) is same


def test_solved_and_solution() -> None:
    assert is_solved("x = 3/2", "x")
    assert not is_solved("x = 3 + x", "x")
    assert not is_solved("2x = 3", "x")
    assert not is_solved("3 = x", "x")
    assert is_solution("2x = 3", "x", "3/2")
    assert not is_solution("2x = 3", "x", "1.4")
    assert not is_solution("1/x = 0", "x", "0")


def test_readable() -> None:
    assert readable("2x + 1 = 3")
    for text in ("2x +", "__import__('os')", "1/2x", "x = 1 = 2", "", "sin(", "2 3", "two times x"):
        assert not readable(text)


@pytest.mark.parametrize(
    "text",
    [
        "(x+y+z+w)^99",
        "x^1000",
        "((x+1)^60)(y+1)^60",
        "((((9^999)^999)^999)^999)",
        "x^999",
        "1/0",
        "1/(x-x)",
        "x" * 1001,
    ],
)
def test_what_is_too_much_is_refused(text: str) -> None:
    with pytest.raises(CannotJudge):
        equivalent(text, "1")


def test_two_readings_are_refused() -> None:
    with pytest.raises(CannotJudge, match="two ways"):
        equivalent("1/2x", "x/2")


def test_an_equation_is_no_expression() -> None:
    with pytest.raises(CannotJudge, match="is an equation"):
        equivalent("x = 1", "x")
    with pytest.raises(CannotJudge, match="no `=`"):
        same_solutions("x", "x = 1")


numbers = st.integers(-9, 9)


@settings(max_examples=100, deadline=None)
@given(numbers, numbers, numbers, st.integers(1, 9))
def test_operations_on_both_sides_keep_the_solutions(a: int, b: int, c: int, factor: int) -> None:
    """And the solution is what arithmetic says: checked against fractions, not against itself."""
    equation = f"{a}*x + {b} = {c}".replace("+ -", "- ")
    assert same_solutions(equation, f"{factor}*({a}*x) + {factor * (b - c)} = 0".replace("+ -", "- "))
    if a:
        solution = Fraction(c - b, a)
        assert is_solution(equation, "x", str(solution))
        assert same_solutions(equation, f"x = {solution}")
        assert not same_solutions(equation, f"x = {solution + 1}")


def test_words_are_no_products_of_letters() -> None:
    with pytest.raises(CannotJudge, match="there has to be a sign"):
        equivalent("two times x", "2x")
