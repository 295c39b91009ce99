"""What a place in a template knows: loop variables, and which optional values are not null there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from jinja2 import nodes

from maker_dsl.checker.scope import Path
from maker_dsl.checker.template_values import TemplateType, Unknown, strip_null
from maker_dsl.types.type import OptionalType, RecordType, TupleType, Type


@dataclass(frozen=True, slots=True)
class TemplateScope:
    """Loop variables, and what conditions have told about optional values, by dotted name."""

    locals: Mapping[str, TemplateType] = field(default_factory=dict)
    known: Mapping[str, TemplateType] = field(default_factory=dict)

    def bind(self, names: Mapping[str, TemplateType]) -> TemplateScope:
        """The scope inside a loop with these variables, which hide what was known of outer ones."""
        known = {key: value for key, value in self.known.items() if key.split(".")[0].split("[")[0] not in names}
        return TemplateScope({**self.locals, **names}, known)

    def learn(self, facts: Mapping[str, TemplateType]) -> TemplateScope:
        """The scope where these facts hold."""
        return TemplateScope(self.locals, {**self.known, **facts}) if facts else self


TypeOf = Callable[[nodes.Node, TemplateScope], TemplateType]
"""The type of a name, field or index in a scope."""


def known_values(names: Mapping[str, Type], paths: Iterable[Path]) -> dict[str, TemplateType]:
    """The types, without null, of the places at the paths."""
    known: dict[str, TemplateType] = {}
    for path in paths:
        type_: TemplateType = names.get(str(path[0]), Unknown())
        key = str(path[0])
        for part in path[1:]:
            owner = known.get(key, strip_null(type_))
            inner: TemplateType = Unknown()
            match owner:
                case RecordType(members=parts) | TupleType(places=parts):
                    inner = next((one.type for one in parts if one.name == part), Unknown())
            type_, key = inner, f"{key}.{part}"
        if not isinstance(type_, Unknown):
            known[key] = strip_null(type_)
    return known


def facts_of(node: nodes.Node, scope: TemplateScope, holds: bool, type_of: TypeOf) -> dict[str, TemplateType]:
    """What is known not to be null where the condition holds, or does not; `type_of` reports nothing."""
    match node:
        case nodes.Not():
            return facts_of(node.node, scope, not holds, type_of)
        case nodes.And() if holds:
            left = facts_of(node.left, scope, True, type_of)
            return {**left, **facts_of(node.right, scope.learn(left), True, type_of)}
        case nodes.Or() if not holds:
            left = facts_of(node.left, scope, False, type_of)
            return {**left, **facts_of(node.right, scope.learn(left), False, type_of)}
        case nodes.Test(name="none") if not holds:
            return _not_null(node.node, scope, type_of)
        case nodes.Compare(ops=[nodes.Operand(op=op, expr=right)]) if is_null(right):
            return _not_null(node.expr, scope, type_of) if (op == "ne") is holds and op in ("eq", "ne") else {}
        case nodes.Name() | nodes.Getattr() | nodes.Getitem() if holds:
            return _not_null(node, scope, type_of)
    return {}


def _not_null(node: nodes.Node, scope: TemplateScope, type_of: TypeOf) -> dict[str, TemplateType]:
    key = key_of(node)
    if key is None:
        return {}
    type_ = type_of(node, scope)
    return {key: strip_null(type_)} if isinstance(type_, OptionalType) else {}


def key_of(node: nodes.Node) -> str | None:
    """The dotted name of a name or of a field of one."""
    match node:
        case nodes.Name():
            return str(node.name)
        case nodes.Getattr():
            inner = key_of(node.node)
            return None if inner is None else f"{inner}.{node.attr}"
        case nodes.Getitem(arg=nodes.Const(value=value)) if isinstance(value, int | str):
            inner = key_of(node.node)
            return None if inner is None else f"{inner}[{value!r}]"
    return None


def is_null(node: nodes.Expr) -> bool:
    """Whether a node is written `null` or `none`."""
    return (isinstance(node, nodes.Name) and node.name == "null") or (
        isinstance(node, nodes.Const) and node.value is None
    )
