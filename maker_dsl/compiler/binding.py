"""One binding of a compiled task to its inputs: what its parts share while they are bound."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from maker_dsl.compiler.module import Entry
from maker_dsl.compiler.types import ConcreteTypes
from maker_dsl.diagnostics import Diagnostic, Problems
from maker_dsl.task import ReplyFormat, ValueCodec
from maker_dsl.types.type import Type

_MAX_REMEMBERED = 256

_Made = TypeVar("_Made")


class Remembered(Generic[_Made]):
    """Things that are costly to make, by what they are made from; forgets all when there are too many."""

    def __init__(self) -> None:
        self._made: dict[Hashable, _Made] = {}

    def get(self, key: Hashable, make: Callable[[], _Made]) -> _Made:
        """The thing made for `key`, made now if need be."""
        if key not in self._made:
            if len(self._made) >= _MAX_REMEMBERED:
                self._made.clear()
            self._made[key] = make()
        return self._made[key]


class InputRefused(Exception):
    """Inputs that a task can't be bound to: unknown, missing, of the wrong type, or such that the task makes no sense.

    Carries the findings; the command line shows them and exits with 2.
    """

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        super().__init__("; ".join(one.title for one in diagnostics))
        self.diagnostics = diagnostics


@dataclass(frozen=True, slots=True)
class Binding:
    """The inputs, the entries and types over them, and where findings go."""

    inputs: Mapping[str, Any]
    entries: Mapping[str, Entry]
    types: ConcreteTypes
    problems: Problems
    codec: Callable[[str, Type], ValueCodec]
    """The codec of a type, made once per place (the first argument) and type."""
    formats: Remembered[ReplyFormat]

    def stop_on_errors(self) -> None:
        """Raise InputRefused if anything wrong has been found so far."""
        if self.problems.has_errors:
            raise InputRefused(self.problems.sorted())
