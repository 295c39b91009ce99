"""Methods of other languages, and how the same is written here with operators and functions."""

from __future__ import annotations

import re

METHODS = {
    "contains": "{y} in {x}",
    "includes": "{y} in {x}",
    "has": "{y} in {x}",
    "has_key": "{y} in {x}",
    "startswith": "starts_with({x}, {y})",
    "startsWith": "starts_with({x}, {y})",
    "endswith": "ends_with({x}, {y})",
    "endsWith": "ends_with({x}, {y})",
    "append": "{x} + [{y}]",
    "push": "{x} + [{y}]",
    "add": "{x} + [{y}]",
    "extend": "{x} + {y}",
    "concat": "{x} + {y}",
    "remove": "without({x}, {y})",
    "pop": "{x}[:-1]",
    "insert": "insert_at({x}, {y})",
    "index": "index_of({x}, {y})",
    "indexOf": "index_of({x}, {y})",
    "find": "index_of({x}, {y})",
    "size": "len({x})",
    "length": "len({x})",
    "len": "len({x})",
    "strip": "trim({x})",
    "toLowerCase": "lower({x})",
    "toUpperCase": "upper({x})",
    "splitlines": "lines({x})",
    "join": "join({y}, {x})",
    "replaceAll": "replace({x}, {y})",
    "toString": "string({x})",
    "sort": "sorted({x})",
    "reverse": "reversed({x})",
    "map": "[f(one) for one in {x}]",
    "filter": "[one for one in {x} if f(one)]",
    "some": "any(f(one) for one in {x})",
    "every": "all(f(one) for one in {x})",
    "update": "{{ ...{x}, name: value }}",
    "isdigit": "matches({x}, /[0-9]+/)",
    "match": "matches({x}, /[a-z]+/)",
}
"""What to write for a method: `{x}` is the value before the dot, `{y}` what stands in the parentheses."""

# fmt: off
FUNCTIONS = frozenset({
    "all", "any", "count", "ends_with", "first", "flatten", "get", "index_of", "insert_at", "items", "join",
    "keys", "last", "lines", "lower", "matches", "max", "min", "remove_at", "replace", "reversed", "round",
    "set_at", "sorted", "split", "starts_with", "sum", "trim", "unique", "upper", "values", "without", "zip",
})
# fmt: on
"""Builtin functions that are called with the value itself as the first argument, as a method would be."""

_OTHERWISE = {"format": 'join texts with `+`: `"a" + string(x)`; in a prompt show values as `{{ x }}`'}

_VALUE = re.compile(r"(?:\"[^\"\n]*\"|[A-Za-z_]\w*(?:\.[A-Za-z_]\w*|\[[^\[\]\n]*\])*)$")
_ARGUMENT = re.compile(r"\(([^()\n]*)\)")


def replacement(text: str, name: str, dot: int, bracket: int) -> str:
    """The help for the method `name` that is called on what stands before text[dot]."""
    value = _VALUE.search(text[max(0, dot - 200) : dot])
    argument = _ARGUMENT.match(text, bracket)
    given = argument.group(1).strip() if argument is not None else ""
    shown = value.group() if value is not None and len(value.group()) <= 40 else "x"
    if name in _OTHERWISE:
        return _OTHERWISE[name]
    if name in METHODS:
        return "write `" + METHODS[name].format(x=shown, y=given if 0 < len(given) <= 40 else "y") + "`"
    further = f", {given}" if 0 < len(given) <= 40 else ""
    if name in FUNCTIONS:
        return f"write `{name}({shown}{further})`"
    return f"functions are called by name, `name({shown}{further})`: a builtin, or a `def` of the task"
