"""Checks calls of defs and builtins."""

from __future__ import annotations

from typing import Any

from maker_dsl.checker.builtins import BUILTINS, Builtin, Overload
from maker_dsl.checker.inference import Inference
from maker_dsl.checker.literals import is_literal
from maker_dsl.checker.mismatch import suggest
from maker_dsl.checker.relations import is_assignable, is_condition, is_orderable, needs_conversion, strip_optional
from maker_dsl.checker.scope import FunctionBinding, Scope
from maker_dsl.checker.signature import (
    ConditionPattern,
    DefPattern,
    ListPattern,
    Parameter,
    RegexPattern,
    Solution,
    Variable,
    matches,
    substitute,
)
from maker_dsl.checker.static import AnyNode
from maker_dsl.diagnostics import Label, did_you_mean
from maker_dsl.expressions.dates import make_date, text_to_date
from maker_dsl.syntax import tree
from maker_dsl.types.display import display
from maker_dsl.types.patterns import check_pattern
from maker_dsl.types.type import BoolType, DateType, DecimalType, ListType, NeverType, NullType, OptionalType, Type


def infer_call(inference: Inference, node: tree.Call, scope: Scope) -> Type:
    """`f(x)`: a def, else a builtin."""
    name = node.function.name
    function = scope.function(name)
    if function is not None:
        if function.is_checker and not scope.has_checkers:
            inference.problems.add(
                "MK297",
                f"the checker `{name}` can't be called here",
                node.function.span,
                "only rules, flags and references may call checkers",
                also=[Label(function.span, "declared here")] if function.span is not None else (),
                help="the state must follow from the reply alone: put the call into a `rule`",
            )
        return _infer_def_call(inference, node, scope, function)
    builtin = BUILTINS.get(name)
    if builtin is not None:
        return _infer_builtin_call(inference, node, scope, builtin)
    for argument in (*node.arguments, *(keyword.value for keyword in node.keywords)):
        inference.infer(argument, scope)
    binding = scope.find(name)
    if binding is not None:
        inference.problems.add(
            "MK205", f"`{name}` is not a function", node.function.span, f"it is {display(binding.type)}"
        )
    else:
        inference.problems.add(
            "MK202",
            f"unknown function `{name}`",
            node.function.span,
            "no def or builtin has this name",
            help=_FUNCTIONS.get(name) or did_you_mean(name, [*scope.function_names(), *BUILTINS]),
        )
    return NeverType()


_FUNCTIONS = {
    "str": "write `string(x)`",
    "length": "write `len(x)`",
    "size": "write `len(x)`",
    "list": "write `[x for x in xs]`",
    "map": "write a comprehension: `[f(x) for x in xs]`",
    "filter": "write a comprehension: `[x for x in xs if …]`",
    "append": "write `list + [item]`",
    "set": "write `unique(list)`",
    "pow": "write `x ** n`",
    "strip": "write `trim(text)`",
    "sort": "write `sorted(list)`",
    "reverse": "write `reversed(list)`",
    "print": "expressions only give values; show things in the `prompt`",
    "input": "declare `input name: type` in the task",
    "not": "write `not x`",
}


# Defs ------------------------------------------------------------------------------------------------------------


def _infer_def_call(inference: Inference, node: tree.Call, scope: Scope, function: FunctionBinding) -> Type:
    inference.typing.functions[id(node)] = function
    for keyword in node.keywords:
        inference.infer(keyword.value, scope)
        inference.problems.add(
            "MK305",
            "unknown argument",
            keyword.span,
            f"`{function.name}` takes its arguments in order, without names",
        )
    count = len(node.arguments)
    if node.keywords or count != len(function.parameters):
        for argument in node.arguments:
            inference.infer(argument, scope)
        if node.keywords:
            return NeverType()
        names = ", ".join(f"{p.name}: {display(p.type)}" for p in function.parameters)
        inference.problems.add(
            "MK305",
            "wrong number of arguments",
            node.span,
            f"{count} given, `{function.name}` takes {len(function.parameters)}",
            also=[Label(function.span, "defined here")] if function.span is not None else (),
            help=f"it is `{function.name}({names})`",
        )
        return NeverType()
    for argument, parameter in zip(node.arguments, function.parameters, strict=True):
        inference.check(argument, scope, parameter.type)
    return function.result


# Builtins --------------------------------------------------------------------------------------------------------


def _infer_builtin_call(inference: Inference, node: tree.Call, scope: Scope, builtin: Builtin) -> Type:
    candidates = _with_arity(inference, node, scope, builtin)
    if not candidates:
        return NeverType()
    arguments = list(node.arguments)
    types: list[Type | None] = [None if is_literal(arg) else inference.infer(arg, scope) for arg in arguments]
    keywords = _infer_keywords(inference, node, scope)
    for index, argument in enumerate(arguments):
        if types[index] is None:
            hint = DecimalType() if builtin.name == "decimal" else _hint(candidates, types, index)
            types[index] = inference.infer(argument, scope, hint)
    known = [type_ for type_ in types if type_ is not None]
    if keywords is None or any(map(inference.is_wrong, known)):
        return NeverType()
    for overload in candidates:
        solution: Solution = {}
        if all(
            matches(parameter.pattern, type_, solution)
            for parameter, type_ in zip(_parameters(overload, len(known)), known, strict=True)
        ):
            result = _finish(inference, node, overload, solution, known, keywords)
            return NeverType() if any(isinstance(type_, NeverType) for type_ in known) else result
    _report_arguments(inference, node, builtin, candidates, known)
    return NeverType()


def _with_arity(inference: Inference, node: tree.Call, scope: Scope, builtin: Builtin) -> list[Overload]:
    """The overloads that take so many arguments and these keywords; reports if there are none."""
    given = [keyword.name.name for keyword in node.keywords]
    candidates = [o for o in builtin.overloads if o.signature.takes(len(node.arguments), given)]
    if candidates:
        return candidates
    for argument in node.arguments:
        inference.infer(argument, scope)
    known = [p.name for o in builtin.overloads for p in o.signature.parameters if p.is_keyword]
    for keyword in node.keywords:
        if keyword.name.name not in known:
            inference.problems.add(
                "MK305",
                "unknown argument",
                keyword.span,
                f"`{builtin.name}` has no argument `{keyword.name.name}`",
                help=suggest(keyword.name.name, list(dict.fromkeys(known)), "its named arguments are"),
            )
            return []
    inference.problems.add(
        "MK305",
        "wrong number of arguments",
        node.span,
        f"{len(node.arguments)} given",
        help=_signatures(builtin),
    )
    return []


def _signatures(builtin: Builtin) -> str:
    return "it is " + " or ".join(f"`{overload.text}`" for overload in builtin.overloads)


def _parameters(overload: Overload, count: int) -> list[Parameter]:
    found = [overload.signature.parameter_at(index) for index in range(count)]
    return [parameter for parameter in found if parameter is not None]


def _hint(candidates: list[Overload], types: list[Type | None], index: int) -> Type | None:
    """What a literal argument should be, from the other arguments, where they leave no doubt."""
    fitting: list[Type | None] = []
    for overload in candidates:
        solution: Solution = {}
        parameters = _parameters(overload, len(types))
        if all(
            type_ is None or matches(parameter.pattern, type_, solution)
            for parameter, type_ in zip(parameters, types, strict=True)
        ):
            fitting.append(substitute(parameters[index].pattern, solution))
    return fitting[0] if len(fitting) == 1 else None


def _infer_keywords(inference: Inference, node: tree.Call, scope: Scope) -> dict[str, FunctionBinding | None] | None:
    """The keyword arguments, with the def that `by=` names; None where one is wrong."""
    found: dict[str, FunctionBinding | None] = {}
    correct = True
    for keyword in node.keywords:
        if keyword.name.name in found:
            inference.problems.add("MK305", "argument given twice", keyword.span, f"`{keyword.name.name}` again")
            correct = False
        if keyword.name.name != "by":
            correct &= inference.check(keyword.value, scope, BoolType())
            found[keyword.name.name] = None
            continue
        function = scope.function(keyword.value.name) if isinstance(keyword.value, tree.Name) else None
        if function is None:
            inference.problems.add(
                "MK306",
                "wrong argument",
                keyword.value.span,
                "`by` takes the name of a def",
                help=suggest(keyword.value.span.text, list(scope.function_names()), "defs here are")
                or "define one: `def key(x: T) -> int = …`, then write `by=key`",
            )
            correct = False
            continue
        inference.typing.set_type(keyword.value, NullType())
        inference.typing.functions[id(keyword.value)] = function
        found["by"] = function
    return found if correct else None


def _finish(
    inference: Inference,
    node: tree.Call,
    overload: Overload,
    solution: Solution,
    types: list[Type],
    keywords: dict[str, FunctionBinding | None],
) -> Type:
    """Fit the arguments to the overload chosen, and give its result type."""
    inference.typing.implementations[id(node)] = overload.implementation
    parameters = _parameters(overload, len(types))
    for name in ("T", "U", "N", "O"):
        solution.setdefault(name, NeverType())
    by = keywords.get("by")
    by_parameter = overload.signature.keyword("by")
    if by is not None and by_parameter is not None and not _fits_by(inference, node, by, by_parameter, solution):
        return NeverType()
    for argument, parameter in zip(node.arguments, parameters, strict=True):
        if isinstance(parameter.pattern, RegexPattern) and not _is_regex(inference, argument):
            return NeverType()
        wanted = substitute(parameter.pattern, solution)
        if (
            wanted is not None
            and not isinstance(parameter.pattern, RegexPattern)
            and not inference.fit(argument, wanted)
        ):
            return NeverType()
    if overload.implementation in ("text_to_date", "make_date"):
        written = [a.value for a in node.arguments if isinstance(a, tree.StringLiteral | tree.IntLiteral)]
        if len(written) == len(node.arguments):
            return _written_date(inference, node, written)
    result = substitute(overload.signature.result, solution)
    assert result is not None
    return result


def _written_date(inference: Inference, node: tree.Call, written: list[Any]) -> Type:
    """A date that is written out is there, or an error now."""
    if (text_to_date(*written) if len(written) == 1 else make_date(*written)) is not None:
        return DateType()
    span = node.arguments[0].span.to(node.arguments[-1].span)
    inference.problems.add("MK306", "wrong argument", span, "there is no such date", help="it is written `2026-11-23`")
    return NeverType()


def _fits_by(
    inference: Inference, node: tree.Call, by: FunctionBinding, parameter: Parameter, solution: Solution
) -> bool:
    """Whether the def after `by=` takes one item and gives something with an order."""
    pattern = parameter.pattern
    item = substitute(pattern.parameter, solution) if isinstance(pattern, DefPattern) else None
    span = next(keyword.value.span for keyword in node.keywords if keyword.name.name == "by")
    problem = None
    if len(by.parameters) != 1:
        problem = f"`{by.name}` takes {len(by.parameters)} arguments, `by` needs a def of one"
    elif item is not None and not _is_same(item, by.parameters[0].type):
        problem = f"`{by.name}` takes {display(by.parameters[0].type)}, the items are {display(item)}"
    elif not is_orderable(by.result):
        problem = f"`{by.name}` gives {display(by.result)}, which has no order"
    if problem is not None:
        inference.problems.add("MK306", "wrong argument", span, problem)
    return problem is None


def _is_same(item: Type, parameter: Type) -> bool:
    return is_assignable(item, parameter) and not needs_conversion(item, parameter)


def _is_regex(inference: Inference, argument: AnyNode) -> bool:
    if not isinstance(argument, tree.StringLiteral):
        inference.problems.add(
            "MK312",
            "pattern not written out",
            argument.span,
            "a regular expression is a string in quotes, not computed",
        )
        return False
    error = check_pattern(argument.value)
    if error is not None:
        inference.problems.add("MK312", "invalid regular expression", argument.span, error)
    return error is None


def _report_arguments(
    inference: Inference, node: tree.Call, builtin: Builtin, candidates: list[Overload], types: list[Type]
) -> None:
    """Report the argument that no overload takes, as exactly as can be told."""
    best, place = candidates[0], 0
    for overload in candidates:
        solution: Solution = {}
        for index, parameter in enumerate(_parameters(overload, len(types))):
            if not matches(parameter.pattern, types[index], solution):
                if index > place:
                    best, place = overload, index
                break
    argument, type_ = node.arguments[place], types[place]
    parameter = _parameters(best, len(types))[place]
    solution = {}
    for index, earlier in enumerate(_parameters(best, len(types))[:place]):
        matches(earlier.pattern, types[index], solution)
    if isinstance(type_, OptionalType | NullType) and any(
        matches(_parameters(o, len(types))[place].pattern, strip_optional(type_), dict(solution)) for o in candidates
    ):
        inference.report_null(argument.span, type_, f"`{builtin.name}` needs a value")
        return
    if (
        isinstance(parameter.pattern, ListPattern)
        and isinstance(parameter.pattern.item, ConditionPattern)
        and isinstance(type_, ListType)
        and not is_condition(type_.item)
    ):
        span = argument.item.span if isinstance(argument, tree.Generator) else argument.span
        inference.problems.add(
            "MK314", "not a condition", span, f"this is {display(type_.item)}", help="compare it: `x != 0`"
        )
        return
    wanted = substitute(parameter.pattern, solution)
    label = f"this is {display(type_)}"
    if wanted is not None and not isinstance(parameter.pattern, Variable) and len(candidates) == 1:
        label += f", `{builtin.name}` takes {display(wanted)} here"
    elif isinstance(parameter.pattern, Variable) and parameter.pattern.name in solution:
        label += f", {display(solution[parameter.pattern.name])} is wanted here"
    inference.problems.add("MK306", "wrong argument", argument.span, label, help=_signatures(builtin))
