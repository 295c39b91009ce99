"""What the parts of the expression checker share: inference of a part, and fitting it to the type wanted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from maker_dsl.checker.mismatch import condition_help, report_mismatch, report_null, suggest
from maker_dsl.checker.relations import is_assignable, is_condition, member_type, needs_conversion, strip_optional
from maker_dsl.checker.scope import Scope
from maker_dsl.checker.static import AnyNode, Conversion, Typing
from maker_dsl.diagnostics import Problems, Span
from maker_dsl.syntax import tree
from maker_dsl.types.display import display
from maker_dsl.types.type import (
    BoolType,
    ListType,
    MapType,
    NeverType,
    OptionalType,
    RecordType,
    TupleType,
    Type,
)

MAX_DEPTH = 100
"""How deep expressions may nest, so that neither this checker nor Python's compiler runs out of stack."""

Infer = Callable[["Inference", AnyNode, Scope, Type | None], Type]


@dataclass(slots=True)
class Inference:
    """The checking of one expression. Parts are inferred exactly once each, so that checking stays linear."""

    problems: Problems
    typing: Typing
    dispatch: Infer
    depth: int = 0
    is_too_deep: bool = False
    reported_before: int = 0

    def __post_init__(self) -> None:
        self.reported_before = len(self.problems)

    def is_wrong(self, type_: Type) -> bool:
        """Whether the type is that of a part reported as wrong; else NeverType means what its name says (`[][0]`)."""
        return isinstance(type_, NeverType) and len(self.problems) > self.reported_before

    def infer(self, node: AnyNode, scope: Scope, hint: Type | None = None) -> Type:
        """The type of a part; `hint`, what is wanted there, helps literals that could be several things."""
        if self.depth >= MAX_DEPTH:
            if not self.is_too_deep:
                self.problems.add(
                    "MK315",
                    "expression nested too deeply",
                    node.span,
                    f"this lies deeper than {MAX_DEPTH} levels",
                    help="move parts of it into a `def` or a `let`",
                )
            self.is_too_deep = True
            return self.typing.set_type(node, NeverType())
        self.depth += 1
        type_ = self.typing.set_type(node, self.dispatch(self, node, scope, hint))
        self.depth -= 1
        return type_

    def check(self, node: AnyNode, scope: Scope, expected: Type) -> bool:
        """Infer a part and fit it to the type wanted."""
        self.infer(node, scope, expected)
        return self.fit(node, expected)

    def condition(self, node: AnyNode, scope: Scope) -> None:
        """Infer a part that must be a condition."""
        type_ = self.infer(node, scope, BoolType())
        if not is_condition(type_):
            self.problems.add(
                "MK314", "not a condition", node.span, f"this is {display(type_)}", help=condition_help(node, type_)
            )
            self.typing.set_type(node, NeverType())

    def report_null(self, span: Span, type_: Type, why: str) -> None:
        """Report an optional value that is used as if it were there."""
        report_null(self.problems, span, type_, why)

    def declared_type(self, node: AnyNode) -> Type:
        """The type of a name or field before null was ruled out there; of anything else just its type."""
        if isinstance(node, tree.Name) and id(node) in self.typing.bindings:
            return self.typing.bindings[id(node)].type
        if isinstance(node, tree.FieldAccess):
            object_type = self.typing.types.get(id(node.object), NeverType())
            members = object_type.members if isinstance(object_type, RecordType) else ()
            members = object_type.places if isinstance(object_type, TupleType) else members
            return member_type(members, node.name.name) or NeverType()
        return self.typing.types.get(id(node), NeverType())

    def fit(self, node: AnyNode, expected: Type) -> bool:
        """Note the conversion of an inferred part to the type wanted; report where it can't stand for it.

        Literals are fitted part by part, so that the report points at the part and nothing is converted twice.
        """
        actual = self.typing.types[id(node)]
        wanted = strip_optional(expected)
        if isinstance(actual, NeverType) or isinstance(wanted, NeverType):
            return True
        match node, wanted:
            case tree.Conditional(then=then, otherwise=otherwise), _:
                return self._fit_parts(node, expected, [(then, expected), (otherwise, expected)])
            case tree.ListLiteral(items=items), ListType(item=item) if isinstance(actual, ListType):
                return self._fit_parts(node, wanted, [(part, item) for part in items])
            case tree.ListLiteral(items=items), TupleType(places=places) if isinstance(actual, TupleType) and len(
                items
            ) == len(places):
                types = [place.type for place in places]
                return self._fit_parts(node, wanted, list(zip(items, types, strict=True)))
            case ((tree.ListComprehension(item=part) | tree.Generator(item=part)), ListType(item=item)):
                return self._fit_parts(node, wanted, [(part, item)])
            case tree.MapLiteral(entries=entries), MapType(value=value):
                return self._fit_parts(node, wanted, [(part, value) for _, part in entries])
            case tree.MapComprehension(value=part), MapType(value=value):
                return self._fit_parts(node, wanted, [(part, value)])
            case tree.RecordLiteral(entries=given), RecordType() if isinstance(actual, RecordType):
                if not self._has_members(node, actual, wanted):
                    return self._refuse(node)
                if not any(isinstance(entry, tree.Spread) for entry in given):
                    members = [entry for entry in given if isinstance(entry, tree.RecordMember)]
                    return self._fit_parts(
                        node,
                        wanted,
                        [(e.value, member_type(wanted.members, e.name.name) or NeverType()) for e in members],
                    )
            case _:
                pass
        if not is_assignable(actual, expected):
            report_mismatch(self.problems, node.span, actual, expected)
            return self._refuse(node)
        if needs_conversion(actual, expected):
            self.typing.conversions[id(node)] = Conversion(actual, expected)
        return True

    def _fit_parts(self, node: AnyNode, type_: Type, parts: list[tuple[tree.Expression, Type]]) -> bool:
        fitted = [self.fit(part, wanted) for part, wanted in parts]
        if all(fitted):
            self.typing.types[id(node)] = type_
            return True
        return self._refuse(node)

    def _refuse(self, node: AnyNode) -> bool:
        self.typing.types[id(node)] = NeverType()
        return False

    def _has_members(self, node: tree.RecordLiteral, actual: RecordType, wanted: RecordType) -> bool:
        """Whether a record literal has the members of the record wanted; those of optional type may be left out."""
        missing = [
            member.name
            for member in wanted.members
            if member_type(actual.members, member.name) is None and not isinstance(member.type, OptionalType)
        ]
        extra = [member.name for member in actual.members if member_type(wanted.members, member.name) is None]
        known = [member.name for member in wanted.members]
        title = "members of a record"
        for name in extra:
            spans = [e.name.span for e in node.entries if isinstance(e, tree.RecordMember) and e.name.name == name]
            self.problems.add(
                "MK309",
                title,
                spans[0] if spans else node.span,
                f"{display(wanted)} has no member `{name}`",
                help=suggest(name, known, "its members are"),
            )
        if missing and not extra:
            names = ", ".join(f"`{name}`" for name in missing)
            self.problems.add(
                "MK309",
                title,
                node.span,
                f"{names} {'is' if len(missing) == 1 else 'are'} missing",
                help=f"{display(wanted)} has the members " + ", ".join(f"`{name}`" for name in known),
            )
        return not missing and not extra
