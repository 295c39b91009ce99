"""The language reference of expressions: its examples are true, its tables those of the catalogue and the limits."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from expression_lab import CAST, evaluate

from maker_dsl.checker.builtins import BUILTINS
from maker_dsl.expressions import limits

PAGE = Path(__file__).parents[2] / "docs" / "language" / "expressions.md"
TEXT = PAGE.read_text(encoding="utf-8")
EXAMPLES = [
    (expression.strip(), value.strip())
    for block in re.findall(r"```expressions\n(.*?)```", TEXT, re.S)
    for expression, value in (line.rsplit(" # ", 1) for line in block.splitlines())
]


@pytest.mark.parametrize(("expression", "value"), EXAMPLES, ids=[expression for expression, _ in EXAMPLES])
def test_example_is_true(expression: str, value: str) -> None:
    found, wanted = evaluate(expression), evaluate(value)
    assert found == wanted
    assert type(found) is type(wanted)


def test_cast_is_the_one_the_examples_run_with() -> None:
    block = re.search(r"```expressions-cast\n(.*?)```", TEXT, re.S)
    assert block is not None
    for line in block[1].splitlines():
        name, _, value = re.split(r"  +", line)
        type_, known = CAST[name]
        assert evaluate(value, type_, cast={}) == known


def builtins_table() -> str:
    parts: list[str] = []
    for topic in dict.fromkeys(builtin.topic for builtin in BUILTINS.values()):
        parts += [f"### {topic}", ""]
        for builtin in BUILTINS.values():
            if builtin.topic == topic:
                parts += [f"**`{builtin.name}`** {builtin.doc}", "", "```text"]
                parts += [overload.text for overload in builtin.overloads]
                parts += [f"    {expression}  →  {value}" for expression, value in builtin.examples]
                parts += ["```", ""]
    return "\n".join(parts).rstrip()


def limits_table() -> str:
    rows = (
        ("work of one evaluation", f"{limits.MAX_FUEL:,} operations"),
        ("work of all that starts a task", f"{limits.MAX_FUEL:,} operations"),
        ("items of an initial state", f"{limits.MAX_STATE_ITEMS:,}"),
        ("characters of an initial state", f"{limits.MAX_STATE_CHARACTERS:,}"),
        ("items of a list that an operator or builtin makes", f"{limits.MAX_ITEMS:,}"),
        ("characters of a string", f"{limits.MAX_CHARACTERS:,}"),
        ("binary digits of an int", f"{limits.MAX_INT_BITS:,} (about 3,900 decimal digits)"),
        ("digits of a decimal", f"{limits.MAX_DECIMAL_DIGITS}, exponents up to {limits.MAX_DECIMAL_EXPONENT}"),
    )
    return "\n".join(["| what | at most |", "|---|---|", *(f"| {what} | {bound} |" for what, bound in rows)])


@pytest.mark.parametrize("name", ["builtins", "limits"])
def test_table_is_up_to_date(name: str, request: pytest.FixtureRequest) -> None:
    table = builtins_table() if name == "builtins" else limits_table()
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(f"<!-- {name} -->\n")
    found, _, after = rest.partition("<!-- end -->")
    if request.config.getoption("--update-golden"):
        PAGE.write_text(f"{before}<!-- {name} -->\n{table}\n<!-- end -->{after}", encoding="utf-8")
        return
    assert found == f"{table}\n", "rewrite it with --update-golden"
