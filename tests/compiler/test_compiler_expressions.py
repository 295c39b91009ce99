"""Entries: where names are found at run time, and what the kinds of entries give."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from maker_dsl.checker.expressions import check, check_condition, not_null_paths
from maker_dsl.checker.scope import RAW_REPLY, Binding, Scope
from maker_dsl.checker.static import Typing
from maker_dsl.compiler.expressions import (
    compile_condition,
    compile_function,
    compile_locals,
    compile_record,
    module_code,
)
from maker_dsl.diagnostics import Problems, Source
from maker_dsl.expressions.errors import EvaluationError
from maker_dsl.expressions.runtime import bind
from maker_dsl.syntax import tree
from maker_dsl.syntax.parser import parse_expression
from maker_dsl.task import RawReply
from maker_dsl.types.type import IntType, ListType, Member, OptionalType, RecordType

SOURCE = Source("t.maker", "")
RAW = RawReply("the text", 12, "stop")


class Part:
    """One checked expression after the other, over one scope and typing."""

    def __init__(self) -> None:
        self.scope, self.problems, self.typing = Scope(), Problems(), Typing()
        reply = RecordType((Member("move", IntType()), Member("pegs", ListType(IntType()))))
        for binding in (
            Binding("size", IntType(), "input"),
            Binding("n", IntType(), "state"),
            Binding("last", OptionalType(IntType()), "state"),
            Binding("x", IntType(), "let"),
            Binding("y", IntType(), "let"),
            Binding("reply", reply, "reply"),
            Binding("move", IntType(), "reply field"),
        ):
            self.scope.declare(binding)

    def expression(self, text: str) -> tree.Expression:
        found = parse_expression(Source("t.maker", text), self.problems)
        assert found is not None
        check(found, self.scope, self.problems, self.typing)
        assert not len(self.problems), [d.title for d in self.problems]
        return found


def run(function: ast.FunctionDef, *arguments: Any) -> Any:
    return bind(module_code([function], SOURCE), {"size": 3}, SOURCE)["it"](*arguments)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("size", 3),
        ("n", 5),
        ("x", 7),
        ("reply.move", 9),
        ("move", 9),
        ("reply", {"move": 9, "pegs": [1]}),
        ("reply.text", "the text"),
        ("reply.tokens + 1", 13),
        ('reply.finish == "stop"', True),
        ("[p + n + x + size for p in reply.pegs if p < reply.move]", [16]),
    ],
)
def test_names_are_found(text: str, value: Any) -> None:
    part = Part()
    function = compile_function("it", ["state", "local", "reply", "raw"], part.expression(text), part.typing, SOURCE)
    assert run(function, {"n": 5, "last": None}, {"x": 7}, {"move": 9, "pegs": [1]}, RAW) == value


def test_raw_reply_has_the_fields_that_expressions_know() -> None:
    assert {member.name for member in RAW_REPLY.members} == {"text", "tokens", "finish"}
    assert all(hasattr(RAW, member.name) for member in RAW_REPLY.members)


def test_record_is_made_over_a_base_which_stays_as_it_was() -> None:
    part = Part()
    fields = [("n", part.expression("n + 1")), ("last", part.expression("n"))]
    state = {"n": 5, "last": None, "other": 1}
    update = compile_record("it", ["state"], fields, part.typing, SOURCE, base="state")
    assert run(update, state) == {"n": 6, "last": 5, "other": 1}
    assert state == {"n": 5, "last": None, "other": 1}
    alone = compile_record("it", ["state"], fields, part.typing, SOURCE)
    assert run(alone, state) == {"n": 6, "last": 5}


def test_lets_see_the_earlier_ones() -> None:
    part = Part()
    lets = [("x", part.expression("n * 2")), ("y", part.expression("x + 1"))]
    assert run(compile_locals("it", ["state"], lets, part.typing, SOURCE), {"n": 5}) == {"x": 10, "y": 11}
    local = {"x": 1, "z": 0}
    more = compile_locals("it", ["state", "local"], lets[1:], part.typing, SOURCE)
    assert run(more, {"n": 5}, local) == {"x": 1, "z": 0, "y": 2}
    assert local == {"x": 1, "z": 0}


def test_conditions_give_bools() -> None:
    part = Part()
    condition = part.expression("last")
    for negate, value, wanted in ((False, 0, True), (False, None, False), (True, 0, False), (True, None, True)):
        function = compile_condition("it", ["state"], condition, part.typing, SOURCE, negate=negate)
        assert run(function, {"last": value}) is wanted


def test_what_a_condition_proves_holds_in_a_child_scope() -> None:
    part = Part()
    condition = part.expression("n > 0 and last != null")
    inner = part.scope.child(not_null_paths(condition, part.typing))
    follow = parse_expression(Source("t.maker", "last + 1 == n"), part.problems)
    assert follow is not None
    check_condition(follow, inner, part.problems, part.typing)
    assert not len(part.problems)
    check_condition(follow, part.scope, part.problems, part.typing)
    assert [d.code for d in part.problems] == ["MK304"]


def test_entries_of_one_module_are_bound_to_their_own_inputs() -> None:
    part = Part()
    code = module_code([compile_function("it", [], part.expression("size + 1"), part.typing, SOURCE)], SOURCE)
    one, two = bind(code, {"size": 1}, SOURCE)["it"], bind(code, {"size": 10}, SOURCE)["it"]
    assert (one(), two()) == (2, 11)


def test_mistakes_of_ours_are_not_taken_for_failures_of_the_task() -> None:
    part = Part()
    code = module_code([compile_function("it", [], part.expression("size"), part.typing, SOURCE)], SOURCE)
    with pytest.raises(NameError):
        bind(code, {}, SOURCE)["it"]()


def test_scope_tells_what_was_used() -> None:
    scope = Part().scope
    assert not scope.is_used("n")
    assert scope.child().lookup("n") is not None
    assert scope.is_used("n")
    assert scope.find("size") is not None
    assert not scope.is_used("size")
    assert scope.lookup("nothing") is None


def test_evaluation_error_is_an_exception_with_a_place() -> None:
    assert EvaluationError("why").span is None
