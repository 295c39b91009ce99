"""What a grammar says of itself at its top."""

from __future__ import annotations

import pytest

from maker_dsl.replies.grammar_header import read_header, without_comment_signs


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("// fields { a: int }\nstart: A", ["{ a: int }"]),
        ("//fields{a: int}\n", ["{a: int}"]),
        ("\n  // words\n// fields {\n//   a: int\n// }\n// more", ["{\n     a: int\n   }"]),
        ('// fields { a: "}" | "x" }\n// b', ['{ a: "}" | "x" }']),
        ("// fields { a: { b: int } }", ["{ a: { b: int } }"]),
        ("// fields { a: int } and more", ["{ a: int } and more"]),
        ("// fields { a: int\n// b", ["{ a: int\n   b"]),
        ("// fields { a: int }\n// fields { b: int }", ["{ a: int }", "{ b: int }"]),
        ("start: A\n// fields { a: int }", []),
        ("// the fields { a: int }", []),
        ("", []),
    ],
)
def test_fields_are_found_in_the_first_comment_lines(text: str, fields: list[str]) -> None:
    assert [without_comment_signs(text, *place) for place in read_header(text).fields] == fields


def test_form_and_example_may_have_several_lines() -> None:
    header = read_header("// form: one\n// form: two\n//\n// example: - a\n// example:   b \n// example:\nstart: A")
    assert header.form == "one\ntwo"
    assert header.example == "- a\n  b\n"
    assert header.example_line == 4
