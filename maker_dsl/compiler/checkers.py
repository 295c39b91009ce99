"""Binds a task's checkers to what the allowed plug-ins offer.

Without the plug-in a task can be checked and shown all the same: only calling the checker fails, with what to do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from maker_dsl.checker.checked import CheckedChecker
from maker_dsl.diagnostics import Diagnostic, Label, Problems, did_you_mean
from maker_dsl.expressions.errors import EvaluationError
from maker_dsl.task import Checkers, PluginBroken, TaskError, Value
from maker_dsl.types.codec import codec
from maker_dsl.types.display import display
from maker_dsl.types.errors import ValueRefused

UNALLOWED = "MK655"
"""The code of what is said of a plug-in that is not allowed."""


class BoundCheckers:
    """The checkers of one task: the functions, the versions of allowed plug-ins, what to say of the others."""

    def __init__(self, declared: Sequence[CheckedChecker], offered: Checkers | None, problems: Problems) -> None:
        self.functions: dict[str, Callable[..., Value]] = {}
        self.versions: dict[str, str] = {}
        self.unallowed: dict[str, Diagnostic] = {}
        before = len(problems)
        for one in declared:
            try:
                version = None if offered is None else offered.version(one.plugin)
            except PluginBroken as error:
                title = f"the plug-in `{one.plugin}` can't be used"
                problems.add("MK656", title, one.declaration.plugin.span, str(error), help=_INSTALL.get(one.plugin))
                continue
            if offered is None or version is None:
                refusal = _unallowed(one)
                self.unallowed.setdefault(one.plugin, refusal)
                self.functions[one.name] = _refusing(refusal)
                continue
            self.versions[one.plugin] = version
            if _fits(one, offered, problems):
                self.functions[one.name] = _checking(one, offered.function(one.plugin, one.name))
        self.is_broken = len(problems) > before
        """Whether an allowed plug-in does not bear out what is declared."""


_INSTALL = {name: f"`pip install 'maker-dsl[{name}]'` brings what it needs" for name in ("algebra", "logic")}


NO_CHECKERS = BoundCheckers((), None, Problems())


def _unallowed(one: CheckedChecker) -> Diagnostic:
    return Diagnostic(
        UNALLOWED,
        f"the task needs the plug-in `{one.plugin}`, which is not allowed",
        Label(one.declaration.plugin.span, f"`{one.name}` comes from there"),
        help=f"plug-ins are code: if you trust it, allow it with `--allow {one.plugin}`",
    )


def _refusing(refusal: Diagnostic) -> Callable[..., Value]:
    def call(*_arguments: Value) -> Value:
        raise TaskError(refusal)

    return call


def _fits(one: CheckedChecker, offered: Checkers, problems: Problems) -> bool:
    """Whether the plug-in has the checker in the declared form; else the finding."""
    found = offered.signature(one.plugin, one.name)
    place = one.declaration.name.span
    if found is None:
        names = offered.names(one.plugin)
        listed = "it offers " + ", ".join(f"`{name}`" for name in sorted(names))
        title = f"the plug-in `{one.plugin}` has no checker `{one.name}`"
        problems.add("MK299", title, place, help=did_you_mean(one.name, names, listed))
        return False
    declared = (tuple(display(member.type) for member in one.function.parameters), display(one.function.result))
    if declared != found:
        parameters = ", ".join(f"{chr(97 + index)}: {type_}" for index, type_ in enumerate(found[0]))
        title = f"the plug-in `{one.plugin}` has the checker `{one.name}` in another form"
        help = f'it is `checker {one.name}({parameters}) -> {found[1]} from "{one.plugin}"`'
        problems.add("MK299", title, one.declaration.span, help=help)
        return False
    return True


def _checking(one: CheckedChecker, function: Callable[..., Value]) -> Callable[..., Value]:
    result = codec(one.function.result)

    def call(*arguments: Value) -> Value:
        try:
            return result.validate(function(*arguments))
        except ValueRefused as error:
            raise EvaluationError(f"`{one.name}` gave something else than it should: {error.message}") from error

    return call
