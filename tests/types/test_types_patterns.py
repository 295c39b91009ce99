"""A pattern means the same to every engine that runs it, and runs in linear time."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maker_dsl.types.codec import codec
from maker_dsl.types.errors import ValueRefused
from maker_dsl.types.patterns import check_pattern, pattern
from maker_dsl.types.type import StringType

_atoms = st.sampled_from(
    [
        "a",
        "b",
        ".",
        r"\d",
        r"\w",
        r"\s",
        r"\W",
        "[ab]",
        "[^a]",
        "[a-c_-]",
        r"[\d.]",
        r"\.",
        "é",
        r"\n",
        "-",
        "&",
        "[&~]",
    ]
)
_patterns = st.recursive(
    _atoms,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]}|{pair[1]})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{1,}", "{0,2}", "*?"])).map(
            lambda p: f"(?:{p[0]}){p[1]}"
        ),
    ),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(_patterns, st.text("ab.1_ \n-é&~x", max_size=6))
def test_all_engines_agree(text: str, value: str) -> None:
    made = pattern(text)
    matches = made.matches(value)
    assert (re.search(made.json_schema, value) is not None) == matches, "Python, as jsonschema does"
    assert (re.fullmatch(text, value, re.ASCII) is not None) == matches, "Python, the pattern as it was written"
    try:
        codec(StringType(pattern=text)).validate(value)
    except ValueRefused:
        assert not matches, "Rust, as pydantic does"
    else:
        assert matches, "Rust, as pydantic does"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (r"(a)\1", "back-references are not available, since they can't run in linear time"),
        ("(?=a)b", "look-ahead and look-behind are not available, since they can't run in linear time"),
        ("(?<!a)b", "look-ahead and look-behind are not available, since they can't run in linear time"),
        ("(?i)a", "only plain groups `( … )` and `(?: … )` are available"),
        ("(?P<n>a)", "only plain groups `( … )` and `(?: … )` are available"),
        (r"\bword", r"`\b` is not available: a pattern always speaks of the whole string"),
        ("a^b", "`^` inside a pattern: a pattern always speaks of the whole string"),
        ("a**", "`*` repeats a repetition; put the repeated part into `( )`"),
        ("*a", r"`*` has nothing to repeat; write `\*` for the character itself"),
        ("(a", "a `(` without its `)`"),
        ("a)", "`)` without its `(`"),
        ("[a", "a `[` without its `]`"),
        ("[b-a]", "a range in a class goes from one character up to another"),
        ("a{2,1}", "the repetition `{2,1}` ends before it begins"),
        ("a{2000}", "a repetition of more than 1,000"),
        ("a{x}", r"`{` begins a repetition such as `{3}` or `{1,5}`; write `\{` for the character"),
        ("((a{100}){100})", "the pattern is too large: written out, it has more than 5,000 characters"),
        ("(" * 60 + ")" * 60, "groups nested more than 50 deep"),
        (r"\p{L}", r"`\p` is not available; list the characters, such as `[A-Za-zÀ-ÿ]`"),
        ("a\\", "the pattern ends too early"),
        ("\ud800", "half of a surrogate pair is not a character"),
    ],
)
def test_what_has_no_common_meaning_is_refused(text: str, why: str) -> None:
    assert check_pattern(text) == why


@pytest.mark.parametrize(
    "text", ["", "a|", "^abc$", r"\$", "[]]", "[^]]", "[-a]", r"[\]\\]", ".{0,1000}", "(a|b|c){1,300}", r"\/"]
)
def test_plain_patterns_are_taken(text: str) -> None:
    assert check_pattern(text) is None
    codec(StringType(pattern=text))


@pytest.mark.timeout(60)
def test_matching_does_not_backtrack() -> None:
    with pytest.raises(ValueRefused):
        codec(StringType(pattern="(a+)+b")).validate("a" * 300_000)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=12))
def test_no_text_makes_reading_a_pattern_fail(text: str) -> None:
    check_pattern(text)
