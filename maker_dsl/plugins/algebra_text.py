"""School algebra as text: `2(x + 3)^2 / y = 3.5x`. Read by a grammar of our own; nothing is ever evaluated as code.

Letters are variables, also one behind the other: `xy` is a product. Decimals are exact.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

from lark import Lark, Token, Transformer, Tree, UnexpectedInput
from lark.exceptions import VisitError

from maker_dsl.plugins.plugin import CannotJudge

LONGEST_TEXT = 1_000

GRAMMAR = r"""
start: sum | sum "=" sum -> equation
?sum: product | sum "+" product -> add | sum _MINUS product -> subtract
?product: signed | product _TIMES signed -> multiply | product _OVER signed -> divide
?signed: implied | _MINUS signed -> negate | "+" signed
?implied: power | implied power_of_name -> implied_product
?power: atom | atom _RAISED exponent -> raise_to
?power_of_name: closed | closed _RAISED exponent -> raise_to
exponent: [SIGN] WHOLE | "(" [SIGN] WHOLE ")" | "{" [SIGN] WHOLE "}"
?atom: NUMBER -> number | WHOLE -> number | closed
?closed: NAME -> variable | "(" sum ")"
NAME: /[A-Za-z](_?[0-9]+)?/
WHOLE: /[0-9]+/
NUMBER: /[0-9]+[.][0-9]+/
SIGN: "-" | "\u2212"
_MINUS: "-" | "\u2212"
_TIMES: "*" | "\u00b7" | "\u00d7"
_OVER: "/" | "\u00f7" | ":"
_RAISED: "^" | "**"
%ignore /[ \t]+/
"""

_PARSER: list[Lark] = []
_WORDS = re.compile(r"[A-Za-z][ \t]+[A-Za-z]")


def read(text: str, build: Transformer[Token, Any]) -> Any:
    """What `build` makes of an expression or equation; raises CannotJudge with the place where reading stopped."""
    if len(text) > LONGEST_TEXT:
        raise CannotJudge(f"a text of {len(text):,} characters; at most {LONGEST_TEXT:,} are read")
    if _WORDS.search(text):
        raise CannotJudge(f"`{text.strip()}` can't be read: between letters with a blank there has to be a sign")
    if not _PARSER:
        _PARSER.append(Lark(GRAMMAR, parser="lalr"))
    try:
        tree = _PARSER[0].parse(text.strip())
    except UnexpectedInput as error:
        column = getattr(error, "column", 0)
        where = f"column {column}" if isinstance(column, int) and column > 0 else "at the end"
        raise CannotJudge(f"`{text.strip()}` can't be read ({where})") from error
    for division in tree.find_data("divide"):
        divisor = division.children[1]
        if isinstance(divisor, Tree) and divisor.data == "implied_product":
            raise CannotJudge(f"`{text.strip()}` can be read in two ways: put what is divided by into brackets")
    try:
        return build.transform(tree)
    except VisitError as error:
        raise error.orig_exc from error


def number(token: Token) -> Fraction:
    """The exact value of a written number."""
    return Fraction(str(token))
