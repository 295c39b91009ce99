"""Names that a task declares: each means one thing, and none takes a word of the language."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from maker_dsl.checker.builtins import BUILTIN_NAMES
from maker_dsl.diagnostics import Label, Problems, Severity, Span
from maker_dsl.syntax import tree

RESERVED_NAMES = frozenset(
    {"reply", "null", "true", "false", "loop", "none", "and", "or", "not", "in", "if", "else", "for"}
)
"""Words that mean something in expressions or prompts."""

PRIMITIVE_TYPES = ("int", "float", "decimal", "bool", "string", "date")
"""The types that need no declaration."""

TYPE_WORDS = frozenset({*PRIMITIVE_TYPES, "line", "text", "list", "map"})


@dataclass(frozen=True, slots=True)
class _Declared:
    kind: str
    span: Span


class Names:
    """The values, defs and types of one task or step; an inner one must not hide what an outer one declares."""

    def __init__(self, problems: Problems, outer: Names | None = None) -> None:
        self._problems = problems
        self._outer = outer
        self._declared: dict[str, _Declared] = {}

    def declare(self, name: tree.Identifier, kind: str) -> bool:
        """Take a name for an input, state field, def, type or let; reports a name that is taken.

        False where the name means something else here, which must stay visible.
        """
        earlier = self._find(name.name)
        if earlier is not None:
            report_doubled(
                self._problems, "MK251", name, earlier.span, f"there is already {earlier.kind} `{name.name}`"
            )
            return False
        self._declared[name.name] = _Declared(kind, name.span)
        if kind != "a type" and name.name in RESERVED_NAMES:
            self._reserved(name, "it means something in expressions and prompts")
        elif kind == "a def" and name.name in BUILTIN_NAMES:
            self._reserved(name, "it is a builtin function")
        elif kind == "a type" and name.name in TYPE_WORDS:
            self._reserved(name, "it is a type of the language")
        elif name.name.startswith("_"):
            self._reserved(name, "names start with a letter")
        return True

    def _find(self, name: str) -> _Declared | None:
        found = self._declared.get(name)
        return found if found is not None or self._outer is None else self._outer._find(name)

    def _reserved(self, name: tree.Identifier, why: str) -> None:
        self._problems.add("MK252", f"nothing can be called `{name.name}`", name.span, why, help="choose another name")


def report_doubled(problems: Problems, code: str, name: tree.Identifier, first: Span, title: str) -> None:
    """A name declared for the second time, with its first place."""
    problems.add(code, title, name.span, "a second time here", also=[Label(first, "first here")])


def refuse_doubled(
    names: Iterable[tree.Identifier], code: str, what: str, problems: Problems, verb: str = "stands"
) -> None:
    """Report each name that stands twice among its siblings; `what` is as in "the field"."""
    first: dict[str, Span] = {}
    for name in names:
        if name.name in first:
            also = [Label(first[name.name], "first here")]
            title = f"{what} `{name.name}` {verb} twice"
            problems.add(code, title, name.span, "a second time here", also=also)
        else:
            first[name.name] = name.span


def warn_unused(problems: Problems, what: str, name: tree.Identifier, help: str | None = None) -> None:
    """The warning for something that nothing reads."""
    problems.add(
        "MK270",
        f"{what} `{name.name}` is never used",
        name.span,
        help=help or "use it or delete it",
        severity=Severity.WARNING,
    )
