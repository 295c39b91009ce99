"""Expressions that have no value: what is said, and at which characters it points."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from expression_lab import INT, STRING, Def, check_text, evaluate

from maker_dsl.compiler.expressions import compile_function, module_code
from maker_dsl.diagnostics import Source
from maker_dsl.expressions.errors import EvaluationError
from maker_dsl.expressions.runtime import bind
from maker_dsl.types.type import ListType

FAILURES: list[tuple[str, str, str]] = [
    ("1 + ints[3]", "ints[3]", "there is no item at this index"),
    ("text[99]", "text[99]", "there is no item at this index"),
    ('1 + ages["adam"]', 'ages["adam"]', 'the map has no key "adam"'),
    ("1 + n // (n - 7)", "n // (n - 7)", "division by zero"),
    ("1 + n % (n - 7)", "n % (n - 7)", "division by zero"),
    ("n / (n - 7)", "n / (n - 7)", "division by zero"),
    ("half / (n - 7)", "half / (n - 7)", "division by zero"),
    ("price / (n - 7)", "price / (n - 7)", "division by zero"),
    ("price % (n - 7)", "price % (n - 7)", "division by zero"),
    ("(price - price) / (n - 7)", "(price - price) / (n - 7)", "division by zero"),
    ("2 ** (n - 8)", "2 ** (n - 8)", "an int can't be raised to a negative exponent"),
    ("half ** 9999", "half ** 9999", "this number is too large for a float"),
    ("half * 1e308", "half * 1e308", "this number is too large for a float"),
    ("10 ** 400 / 3", "10 ** 400 / 3", "this number is too large for a float"),
    ("price ** 9999", "price ** 9999", "this number is too large for a decimal"),
    ("price + 10 ** 60", "10 ** 60", "this int is too large for a decimal of 50 digits"),
    ("ints[::n - 7]", "ints[::n - 7]", "the step of a slice is zero"),
    ("range(1, 9, n - 7)", "range(1, 9, n - 7)", "the step of `range` is zero"),
    ("min(none)", "min(none)", "`min` of an empty list"),
    ("max(i for i in none)", "max(i for i in none)", "`max` of an empty list"),
    ("set_at(ints, 3, 1)", "set_at(ints, 3, 1)", "there is no item 3 in a list of 3"),
    ('split(text, "")', 'split(text, "")', "the separator of `split` is empty"),
    ('replace(text, "", "a")', 'replace(text, "", "a")', "the part that `replace` looks for is empty"),
    ("a_date + 10 ** 9", "a_date + 10 ** 9", "this date lies outside the years 1 to 9999"),
    ("a_date + 10 ** 30", "a_date + 10 ** 30", "this date lies outside the years 1 to 9999"),
    ("[ints[i] for i in range(9)]", "ints[i]", "there is no item at this index"),
    ("all(ints[i] > 0 for i in range(9))", "ints[i]", "there is no item at this index"),
    ("(first(none) ?? ints[5])", "ints[5]", "there is no item at this index"),
]


@pytest.mark.parametrize(("text", "place", "message"), FAILURES, ids=[text for text, _, _ in FAILURES])
def test_failure_says_what_and_where(text: str, place: str, message: str) -> None:
    with pytest.raises(EvaluationError) as caught:
        evaluate(text)
    assert caught.value.span is not None
    assert caught.value.span.text == place
    assert str(caught.value) == f"`{place}`: {message}"


@pytest.mark.parametrize("before", ['"é" + ', '"日本語😀" + ', '"a" +\n\n  "ü\\n" + ', "\t"])
def test_places_count_characters_whatever_stands_before(before: str) -> None:
    with pytest.raises(EvaluationError) as caught:
        evaluate(before + 'words[9] + "é" + text')
    span = caught.value.span
    assert span is not None
    assert (span.start, span.end) == (len(before), len(before) + len("words[9]"))


def test_place_is_in_the_def_that_failed() -> None:
    defs = (Def("third", {"list": ListType(INT)}, INT, "list[2]"),)
    with pytest.raises(EvaluationError, match="there is no item at this index"):
        evaluate("[third([i]) for i in ints]", defs=defs)


def test_failures_keep_no_python_traceback() -> None:
    with pytest.raises(EvaluationError) as caught:
        evaluate("ints[3]")
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


HOSTILE = [
    "range(10 ** 12)",
    "range(10 ** 3000)",
    "[i for i in range(10 ** 12)]",
    "[i for i in range(10 ** 3000)]",
    '"a" * 10 ** 9',
    '"a" * 10 ** 3000',
    "[0] * 10 ** 9",
    "[0] * 10 ** 3000",
    "2 ** 10 ** 10",
    "10 ** 9 ** 9",
    "(0 - 7) ** 10 ** 9",
    "1.1 ** 10 ** 40",
    "price ** 10 ** 40",
    "[0 for a in range(5000) for b in range(5000) for c in range(5000)]",
    "[[[0 for a in range(500)] for b in range(500)] for c in range(500)]",
    "len([0 for a in ints * 300000 for b in ints * 300000])",
    "all(a == b for c in range(1000000) for a in [ints * 100000] for b in [ints * 100000])",
    'any(a + "x" == a + "y" for c in range(1000000) for a in ["a" * 1000000])',
    "any(9 in a for c in range(1000000) for a in [ints * 100000])",
    "[sorted(ints * 100000) for c in range(100000)]",
    "[ints * 100000 for c in range(100000)]",
    "[(ints * 100000)[1:] for c in range(100000)]",
    "sum(sum(ints * 100000) for c in range(100000))",
    "[string(2 ** 9999 + c) for c in range(1000000)]",
    "[2 ** 9000 // (2 ** 4000 + c) for c in range(1000000)]",
    "flatten([ints * 1000] * 1000)",
    "[pegs * 100000 == pegs * 100000 for c in range(100000)]",
    'join(["a" * 1000000] * 100, "")',
    'replace("a" * 1000000, "a", "a" * 1000)',
    '[upper("a" * 1000000) for c in range(100000)]',
    'json([["a" * 1000] * 1000] * 1000)',
    "unique([[ints] * 1000] * 1000)",
    "{ string(c): [c] * 1000 for c in range(1000000) }",
    "[keys({ string(i): i for i in range(1000) }) for c in range(100000)]",
    '[matches("a" * 1000000, "(a*)*b") for c in range(100000)]',
    '[split("a " * 100000) for c in range(100000)]',
    "[enumerate(ints * 100000) for c in range(100000)]",
    "[zip(ints * 100000, ints * 100000) for c in range(100000)]",
    "max(b + c for b in [2 ** 12900] for c in range(1000000))",
    "[b - 1 for b in [2 ** 12900] for c in range(1000000)]",
    "[-b for b in [2 ** 12900] for c in range(1000000)]",
    "[abs(b) for b in [2 ** 12900] for c in range(1000000)]",
    "[b * 1 for b in [2 ** 12900] for c in range(1000000)]",
    "[b // 1 for b in [2 ** 12900] for c in range(1000000)]",
    "len(range(2 ** 12900, 2 ** 12900 + 1000000))",
    "[i for i in range(2 ** 12900, 2 ** 12900 + 1000000)]",
    "[json([b]) for b in [2 ** 12900] for c in range(100000)]",
    "unique([b for b in [2 ** 12900] for c in range(1000000)])",
    "all(decimal(1.0000000001) ** 999999999999 > 0 for c in range(1000000))",
    "all(round(price, 999999999) > 0 for c in range(1000000))",
    "all(floor(d) > 0 for d in [decimal(10) ** 999] for c in range(1000000))",
]


@pytest.mark.timeout(120)
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_expression_is_stopped(text: str) -> None:
    with pytest.raises(EvaluationError, match=r"too (much work|long|large)"):
        evaluate(text)


SAME_HASHES: list[tuple[str, int]] = [
    ("i * (2 ** 61 - 1) for i in range(100000)", 100_000),
    ("i * 2305843009213693951 + 5 for i in range(100000)", 100_000),
    ("[i * 2305843009213693951, 1] for i in range(60000)", 60_000),
    ("decimal(i) * 2305843009213693951 for i in range(100000)", 100_000),
    ("[-1 - i // 2 ** k % 2 for k in range(14)] for i in range(20000)", 2**14),
    ("{ a: -1 - i % 2, b: -1 - i // 2 % 2 } for i in range(50000)", 4),
]


@pytest.mark.timeout(60)
@pytest.mark.parametrize(("items", "count"), SAME_HASHES)
def test_items_whose_hashes_are_the_same_are_told_apart_in_time(items: str, count: int) -> None:
    assert evaluate(f"len(unique({items}))") == count


CHAINS: list[tuple[str, Any, str, str]] = [
    ("string", STRING, "v + v", '"a"'),
    ("list", ListType(INT), "v + v", "[1]"),
    ("int", INT, "v * v + v", "3"),
    ("sum", INT, "v + v", "3"),
    ("calls", INT, "v + 1", "3"),
    ("items", ListType(INT), "[w + w for w in v]", "[1]"),
]


@pytest.mark.parametrize(("name", "type_", "body", "start"), CHAINS, ids=[name for name, *_ in CHAINS])
def test_defs_that_double_are_stopped(name: str, type_: Any, body: str, start: str) -> None:
    defs = [Def("f0", {"v": type_}, type_, body)]
    defs += [Def(f"f{i}", {"v": type_}, type_, f"f{i - 1}(f{i - 1}(v))") for i in range(1, 60)]
    with pytest.raises(EvaluationError, match=r"too (much work|long|large)"):
        evaluate(f"f59({start})", defs=tuple(defs))


def test_a_long_chain_of_defs_is_an_error_in_the_languages_words() -> None:
    defs = [Def("f0", {"v": INT}, INT, "v")]
    defs += [Def(f"f{i}", {"v": INT}, INT, f"f{i - 1}(v)") for i in range(1, 3000)]
    with pytest.raises(EvaluationError, match="defs call one another too deeply"):
        evaluate("f2999(1)", defs=tuple(defs))


def test_fuel_is_full_again_for_every_evaluation() -> None:
    for _ in range(3):
        assert evaluate("len([0 for i in range(1000000)])") == 1000000


def test_threads_do_not_burn_each_others_fuel() -> None:
    failures: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(5):
                evaluate("len([0 for i in range(900000)])")
        except EvaluationError as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_compiled_code_reaches_nothing_of_python() -> None:
    checked = check_text("len(ints)")
    code = module_code(
        [compile_function("main", [], checked.tree, checked.typing, checked.source)], Source("t.maker", "len(ints)")
    )
    entry = bind(code, {"ints": [1]}, Source("t.maker", "len(ints)"))["main"]
    assert entry() == 1
    inner = next(cell.cell_contents for cell in entry.__closure__ or () if callable(cell.cell_contents))
    assert inner.__globals__["__builtins__"] == {}


def test_nested_comprehensions_compile_as_deep_as_they_may_nest() -> None:
    clauses = " ".join(f"for v{i} in [{i}]" for i in range(40))
    assert evaluate(f"[v0 + v39 {clauses}]") == [39]
    nested = "1"
    for i in range(30):
        nested = f"[{nested} for w{i} in [0]]"
    value = evaluate(nested)
    while isinstance(value, list):
        value = value[0]
    assert value == 1
