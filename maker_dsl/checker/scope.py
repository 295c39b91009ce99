"""What names mean at a place in a task: values and functions, and what is known about them there.

Made by the task checker (inputs, state, lets, defs) and by the expression checker (comprehension variables). A scope
remembers which of its names were looked up, so that unused ones can be reported.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from maker_dsl.diagnostics import Span
from maker_dsl.types.type import EnumType, IntType, Member, RecordType, StringType, Type

BindingKind = Literal["input", "state", "let", "reply", "reply field", "local"]
"""Where a value is found at run time.

`input`: a global of the bound module. `state`, `let`: a field of the parameter `state` or `local`. `reply`: the whole
reply value, whose fields `text`, `tokens` and `finish` are those of the raw reply. `reply field`: a field of the
reply value under its bare name (as in `vote { on move }`). `local`: a def's parameter or a comprehension's variable.
"""

RAW_REPLY = RecordType(
    (
        Member("text", StringType()),
        Member("tokens", IntType()),
        Member("finish", EnumType(("stop", "length", "filtered", "other"))),
    )
)
"""What every reply has besides its own fields; a reply's fields may not have these names."""

Path = tuple[str | int, ...]
"""An immutable place: a name, then field names and constant indexes."""


@dataclass(frozen=True, slots=True)
class Binding:
    """A name for a value; `span` is where it was declared, for messages."""

    name: str
    type: Type
    kind: BindingKind
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class FunctionBinding:
    """A def: its parameters' names and erased types, in order, and its erased result type."""

    name: str
    parameters: tuple[Member, ...]
    result: Type
    span: Span | None = None
    is_checker: bool = False
    """Whether a plug-in provides it: it may be called in rules, flags and references alone."""


class Scope:
    """Names visible at a place; inner scopes see the names of their parents."""

    def __init__(
        self, parent: Scope | None = None, not_null: Iterable[Path] = (), *, has_checkers: bool = False
    ) -> None:
        self._parent = parent
        self._has_checkers = has_checkers
        self._values: dict[str, Binding] = {}
        self._functions: dict[str, FunctionBinding] = {}
        self._used: set[str] = set()
        self._used_functions: set[str] = set()
        self._not_null = frozenset(not_null)

    def child(self, not_null: Iterable[Path] = (), *, has_checkers: bool = False) -> Scope:
        """An inner scope, in which the optional values at the paths `not_null` are known not to be null.

        With `has_checkers` the checkers of plug-ins may be called there.
        """
        return Scope(self, not_null, has_checkers=has_checkers)

    @property
    def has_checkers(self) -> bool:
        """Whether the checkers of plug-ins may be called here."""
        return any(scope._has_checkers for scope in self._chain())

    def declare(self, binding: Binding) -> None:
        """Add a value; a later declaration of the same name in this scope replaces the earlier one."""
        self._values[binding.name] = binding

    def define(self, function: FunctionBinding) -> None:
        """Add a def."""
        self._functions[function.name] = function

    def lookup(self, name: str) -> Binding | None:
        """The nearest value of that name, which counts as used from now on."""
        for scope in self._chain():
            if name in scope._values:
                scope._used.add(name)
                return scope._values[name]
        return None

    def find(self, name: str) -> Binding | None:
        """The nearest value of that name, without counting as a use."""
        return next((scope._values[name] for scope in self._chain() if name in scope._values), None)

    def function(self, name: str) -> FunctionBinding | None:
        """The nearest def of that name, which counts as used from now on."""
        for scope in self._chain():
            if name in scope._functions:
                scope._used_functions.add(name)
                return scope._functions[name]
        return None

    def is_used(self, name: str) -> bool:
        """Whether the value `name`, declared in this very scope, was looked up."""
        return name in self._used

    def is_function_used(self, name: str) -> bool:
        """Whether the def `name`, defined in this very scope, was looked up."""
        return name in self._used_functions

    def names(self) -> tuple[str, ...]:
        """All visible values' names."""
        return tuple(dict.fromkeys(name for scope in self._chain() for name in scope._values))

    def function_names(self) -> tuple[str, ...]:
        """All visible defs' names."""
        return tuple(dict.fromkeys(name for scope in self._chain() for name in scope._functions))

    def is_not_null(self, path: Path) -> bool:
        """Whether the optional value at the path is known not to be null here."""
        return any(path in scope._not_null for scope in self._chain())

    def _chain(self) -> Iterator[Scope]:
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope._parent
