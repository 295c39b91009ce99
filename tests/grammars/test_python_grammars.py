"""The grammars of Python against Python: its library is read, damaged texts are taken only where `ast` takes them."""

from __future__ import annotations

import ast
import random
import re
import textwrap
import warnings
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest
from grammar_lab import accepts, value

LIBRARY = Path(ast.__file__).parent
MODULES = (
    "fractions",
    "statistics",
    "textwrap",
    "heapq",
    "difflib",
    "calendar",
    "bisect",
    "shlex",
    "string",
    "posixpath",
)
WORDS = """
    if else not in is lambda for , : ( ) [ ] { } * ** = := + x 1 'a' . and None == yield return try: except: while del
    import from as global assert raise pass break -> ; += @ def class async ... ~
"""
NOT_LOOKED_INTO = re.compile(r"\b[fF][rR]?['\"]|\b[rR][fF]['\"]")


@lru_cache
def parsed(module: str) -> tuple[str, ast.Module]:
    text = (LIBRARY / f"{module}.py").read_text(encoding="utf-8")
    return text, ast.parse(text)


def is_python(text: str, mode: str = "exec") -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(text, mode=mode)
        except (SyntaxError, ValueError):
            return False
    return True


@lru_cache
def expressions() -> tuple[str, ...]:
    """The expressions of the library, as they stand there and as `ast.unparse` writes them."""
    return tuple(dict.fromkeys(one for module in MODULES for one in expressions_of(module) if len(one) < 200))


def expressions_of(module: str) -> Iterator[str]:
    text, tree = parsed(module)
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line.encode()) + 1)
    data = text.encode()
    for node in ast.walk(tree):
        if isinstance(node, ast.expr) and node.end_lineno is not None and node.end_col_offset is not None:
            begin = starts[node.lineno - 1] + node.col_offset
            yield data[begin : starts[node.end_lineno - 1] + node.end_col_offset].decode()
            yield ast.unparse(node)


LEFT_OUT = re.compile(r"#|\byield\b|\bawait\b|[^\x00-\x7f]")


def test_the_expressions_of_the_library_are_read() -> None:
    texts = [one for one in expressions() if not LEFT_OUT.search(one) and is_python(f"(\n{one}\n)", "eval")]
    chosen = random.Random(1).sample(texts, 600)
    refused = [one for one in chosen if not accepts("python_expression", one)]
    # Only what stands in brackets of its own: a name given a value, a starred item, the slice of an index.
    assert [one for one in refused if is_python(one.replace("\n", " "), "eval")] == []
    assert len(refused) < 15


def test_a_damaged_expression_is_taken_where_python_takes_it() -> None:
    source = random.Random(2)
    texts = [one for one in expressions() if "\n" not in one and not NOT_LOOKED_INTO.search(one)]
    differ, both = [], 0
    for one in source.sample(texts, 600):
        text = damaged(one, source).replace("\n", " ")
        taken = accepts("python_expression", text)
        both += taken
        if taken != is_python(text, "eval") and not LEFT_OUT.search(text):
            differ.append(text)
    assert differ == []
    assert both > 40


def damaged(text: str, source: random.Random) -> str:
    """The text with one word left out, put in, or replaced."""
    words = list(re.finditer(r"'[^'\n]*'|\"[^\"\n]*\"|\w+|\*\*|[^\w\s]", text))
    word, other = source.choice(words), source.choice(WORDS.split())
    new = source.choice(["", f" {other} {word[0]}", f" {other} "])
    return (text[: word.start()] + new + text[word.end() :]).strip()


@lru_cache
def functions() -> tuple[tuple[ast.FunctionDef, str], ...]:
    found = []
    for module in MODULES:
        text, tree = parsed(module)
        lines = text.split("\n")
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.end_lineno is not None:
                source = textwrap.dedent("\n".join(lines[node.lineno - 1 : node.end_lineno]))
                if is_python(source):
                    found.append((node, source))
    return tuple(found)


def test_most_functions_of_the_library_are_read_with_their_names_and_parameters() -> None:
    taken = [(node, text) for node, text in functions() if accepts("python_function", text)]
    assert len(taken) > 0.8 * len(functions()) > 200
    for node, text in taken:
        found = value("python_function", text)
        given = node.args
        names = [*given.posonlyargs, *given.args, *given.kwonlyargs]
        expected = {one.arg for one in names} | {f"*{one.arg}" for one in [given.vararg] if one}
        expected |= {f"**{one.arg}" for one in [given.kwarg] if one}
        assert found["name"] == node.name
        assert {re.split(r"[:=]", one)[0].strip() for one in found["parameters"]} == expected
        assert ast.dump(ast.parse(found["function"])) == ast.dump(ast.parse(text))


@pytest.mark.parametrize("seed", range(2))
def test_what_is_taken_as_a_function_is_one(seed: int) -> None:
    source = random.Random(seed)
    good = [text for _, text in functions() if len(text) < 1_500 and accepts("python_function", text)]
    wrong, taken = [], 0
    for _ in range(150):
        text = source.choice([damaged, with_moved_line])(source.choice(good), source)
        if accepts("python_function", text) and not NOT_LOOKED_INTO.search(text):
            taken += 1
            if not is_python(text + "\n"):
                wrong.append(text)
    assert wrong == []
    assert taken > 20


def with_moved_line(text: str, source: random.Random) -> str:
    """The text with a line left out, doubled, or moved to another level."""
    lines = text.split("\n")
    at = source.randrange(len(lines))
    line = lines[at]
    lines[at : at + 1] = source.choice([[], [line, line], ["    " + line], [line.removeprefix("    ")]])
    return "\n".join(lines).strip()
