"""Compiled expressions agree with a tiny interpreter that walks the tree: on values, and on having none."""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from expression_lab import INT, STRING, check_text
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from maker_dsl.compiler.expressions import compile_function, module_code
from maker_dsl.expressions.errors import EvaluationError
from maker_dsl.expressions.runtime import bind
from maker_dsl.syntax import tree
from maker_dsl.types.type import BoolType, ListType, OptionalType

CAST: dict[str, tuple[Any, Any]] = {
    "a": (INT, 3),
    "b": (INT, -2),
    "s": (STRING, "hé"),
    "xs": (ListType(INT), [4, 0, -1]),
    "ws": (ListType(STRING), ["b", "", "a"]),
    "yes": (BoolType(), True),
    "m": (OptionalType(INT), None),
    "k": (OptionalType(INT), 5),
}

Texts = st.SearchStrategy[str]


@cache
def _grow(kind: str, depth: int, names: tuple[str, ...] = ()) -> Texts:
    """Texts of expressions of a kind: int, str, bool, ints, strs, maybe (an optional int)."""
    leaves: dict[str, list[str]] = {
        "int": ["a", "b", "0", "1", "7", "-3", *names],
        "str": ["s", '"x"', '""', '"hé"'],
        "bool": ["yes", "true", "false"],
        "ints": ["xs", "[]", "[1, 2]"],
        "strs": ["ws", '["q"]'],
        "maybe": ["m", "k"],
    }
    leaf = st.sampled_from(leaves[kind])
    if depth == 0:
        return leaf

    def g(inner: str, extra: tuple[str, ...] = ()) -> Texts:
        return _grow(inner, depth - 1, names + extra)

    def form(template: str, *kinds: str) -> Texts:
        return st.tuples(*map(g, kinds)).map(lambda parts: template.format(*parts))

    def loop(template: str, *kinds: str) -> Texts:
        fresh = f"v{len(names)}"
        strategies = [g(inner, (fresh,)) if inner != "ints" else g(inner) for inner in kinds]
        return st.tuples(*strategies).map(lambda parts: template.format(*parts, v=fresh))

    arithmetic = st.sampled_from(["+", "-", "*", "//", "%"])
    ordering = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
    grown: dict[str, list[Texts]] = {
        "int": [
            st.tuples(g("int"), arithmetic, g("int")).map(lambda p: f"({p[0]} {p[1]} {p[2]})").filter(_divides),
            form("({} if {} else {})", "int", "bool", "int"),
            form("({} ?? {})", "maybe", "int"),
            form("{}[{}]", "ints", "int").filter(lambda t: not t.startswith("[]")),
            form("-({})", "int"),
            form("len({})", "ints"),
            form("len({})", "str"),
            form("sum({})", "ints"),
            form("max({}, {})", "int", "int"),
            form("count({0}, {1})", "ints", "int"),
            loop("sum({1} for {v} in {0} if {2})", "ints", "int", "bool"),
            form("(k + {} if k != null and k < {} else {})", "int", "int", "int"),
        ],
        "str": [
            form("({} + {})", "str", "str"),
            form('join({}, "-")', "strs"),
            form("string({})", "int"),
            form("{}[{}:{}]", "str", "int", "int"),
            form("({} if {} else {})", "str", "ints", "str"),
        ],
        "bool": [
            st.tuples(g("int"), ordering, g("int")).map(lambda p: f"({p[0]} {p[1]} {p[2]})"),
            st.tuples(g("int"), ordering, g("int"), ordering, g("int")).map(lambda p: f"({' '.join(p)})"),
            st.tuples(g("ints"), ordering, g("ints")).map(lambda p: f"({p[0]} {p[1]} {p[2]})"),
            st.tuples(g("str"), ordering, g("str")).map(lambda p: f"({p[0]} {p[1]} {p[2]})"),
            form("({} and {})", "bool", "bool"),
            form("({} or {})", "ints", "str"),
            form("(not {})", "bool"),
            form("({} in {})", "int", "ints"),
            form("({} not in {})", "str", "strs"),
            form("({} in {})", "str", "str"),
            form("({} == null)", "maybe"),
            loop("all({1} for {v} in {0})", "ints", "bool"),
            loop("any({1} for {v} in {0})", "ints", "bool"),
        ],
        "ints": [
            form("({} + {})", "ints", "ints"),
            form("[{}, {}]", "int", "int"),
            form("range({}, {})", "int", "int"),
            form("sorted({})", "ints"),
            form("{}[{}:]", "ints", "int"),
            form("({} * 2)", "ints"),
            loop("[{1} for {v} in {0} if {2}]", "ints", "int", "bool"),
            form("({} if {} else {})", "ints", "bool", "ints"),
        ],
        "strs": [form("[{}, {}]", "str", "str"), form("({} + {})", "strs", "strs"), form("sorted({})", "strs")],
        "maybe": [
            form("first({})", "ints"),
            form("({} if {} else null)", "int", "bool"),
            form("({} ?? {})", "maybe", "maybe"),
        ],
    }
    return st.one_of(leaf, *grown[kind])


def _divides(text: str) -> bool:
    return not text.endswith(("// 0)", "% 0)"))


ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "//": operator.floordiv,
    "%": operator.mod,
}
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "in": lambda one, other: one in other,
    "not in": lambda one, other: one not in other,
}


def interpret(node: Any, names: dict[str, Any]) -> Any:
    """The value, straight from the tree."""

    def it(part: Any) -> Any:
        return interpret(part, names)

    match node:
        case tree.IntLiteral(value=value) | tree.StringLiteral(value=value) | tree.BoolLiteral(value=value):
            return value
        case tree.NullLiteral():
            return None
        case tree.Name(name=name):
            return names[name]
        case tree.Index(object=inner, index=index):
            return it(inner)[it(index)]
        case tree.Slice(object=inner, start=start, stop=stop):
            return it(inner)[None if start is None else it(start) : None if stop is None else it(stop)]
        case tree.Unary(operator="-", operand=operand):
            return -it(operand)
        case tree.Unary(operand=operand):
            return not it(operand)
        case tree.Binary(operator="and", left=left, right=right):
            return bool(it(left)) and bool(it(right))
        case tree.Binary(operator="or", left=left, right=right):
            return bool(it(left)) or bool(it(right))
        case tree.Binary(operator="??", left=left, right=right):
            value = it(left)
            return it(right) if value is None else value
        case tree.Binary(operator=symbol, left=left, right=right):
            return ARITHMETIC[symbol](it(left), it(right))
        case tree.Compare(first=first, rest=rest):
            left = it(first)
            for symbol, right_node in rest:
                right = it(right_node)
                if not COMPARE[symbol](left, right):
                    return False
                left = right
            return True
        case tree.Conditional(then=then, condition=condition, otherwise=otherwise):
            return it(then) if it(condition) else it(otherwise)
        case tree.ListLiteral(items=items):
            return [it(item) for item in items]
        case tree.ListComprehension(item=item, clauses=(clause,)) | tree.Generator(item=item, clauses=(clause,)):
            found = []
            for value in it(clause.iterable):
                inner = {**names, clause.names[0].name: value}
                if all(interpret(condition, inner) for condition in clause.conditions):
                    found.append(interpret(item, inner))
            return found
        case tree.Call(function=function, arguments=arguments):
            return _call(function.name, [it(argument) for argument in arguments])
        case _:
            raise AssertionError(node)


def _call(name: str, values: list[Any]) -> Any:
    match name, values:
        case "range", [start, stop]:
            return list(range(start, stop))
        case "join", [texts, between]:
            return between.join(texts)
        case "string", [value]:
            return str(value)
        case "first", [items]:
            return items[0] if items else None
        case "count", [items, item]:
            return items.count(item)
        case _:
            plain: dict[str, Callable[..., Any]] = {
                "len": len,
                "sum": sum,
                "max": max,
                "sorted": sorted,
                "all": all,
                "any": any,
            }
            return plain[name](*values)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.one_of([_grow(kind, 3) for kind in ("int", "str", "bool", "ints", "strs", "maybe")]))
def test_compiled_code_agrees_with_the_interpreter(text: str) -> None:
    checked = check_text(text, cast=CAST)
    # A condition around it may have shown that what stands before `??` is never null; that is a mistake then.
    assume(not any(found.primary.text.endswith("never null") for found in checked.problems))
    assert not checked.problems, [(d.code, d.primary.span.text, d.primary.text) for d in checked.problems]
    entry = compile_function("main", [], checked.tree, checked.typing, checked.source)
    names = {name: value for name, (_, value) in CAST.items()}
    run = bind(module_code([entry], checked.source), names, checked.source)["main"]
    try:
        wanted = interpret(checked.tree, names)
    except (IndexError, ZeroDivisionError):
        # The interpreter goes through whole generators, compiled `all` and `any` stop early.
        if "all(" not in text and "any(" not in text:
            with pytest.raises(EvaluationError):
                run()
        return
    value = run()
    assert value == wanted
    assert type(value) is type(wanted)
