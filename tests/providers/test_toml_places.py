"""Places of keys and values in TOML texts."""

from __future__ import annotations

import tomllib
from typing import Any

import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from maker_dsl.providers.toml_places import find_places

TEXT = '''# a comment with = and [brackets]
model = "openai/x" # another
"quoted key" = 'literal # no comment'
a.b . "c.d" = [1, [2, "]"], {x = "}", y.z = 3}]

[limits] # table
concurrency = 64
text = """
several = lines
[not.a.table]
"""
when = 1979-05-27T07:32:00Z

[[points]]
x = 1
[[points]]
x = 2
[outer . "inner one"]
deep = { a = { b = """}""" } }
'''


def written(text: str, path: tuple[str, ...]) -> tuple[str, str]:
    place = find_places(text)[path]
    return text[place.key_start : place.key_end], text[place.value_start : place.value_end]


def test_places_of_every_kind_of_key_and_value() -> None:
    assert written(TEXT, ("model",)) == ("model", '"openai/x"')
    assert written(TEXT, ("quoted key",)) == ('"quoted key"', "'literal # no comment'")
    assert written(TEXT, ("a", "b", "c.d"))[1] == '[1, [2, "]"], {x = "}", y.z = 3}]'
    assert written(TEXT, ("a", "b", "c.d", "1", "1"))[1] == '"]"'
    assert written(TEXT, ("a", "b", "c.d", "2", "y", "z")) == ("y.z", "3")
    assert written(TEXT, ("limits",))[0] == "limits"
    assert written(TEXT, ("limits", "concurrency")) == ("concurrency", "64")
    assert written(TEXT, ("limits", "text"))[1].startswith('"""\nseveral')
    assert written(TEXT, ("limits", "when"))[1] == "1979-05-27T07:32:00Z"
    assert written(TEXT, ("points", "1", "x")) == ("x", "2")
    assert written(TEXT, ("outer", "inner one", "deep", "a", "b"))[1] == '"""}"""'
    assert ("not", "a", "table") not in find_places(TEXT)


VALUES = st.recursive(
    st.integers(-5, 5) | st.booleans() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab c.#\"'", min_size=1), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text("abc d.=[#\"'", min_size=1, max_size=5), VALUES, max_size=4))
def test_the_text_at_each_place_is_its_value(data: dict[str, Any]) -> None:
    text = tomli_w.dumps(data)
    places = find_places(text)
    for key, value in data.items():
        if '"' in key or "\\" in key or isinstance(value, dict) or _has_tables(value):
            continue
        place = places[(key,)]
        assert tomllib.loads("v = " + text[place.value_start : place.value_end]) == {"v": value}


def _has_tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)
