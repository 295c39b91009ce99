"""The plug-in `logic`: what follows from what, decided by z3.

A statement is made of names, `not`, `and`, `or`, `->` (if … then), `<->` (exactly if), and comparisons of sums of real
numbers: `rain -> wet`, `2*price + fee <= 100`, `not (a and b)`. A name stands for a statement or for a number, never
for both. Products are allowed where one side is a number, so that every question has an answer; z3 is given a fixed
amount of work instead of a time, so that the answer is the same on every machine.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import z3
from lark import Lark, Token, Transformer, UnexpectedInput
from lark.exceptions import VisitError

from maker_dsl.plugins.plugin import CannotJudge, CheckerPlugin

LONGEST_TEXT = 10_000
MAX_WORK = 20_000_000
"""What z3 calls its resource limit."""

GRAMMAR = r"""
start: statement
?statement: implied | implied "<->" implied -> equivalence
?implied: either | either "->" implied -> implication
?either: both | either "or" both -> disjunction
?both: opposite | both "and" opposite -> conjunction
?opposite: plain | "not" opposite -> negation
?plain: "true" -> truth | "false" -> falsehood | comparison | NAME -> proposition | "(" statement ")"
comparison: sum COMPARES sum
?sum: product | sum "+" product -> add | sum "-" product -> subtract
?product: signed | product "*" signed -> multiply | product "/" signed -> divide
?signed: quantity | "-" signed -> negate
?quantity: NUMBER -> number | NAME -> variable | "(" sum ")"
COMPARES: "<=" | ">=" | "!=" | "=" | "<" | ">"
NAME: /(?!(?:and|or|not|true|false)\b)[A-Za-z_][A-Za-z_0-9]*/
NUMBER: /[0-9]+([.][0-9]+)?/
%ignore /[ \t\r\n]+/
"""

_PARSER: list[Lark] = []


def follows(premises: list[str], conclusion: str) -> bool:
    """Whether the conclusion holds wherever all the premises hold."""
    reader = _Reader()
    return not _is_possible([*map(reader.statement, premises), z3.Not(reader.statement(conclusion))])


def consistent(statements: list[str]) -> bool:
    """Whether all the statements can hold together."""
    reader = _Reader()
    return _is_possible([reader.statement(one) for one in statements])


def equivalent(left: str, right: str) -> bool:
    """Whether two statements hold in the same cases."""
    reader = _Reader()
    return not _is_possible([reader.statement(left) != reader.statement(right)])


def readable(text: str) -> bool:
    """Whether a text is a statement that can be read."""
    try:
        _Reader().statement(text)
    except CannotJudge:
        return False
    return True


def _is_possible(statements: list[Any]) -> bool:
    solver = z3.Solver()
    solver.set("rlimit", MAX_WORK)
    solver.set("random_seed", 0)
    solver.add(*statements)
    answer = solver.check()
    if answer == z3.unknown:
        raise CannotJudge("this takes too much work")
    return bool(answer == z3.sat)


class _Reader(Transformer[Token, Any]):
    """Makes z3's terms; one for all the texts of a question, in which a name means one thing."""

    def __init__(self) -> None:
        super().__init__()
        self._meanings: dict[str, str] = {}

    def statement(self, text: str) -> Any:
        """The term of a statement; raises CannotJudge."""
        if len(text) > LONGEST_TEXT:
            raise CannotJudge(f"a text of {len(text):,} characters; at most {LONGEST_TEXT:,} are read")
        if not _PARSER:
            # Earley, since only a whole statement tells the brackets of a sum from those of a statement.
            _PARSER.append(Lark(GRAMMAR, parser="earley"))
        try:
            return self.transform(_PARSER[0].parse(text))
        except UnexpectedInput as error:
            column = getattr(error, "column", 0)
            where = f"column {column}" if isinstance(column, int) and column > 0 else "at the end"
            raise CannotJudge(f"`{text.strip()}` can't be read ({where})") from error
        except VisitError as error:
            raise error.orig_exc from error

    def start(self, children: list[Any]) -> Any:
        return children[0]

    def equivalence(self, children: list[Any]) -> Any:
        return children[0] == children[1]

    def implication(self, children: list[Any]) -> Any:
        return z3.Implies(*children)

    def disjunction(self, children: list[Any]) -> Any:
        return z3.Or(*children)

    def conjunction(self, children: list[Any]) -> Any:
        return z3.And(*children)

    def negation(self, children: list[Any]) -> Any:
        return z3.Not(children[0])

    def truth(self, children: list[Any]) -> Any:
        return z3.BoolVal(True)

    def falsehood(self, children: list[Any]) -> Any:
        return z3.BoolVal(False)

    def proposition(self, children: list[Any]) -> Any:
        return z3.Bool(self._meaning(children[0], "a statement"))

    def variable(self, children: list[Any]) -> Any:
        return z3.Real(self._meaning(children[0], "a number"))

    def number(self, children: list[Any]) -> Any:
        return z3.RealVal(str(children[0]))

    def comparison(self, children: list[Any]) -> Any:
        left, sign, right = children
        return _COMPARISONS[str(sign)](left, right)

    def add(self, children: list[Any]) -> Any:
        return children[0] + children[1]

    def subtract(self, children: list[Any]) -> Any:
        return children[0] - children[1]

    def negate(self, children: list[Any]) -> Any:
        return -children[0]

    def multiply(self, children: list[Any]) -> Any:
        one, other = map(z3.simplify, children)
        if not (z3.is_rational_value(one) or z3.is_rational_value(other)):
            raise CannotJudge("a product of two unknown numbers")
        return one * other

    def divide(self, children: list[Any]) -> Any:
        one, other = map(z3.simplify, children)
        if not z3.is_rational_value(other) or other.as_fraction() == 0:
            raise CannotJudge("only a number other than zero can be divided by")
        return one / other

    def _meaning(self, name: Token, kind: str) -> str:
        known = self._meanings.setdefault(str(name), kind)
        if known != kind:
            raise CannotJudge(f"`{name}` stands for a statement and for a number")
        return str(name)


_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
    "=": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
}

_FUNCTIONS: tuple[Callable[..., object], ...] = (follows, consistent, equivalent, readable)

plugin = CheckerPlugin("1", {function.__name__: function for function in _FUNCTIONS})
