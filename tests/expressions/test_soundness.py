"""Whatever passes the checker runs: it gives a value or an EvaluationError, never an error of Python's."""

from __future__ import annotations

import random

import pytest
from expression_lab import CAST, INT, Def, check_text

from maker_dsl.checker.builtins import BUILTINS
from maker_dsl.compiler.expressions import compile_condition, compile_definition, compile_function, module_code
from maker_dsl.expressions.errors import EvaluationError
from maker_dsl.expressions.runtime import bind
from maker_dsl.types.type import ListType, OptionalType

DEFS = (
    Def("top", {"peg": ListType(INT)}, OptionalType(INT), "peg[-1] if peg else null"),
    Def("next", {"v": INT}, INT, "v + 1"),
)
OPERATORS = ("+", "-", "*", "/", "//", "%", "**", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "and", "or", "??")
LEAVES = [*CAST, "0", "1", "2", "-1", "1.5", "0.0", '"a"', '""', '"debit"', "null", "true", "[]", "{}"]
FIELDS = ["disk", "source", "name", "note", "__class__"]


class Writer:
    """Writes expressions without any regard for types."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.loops = 0

    def write(self, depth: int, names: tuple[str, ...] = ()) -> str:
        pick = self.random.choice
        if depth == 0 or self.random.random() < 0.15:
            return pick([*LEAVES, *names, *names])

        def part(*more: str) -> str:
            return self.write(depth - 1, names + more)

        match self.random.randrange(18):
            case 0 | 1 | 2:
                return f"({part()} {pick(OPERATORS)} {part()})"
            case 3:
                return f"({part()} if {part()} else {part()})"
            case 4:
                return f"{part()}[{part()}]"
            case 5:
                return f"{part()}[{part()}:{part()}]"
            case 6:
                return f"{part()}.{pick(FIELDS)}"
            case 7:
                return f"[{part()}, {part()}]"
            case 8:
                return f"(not {part()})" if self.random.random() < 0.5 else f"(-{part()})"
            case 9:
                return f"{{ name: {part()}, note: {part()} }}"
            case 10:
                return f'{{ "k": {part()} }}'
            case 11:
                return f"{{ ...{part()}, note: {part()} }}"
            case 12 | 13:
                self.loops += 1
                name = f"v{self.loops}"
                clause = f"for {name} in {part()}" + (f" if {part(name)}" if self.random.random() < 0.5 else "")
                inner = f"{part(name)} {clause}"
                return pick([f"[{inner}]", f"all({inner})", f"sum({inner})", f"{{ string({name}): {inner} }}"])
            case 14:
                return pick(["top", "next"]) + f"({part()})"
            case 15:
                path = pick(["last", "absent", "maybe", "nothing", "maybe_text", "note.note"])
                return f"({path} {pick(['!=', '=='])} null {pick(['and', 'or'])} {part()} == {path})"
            case _:
                overload = pick(pick(list(BUILTINS.values())).overloads)
                arguments = [part() for parameter in overload.signature.positional if not parameter.is_optional]
                return f"{overload.signature.name}({', '.join(arguments)})"


def run(text: str) -> bool:
    """Whether the expression checked clean; if so, it was run."""
    try:
        checked = check_text(text, defs=DEFS)
    except AssertionError:
        return False
    if checked.problems:
        return False
    functions = [compile_definition(each, checked.typing, checked.source) for each in checked.functions]
    functions.append(compile_function("main", [], checked.tree, checked.typing, checked.source))
    values = {name: value for name, (_, value) in CAST.items()}
    entry = bind(module_code(functions, checked.source), values, checked.source)["main"]
    try:
        entry()
    except EvaluationError as error:
        return error.span is not None
    return True


def campaign(seeds: range) -> int:
    """How many of the seeds' expressions checked clean and ran."""
    clean = 0
    for seed in seeds:
        writer = Writer(seed)
        text = writer.write(writer.random.randrange(1, 5))
        try:
            clean += run(text)
        except Exception as error:
            raise AssertionError(f"seed {seed}: {text}") from error
    return clean


def test_what_checks_clean_runs() -> None:
    assert campaign(range(1500)) > 100


@pytest.mark.long
def test_what_checks_clean_runs_at_length() -> None:
    assert campaign(range(10_000, 25_000)) > 1000


def test_a_condition_gives_a_bool() -> None:
    for text in (
        "ints",
        "none",
        "maybe",
        "nothing",
        "maybe_text",
        "ages",
        "yes",
        "not ints",
        "ints and text",
        "last or yes",
    ):
        checked = check_text(text)
        assert not checked.problems or text == "yes"
        for negate in (False, True):
            function = compile_condition("c", [], checked.tree, checked.typing, checked.source, negate=negate)
            values = {name: value for name, (_, value) in CAST.items()}
            value = bind(module_code([function], checked.source), values, checked.source)["c"]()
            assert isinstance(value, bool)
