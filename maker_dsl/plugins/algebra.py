"""The plug-in `algebra`: what school algebra says of expressions and equations, exactly, on sympy.

Expressions are made of numbers, variables, + - * /, whole powers and brackets (`plugins.algebra_text`). They are held
as quotients of polynomials over the rationals, so that every answer is exact and the same everywhere. What is too
large to be worked on is refused by its size, not by the clock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sympy
from lark import Token, Transformer
from sympy.polys.domains import QQ
from sympy.polys.rings import PolyElement, PolyRing, ring

from maker_dsl.plugins.algebra_text import number, read
from maker_dsl.plugins.plugin import CannotJudge, CheckerPlugin

MAX_VARIABLES = 8
MAX_TERMS = 2_000
MAX_DEGREE = 60
MAX_BITS = 4_000


@dataclass(frozen=True, slots=True)
class _Quotient:
    """A value as a quotient, and everything that was divided by to get there."""

    top: PolyElement
    bottom: PolyElement
    divisors: tuple[PolyElement, ...] = ()


@dataclass(frozen=True, slots=True)
class _Equation:
    left: _Quotient
    right: _Quotient


def equivalent(left: str, right: str) -> bool:
    """Whether two expressions have the same value wherever both have one."""
    one, other = (_expression(_read(text, (left, right)), text) for text in (left, right))
    return bool(_product(one.top, other.bottom) == _product(other.top, one.bottom))


def same_solutions(equation: str, other: str) -> bool:
    """Whether two equations have the same solutions.

    In one variable: the same real ones. In several: the same irreducible factors over the rationals, which is the same
    set of complex solutions.
    """
    return _solutions(equation, (equation, other)) == _solutions(other, (equation, other))


def is_solved(equation: str, variable: str) -> bool:
    """Whether an equation has the form `variable = …`, with no variable of that name on the right."""
    found = _equation(_read(equation, (equation, variable)), equation)
    name = _variable(variable, equation)
    return bool(found.left.top == name and found.left.bottom == 1 and not _contains(found.right, name))


def is_solution(equation: str, variable: str, value: str) -> bool:
    """Whether an equation in one variable holds when the variable has that value: a number, such as `-3/2`."""
    found = _equation(_read(equation, (equation, variable, value)), equation)
    given = _expression(_read(value, (equation, variable, value)), value)
    if not (given.top.is_ground and given.bottom.is_ground):
        raise CannotJudge(f"`{value}` is no number")
    name = _variable(variable, equation, value)
    at = given.top.LC / given.bottom.LC
    for divisor in (*found.left.divisors, *found.right.divisors):
        if divisor.evaluate(name, at) == 0:
            return False
    difference = _sum(found.left, found.right, -1)
    rest = difference.top.evaluate(name, at)
    if rest != 0 and not _is_ground(rest):
        raise CannotJudge(f"`{equation}` has other variables than `{variable}`")
    return bool(rest == 0)


def readable(text: str) -> bool:
    """Whether a text is an expression or an equation that can be read."""
    try:
        _read(text, (text,))
    except CannotJudge:
        return False
    return True


def _solutions(text: str, texts: tuple[str, ...]) -> tuple[str, frozenset[str]]:
    """The solutions of an equation as something that can be compared."""
    equation = _equation(_read(text, texts), text)
    difference = _sum(equation.left, equation.right, -1)
    excluded = {
        str(factor)
        for divisor in (*equation.left.divisors, *equation.right.divisors)
        for factor in _factors(divisor)
        if _has_real_root(factor)
    }
    if difference.top == 0:
        return "all but", frozenset(excluded)
    roots = {str(factor) for factor in _factors(difference.top) if _has_real_root(factor)}
    return "only", frozenset(roots - excluded)


def _factors(polynomial: PolyElement) -> tuple[PolyElement, ...]:
    """Its irreducible factors over the rationals, each in one form; numbers are left out."""
    if polynomial.is_ground:
        return ()
    _, factors = polynomial.factor_list()
    return tuple(factor.monic() for factor, _ in factors)


def _has_real_root(factor: PolyElement) -> bool:
    """Whether a factor in one variable has a real root; one in several is taken to have some."""
    expression = factor.as_expr()
    if len(expression.free_symbols) != 1:
        return True
    return bool(sympy.Poly(expression).count_roots() > 0)


# Reading ------------------------------------------------------------------------------------------------------------


def _read(text: str, texts: tuple[str, ...]) -> _Quotient | _Equation:
    """What a text says, in the variables of all the texts."""
    return read(text, _Build(_ring(texts)))  # type: ignore[no-any-return]


def _ring(texts: tuple[str, ...]) -> PolyRing:
    names: set[str] = set()
    for text in texts:
        read(text, _Names(names))
    if len(names) > MAX_VARIABLES:
        raise CannotJudge(f"{len(names)} variables; at most {MAX_VARIABLES} are worked with")
    return ring(sorted(names) or ["x"], QQ)[0]


def _variable(name: str, *texts: str) -> PolyElement:
    found = _read(name, (name, *texts))
    if isinstance(found, _Equation) or not found.top.is_generator:
        raise CannotJudge(f"`{name}` is no variable")
    return found.top


def _expression(found: _Quotient | _Equation, text: str) -> _Quotient:
    if isinstance(found, _Equation):
        raise CannotJudge(f"`{text}` is an equation; an expression is wanted")
    return found


def _equation(found: _Quotient | _Equation, text: str) -> _Equation:
    if isinstance(found, _Quotient):
        raise CannotJudge(f"`{text}` is no equation: it has no `=`")
    return found


def _contains(value: _Quotient, name: PolyElement) -> bool:
    return any(name in part.ring.gens and part.degree(name) > 0 for part in (value.top, value.bottom))


def _is_ground(value: Any) -> bool:
    return not isinstance(value, PolyElement) or value.is_ground


class _Names(Transformer[Token, Any]):
    """Collects the variables of a text."""

    def __init__(self, names: set[str]) -> None:
        super().__init__()
        self._names = names

    def variable(self, children: list[Token]) -> None:
        self._names.add(str(children[0]))


class _Build(Transformer[Token, Any]):
    """Makes quotients of polynomials."""

    def __init__(self, variables: PolyRing) -> None:
        super().__init__()
        self._ring = variables
        self._variables = dict(zip(map(str, variables.symbols), variables.gens, strict=True))

    def start(self, children: list[Any]) -> Any:
        return children[0]

    def equation(self, children: list[Any]) -> _Equation:
        return _Equation(children[0], children[1])

    def number(self, children: list[Token]) -> _Quotient:
        value: Fraction = number(children[0])
        return _Quotient(self._ring(QQ(value.numerator, value.denominator)), self._ring.one)

    def variable(self, children: list[Token]) -> _Quotient:
        return _Quotient(self._variables[str(children[0])], self._ring.one)

    def add(self, children: list[Any]) -> _Quotient:
        return _sum(children[0], children[1], 1)

    def subtract(self, children: list[Any]) -> _Quotient:
        return _sum(children[0], children[1], -1)

    def negate(self, children: list[Any]) -> _Quotient:
        return _Quotient(-children[0].top, children[0].bottom, children[0].divisors)

    def multiply(self, children: list[Any]) -> _Quotient:
        one, other = children
        return _Quotient(
            _product(one.top, other.top), _product(one.bottom, other.bottom), (*one.divisors, *other.divisors)
        )

    implied_product = multiply

    def divide(self, children: list[Any]) -> _Quotient:
        one, other = children
        if other.top == 0:
            raise CannotJudge("something is divided by zero")
        return _Quotient(
            _product(one.top, other.bottom),
            _product(one.bottom, other.top),
            (*one.divisors, *other.divisors, other.top),
        )

    def exponent(self, children: list[Any]) -> int:
        sign, digits = children
        if len(digits) > 3:
            raise CannotJudge("a power is too high")
        return -int(digits) if sign is not None else int(digits)

    def raise_to(self, children: list[Any]) -> _Quotient:
        base, exponent = children
        if exponent < 0:
            base = self.divide([_Quotient(self._ring.one, self._ring.one), base])
        made = _Quotient(self._ring.one, self._ring.one, base.divisors)
        for _ in range(abs(exponent)):
            made = _Quotient(_product(made.top, base.top), _product(made.bottom, base.bottom), base.divisors)
        return made


def _sum(one: _Quotient, other: _Quotient, sign: int) -> _Quotient:
    divisors = (*one.divisors, *other.divisors)
    if one.bottom == other.bottom:
        return _Quotient(one.top + other.top * sign, one.bottom, divisors)
    top = _product(one.top, other.bottom) + _product(other.top, one.bottom) * sign
    return _Quotient(top, _product(one.bottom, other.bottom), divisors)


def _product(one: PolyElement, other: PolyElement) -> PolyElement:
    """The product, refused where it could become too large."""
    if len(one) * len(other) > MAX_TERMS:
        raise CannotJudge("this has too many terms")
    made = one * other
    if made and sum(made.degrees()) > MAX_DEGREE:
        raise CannotJudge(f"this has powers that are too high: at most {MAX_DEGREE} in all")
    if any(_bits(coefficient) > MAX_BITS for coefficient in made.values()):
        raise CannotJudge("this has numbers that are too large")
    return made


def _bits(coefficient: Any) -> int:
    return int(coefficient.numerator.bit_length() + coefficient.denominator.bit_length())


_FUNCTIONS: tuple[Callable[..., object], ...] = (equivalent, same_solutions, is_solved, is_solution, readable)

plugin = CheckerPlugin("1", {function.__name__: function for function in _FUNCTIONS})
