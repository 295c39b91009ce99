"""Grammars against other readers of the same formats, on right and wrong texts: Python's own, SQLite's, git's."""

from __future__ import annotations

import csv
import difflib
import io
import json
import random
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest
from golden import read_cases
from grammar_lab import accepts, own_grammar, value
from hypothesis import given
from hypothesis import strategies as st

from maker_dsl.task import Parsed

SAMPLES = Path(__file__).parent / "samples"


def test_dates_are_those_of_the_calendar() -> None:
    source = random.Random(3)
    days = [date(1, 1, 1) + timedelta(source.randrange(3_652_058)) for _ in range(300)] + [date.min, date.max]
    for day in days:
        assert value("iso_date", day.isoformat()) == {"date": day}
    for _ in range(1_000):
        year, month, number = source.choice((1900, 2000, 2024, 2026)), source.randrange(14), source.randrange(33)
        text = f"{year}-{month:02}-{number:02}"
        assert accepts("iso_date", text) == is_date(text), text


def is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(JSON_VALUES, st.booleans(), st.sampled_from([None, 2]))
def test_what_json_writes_is_json(written: object, ascii_only: bool, indent: int | None) -> None:
    text = json.dumps(written, ensure_ascii=ascii_only, indent=indent)
    if is_unicode(text):
        assert json.loads(value("json", text)["value"]) == written


JSON_PIECES = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    '"',
    '"a"',
    "0",
    "1",
    "-",
    ".",
    "e5",
    "true",
    "null",
    "\\",
    "\\u00e9",
    "\t",
    " ",
]


@given(JSON_VALUES, st.data())
def test_a_damaged_json_text_is_taken_where_python_takes_it(written: object, data: st.DataObject) -> None:
    text = json.dumps(written)
    at = data.draw(st.integers(0, len(text)))
    cut = data.draw(st.integers(0, 2))
    text = (text[:at] + data.draw(st.sampled_from(JSON_PIECES)) + text[at + cut :]).strip(" \t\n\r")
    assert accepts("json", text) == is_json(text), text


def is_unicode(text: str) -> bool:
    return not re.search("[\ud800-\udfff]", text)


def is_json(text: str) -> bool:
    def refuse(name: str) -> None:
        raise ValueError(name)

    try:
        json.loads(text, parse_constant=refuse)
    except ValueError:
        return False
    return is_unicode(text)


# In the manner of the test suites for JSON: y must be taken, n refused. The names say what each is about.
JSON_CASES = {
    "y_nested": "[" * 500 + "]" * 500,
    "y_doubled_name": '{"a":1,"a":2}',
    "y_empty_name": '{"":0}',
    "y_negative_zero": "-0",
    "y_exponents": "[1E+2,1e-2,0e0,1.5e3]",
    "y_huge_number": "1e999999",
    "y_many_digits": "9" * 400,
    "y_escapes": '"\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000"',
    "y_delete_character": '"\x7f"',
    "y_line_separator": '"\u2028"',
    "y_white_space": "[ \t1\n,\r2 ]",
    "n_leading_zero": "-01",
    "n_plus": "+1",
    "n_no_digit_before_point": "-.5",
    "n_no_digit_after_point": "2.e3",
    "n_bare_exponent": "1e",
    "n_hexadecimal": "0x1",
    "n_infinity": "-Infinity",
    "n_single_quotes": "['a']",
    "n_unescaped_tab": '["\t"]',
    "n_unescaped_line_break": '["a\nb"]',
    "n_short_unicode_escape": '"\\u12"',
    "n_unknown_escape": '"\\a"',
    "n_comment": "[1 /* one */]",
    "n_trailing_comma_in_object": '{"a":1,}',
    "n_missing_comma": '["a" "b"]',
    "n_missing_colon": '{"a" 1}',
    "n_number_as_name": "{1:1}",
    "n_unclosed": "[1",
    "n_closed_twice": "[1]]",
    "n_two_values": "1 2",
    "n_form_feed": "[\f1]",
    "n_no_break_space": "[\u00a01]",
    "n_capitals": "[True]",
    "n_byte_order_mark": "\ufeff{}",
}


@pytest.mark.parametrize("name", JSON_CASES)
def test_json_of_all_kinds(name: str) -> None:
    assert accepts("json", JSON_CASES[name]) == name.startswith("y_")


CELL = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=8)


@given(st.lists(CELL | st.sampled_from(['"', "a,b", "two\nlines", 'say "a"', ""]), min_size=2, max_size=5))
def test_what_csv_writes_is_a_row(cells: list[str]) -> None:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    text = out.getvalue().removesuffix("\r\n")
    if text == text.strip() and "\0" not in text:
        assert [one.replace('""', '"') for one in value("csv_row", text)["cells"]] == cells


LINES = st.lists(st.sampled_from(["a", "b", "", "-- x", "++ y", "@@ -1 +1 @@", " c", "d\tе"]), max_size=8)
DIFF = """// fields { hunks: list[string], removed: list[string], added: list[string], kept: list[string] }
"""


@given(LINES, LINES)
def test_what_difflib_writes_is_a_diff_and_says_what_was_changed(old: list[str], new: list[str]) -> None:
    lines = list(difflib.unified_diff(old, new, "old", "new", "2026-11-23", "2026-11-24", lineterm=""))
    # White space around a reply does not count: an empty line of context at its end would be lost.
    if lines and lines[-1].strip():
        found = changed_lines("\n".join(lines))
        signs = {"removed": "-", "added": "+", "kept": " "}
        body = [line for line in lines[2:] if not re.fullmatch(r"@@ -\d+(,\d+)? \+\d+(,\d+)? @@", line)]
        for field, sign in signs.items():
            assert found[field] == [line[1:] for line in body if line[0] == sign]
        assert "".join(found["hunks"]) == "\n".join(lines[2:]) + "\n"


def changed_lines(text: str) -> dict[str, list[str]]:
    from grammar_lab import grammar_text

    found = own_grammar(DIFF + grammar_text("unified_diff").split("// fields", 1)[1].split("\n", 1)[1]).read(text)
    assert isinstance(found, Parsed), found
    return found.value


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
@pytest.mark.parametrize("old", ["a\nb\nc\n", "a\n\nb\n", "one line", ""])
@pytest.mark.parametrize("new", ["a\nB\nc\n", "\n\na\n\nb\nc\n", "one  line", "x\n" * 20 + "y"])
def test_what_git_writes_is_a_diff(old: str, new: str, tmp_path: Path) -> None:
    for name, text in (("old", old), ("new", new)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    command = ["git", "diff", "--no-index", "--no-color", "old", "new"]
    text = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False).stdout
    found = value("unified_diff", text)
    assert "".join(found["hunks"]).strip() == text[text.index("@@") :].strip()
    assert (found["old"], found["new"]) == ("a/old", "b/new")


TABLES = {
    "t": "a b c d",
    "weather": "city temp_lo temp_hi prcp date",
    "cities": "name location",
    "empsalary": "depname empno salary",
    "u": "x a b",
    "v": "c",
    "orders": "id day name total",
}


@pytest.fixture
def base() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as opened:
        yield opened


def test_sqlite_prepares_what_the_grammar_takes(base: sqlite3.Connection) -> None:
    for name, columns in TABLES.items():
        base.execute(f"create table {name} ({', '.join(columns.split())})")
    queries = [line for case in read_cases(SAMPLES / "sql_select.md") for line in case.input("lines").splitlines()]
    taken = [query for query in queries if accepts("sql_select", query)]
    # What SQLite has not: typed literals, extract, schemas by that name, rows to fetch.
    foreign = re.compile(r"date '|extract\(|s\.u|fetch next")
    for query in taken:
        if not foreign.search(query):
            base.execute(f"explain {query}", ("x",) * query.count("?"))
    assert len(taken) > 15


SQL_WORDS = (
    "select from where and or not in ( ) , . * = a t 1 'x' group by order union as case when end join on is null"
)
QUERY = """
    select a , t . b as n from t join u on t . a = u . x where b in ( 1 , 2 ) and not c is null order by a , n
"""


def test_a_damaged_query_that_is_taken_is_one_for_sqlite_too(base: sqlite3.Connection) -> None:
    source = random.Random(11)
    taken = 0
    for _ in range(800):
        words = QUERY.split()
        for _ in range(source.randrange(1, 3)):
            at = source.randrange(len(words))
            words[at : at + source.randrange(2)] = [source.choice(SQL_WORDS.split())] * source.randrange(2)
        query = " ".join(words)
        if accepts("sql_select", query):
            taken += 1
            with pytest.raises(sqlite3.OperationalError, match=r"no such table|no tables specified"):
                base.execute(f"explain {query}")
    assert taken > 30
