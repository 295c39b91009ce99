"""Checks declarations of checkers: functions that plug-ins provide. The plug-in itself is not looked at here."""

from __future__ import annotations

import re
from collections.abc import Sequence

from maker_dsl.checker.checked import CheckedChecker
from maker_dsl.checker.names import refuse_doubled, warn_unused
from maker_dsl.checker.scope import FunctionBinding
from maker_dsl.checker.task_context import TaskContext
from maker_dsl.checker.types import check_bounds
from maker_dsl.syntax import tree
from maker_dsl.types.type import Member

_PLUGIN_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")


def check_checkers(checkers: Sequence[tree.Checker], context: TaskContext) -> tuple[CheckedChecker, ...]:
    """Declare the checkers, so that rules, flags and references can call them."""
    made: list[CheckedChecker] = []
    for one in checkers:
        refuse_doubled((parameter.name for parameter in one.parameters), "MK251", "the parameter", context.problems)
        for declared in (*(parameter.type for parameter in one.parameters), one.result):
            check_bounds(declared, context.inputs, context.problems, context.typing)
        parameters = tuple(Member(each.name.name, context.types.erase(each.type)) for each in one.parameters)
        function = FunctionBinding(
            one.name.name, parameters, context.types.erase(one.result), one.name.span, is_checker=True
        )
        if not _PLUGIN_NAME.fullmatch(one.plugin.value):
            title = f'"{one.plugin.value}" can\'t be the name of a plug-in'
            help = 'name the plug-in that provides the checker, as in `from "algebra"`'
            context.problems.add("MK298", title, one.plugin.span, help=help)
        if context.names.declare(one.name, "a checker"):
            context.defs.define(function)
            made.append(CheckedChecker(one, function))
    return tuple(made)


def warn_unused_checkers(checkers: Sequence[CheckedChecker], context: TaskContext) -> None:
    """Warn of checkers that nothing calls."""
    for one in checkers:
        if not context.defs.is_function_used(one.name):
            warn_unused(context.unused, "the checker", one.declaration.name)
