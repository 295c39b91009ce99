"""Checks expressions in templates against static types, and rewrites field accesses into plain indexing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from jinja2 import nodes

from maker_dsl.checker.template_report import TemplateReport
from maker_dsl.checker.template_scope import TemplateScope, facts_of, key_of
from maker_dsl.checker.template_values import (
    LOOP_PLACES,
    Loop,
    ReplyForms,
    TemplateType,
    Unknown,
    comparable,
    describe,
    filter_result,
    is_number,
    join_types,
    strip_null,
    subject_of,
    test_fits,
)
from maker_dsl.checker.types import contains_never
from maker_dsl.diagnostics import Problems, did_you_mean
from maker_dsl.templates.environment import PAIRS_FILTER, WEIGHED_FILTER
from maker_dsl.types.type import (
    BoolType,
    DateType,
    DecimalType,
    EnumType,
    FloatType,
    IntType,
    ListType,
    MapType,
    NullType,
    RecordType,
    StringType,
    TupleType,
    Type,
)

_UNKNOWN: Final = Unknown()


@dataclass(frozen=True, slots=True)
class Typed:
    """An expression as it is to be compiled, and its type."""

    node: Any
    type: TemplateType


class TemplateExpressions:
    """Checks the expressions of one template and rewrites them; remembers which names they read."""

    def __init__(self, report: TemplateReport, names: Mapping[str, Type], unusable: Mapping[str, str]) -> None:
        self.report = report
        self.names = names
        self.unusable = unusable
        self.used: set[str] = set()
        self.uses_reply_forms = False

    def facts(self, node: nodes.Node, scope: TemplateScope, holds: bool) -> dict[str, TemplateType]:
        """What is known not to be null where the condition holds, or does not."""
        return facts_of(node, scope, holds, self.peek)

    def check(self, node: nodes.Node, scope: TemplateScope) -> Typed:
        """Check an expression; gives it rewritten, with its type."""
        key = key_of(node)
        typed = self._plain_expression(node, scope)
        if key is not None and key in scope.known:
            return Typed(typed.node, scope.known[key])
        return typed

    def _plain_expression(self, node: nodes.Node, scope: TemplateScope) -> Typed:
        match node:
            case nodes.Name(name="null") if "null" not in scope.locals:
                return Typed(nodes.Const(None, lineno=node.lineno), NullType())
            case nodes.Name():
                return Typed(node, self._name(node, scope))
            case nodes.Const():
                return Typed(node, _const_type(node.value))
            case nodes.List() | nodes.Tuple():
                items = [self.check(item, scope) for item in node.items]
                node.items = [item.node for item in items]
                return Typed(node, _list_of([item.type for item in items]))
            case nodes.Getattr():
                owner = self.check(node.node, scope)
                return self._field(node, owner, node.attr)
            case nodes.Getitem():
                return self._index(node, scope)
            case nodes.Call():
                return self._call(node, scope)
            case nodes.Filter():
                return self._filter(node, scope)
            case nodes.Test():
                return self._test(node, scope)
            case nodes.CondExpr():
                return self._choice(node, scope)
            case nodes.And():
                after = scope.learn(self.facts(node.left, scope, True))
                left = self.check(node.left, scope)
                right = self.check(node.right, after)
                node.left, node.right = left.node, right.node
                return Typed(node, join_types([left.type, right.type]))
            case nodes.Or():
                after = scope.learn(self.facts(node.left, scope, False))
                left = self.check(node.left, scope)
                right = self.check(node.right, after)
                node.left, node.right = left.node, right.node
                return Typed(node, join_types([strip_null(left.type), right.type]))
            case nodes.Not():
                node.node = self.check(node.node, scope).node
                return Typed(node, BoolType())
            case nodes.Compare():
                return self._comparison(node, scope)
            case nodes.Add() | nodes.Sub():
                return self._sum(node, scope)
            case nodes.Neg() | nodes.Pos():
                operand = self.check(node.node, scope)
                self._number(node.node, operand.type)
                node.node = operand.node
                return Typed(node, operand.type)
        self.report.forbid(node)
        return Typed(node, _UNKNOWN)

    def _name(self, node: nodes.Name, scope: TemplateScope) -> TemplateType:
        name = node.name
        if name in scope.locals:
            return scope.locals[name]
        if name == "reply":
            return ReplyForms()
        if name in self.names:
            self.used.add(name)
            return _UNKNOWN if contains_never(self.names[name]) else self.names[name]
        if name in self.unusable:
            self.report.wrong(node, "MK286", f"a prompt can't use `{name}`", self.unusable[name])
            return _UNKNOWN
        known = [*self.names, *scope.locals, "reply"]
        shown = ", ".join(f"`{one}`" for one in list(self.names)[:8])
        otherwise = f"a prompt sees inputs, state, `let`s and `reply.format`: {shown}" if shown else None
        self.report.wrong(node, "MK282", f"nothing is called `{name}` here", "", did_you_mean(name, known, otherwise))
        return _UNKNOWN

    def _field(self, node: nodes.Getattr | nodes.Getitem, owner: Typed, name: str) -> Typed:
        at = self.report.after_dot(node.lineno, name)
        if name.startswith("_"):
            self.report.add(
                at, len(name), "MK284", f"`{name}` can't be reached from a prompt", "values have no such fields"
            )
            return Typed(node, _UNKNOWN)
        if self.report.may_be_null(node.node, owner.type):
            return Typed(node, _UNKNOWN)
        match owner.type:
            case Unknown():
                if owner.type.is_mixed:
                    help = "choose with `{% if … %}`, or compute it in a `let`"
                    self.report.add(at, len(name), "MK381", f"`.{name}` of a value of more than one type", "", help)
                return Typed(node, _UNKNOWN)
            case ReplyForms():
                self.uses_reply_forms = True
                if name in ("format", "example"):
                    return Typed(nodes.Getitem(owner.node, nodes.Const(name), "load", lineno=node.lineno), StringType())
                label = "the prompt is written before there is a reply"
                forms = did_you_mean(name, ["format", "example"], "a prompt can use `reply.format` and `reply.example`")
                self.report.add(at, len(name), "MK286", f"a prompt can't use `reply.{name}`", label, forms)
                return Typed(node, _UNKNOWN)
            case Loop():
                if name in LOOP_PLACES:
                    return Typed(nodes.Getattr(owner.node, name, "load", lineno=node.lineno), LOOP_PLACES[name])
                self._no_field(at, name, "`loop`", list(LOOP_PLACES))
                return Typed(node, _UNKNOWN)
            case RecordType(members=members):
                for member in members:
                    if member.name == name:
                        return Typed(
                            nodes.Getitem(owner.node, nodes.Const(name), "load", lineno=node.lineno), member.type
                        )
                self._no_field(at, name, describe(owner.type), [member.name for member in members])
            case TupleType(places=places):
                for index, place in enumerate(places):
                    if place.name == name:
                        return Typed(
                            nodes.Getitem(owner.node, nodes.Const(index), "load", lineno=node.lineno), place.type
                        )
                self._no_field(at, name, describe(owner.type), [place.name for place in places])
            case MapType():
                help = f'write `["{name}"]` for the value under a key, `.items()` to loop over keys and values'
                self.report.add(at, len(name), "MK283", "a map has no fields", "", help)
            case _:
                self.report.add(at, len(name), "MK283", f"{describe(owner.type)} has no field `{name}`")
        return Typed(node, _UNKNOWN)

    def _no_field(self, at: int, name: str, owner: str, known: list[str]) -> None:
        listed = "it has " + ", ".join(f"`{one}`" for one in known)
        self.report.add(at, len(name), "MK283", f"{owner} has no field `{name}`", "", did_you_mean(name, known, listed))

    def _index(self, node: nodes.Getitem, scope: TemplateScope) -> Typed:
        owner = self.check(node.node, scope)
        if isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
            fielded = isinstance(strip_null(owner.type), RecordType | TupleType | Loop | ReplyForms)
            if fielded:
                return self._field(node, owner, node.arg.value)
        node_type: TemplateType = _UNKNOWN
        if isinstance(node.arg, nodes.Slice):
            for part in (node.arg.start, node.arg.stop, node.arg.step):
                if part is not None and not isinstance(self.check(part, scope).type, IntType | Unknown):
                    self.report.wrong(part, "MK381", "a slice is cut at whole numbers")
            arg = node.arg
            arg.start = None if arg.start is None else self.check(arg.start, scope).node
            arg.stop = None if arg.stop is None else self.check(arg.stop, scope).node
            arg.step = None if arg.step is None else self.check(arg.step, scope).node
            if not self.report.may_be_null(node.node, owner.type):
                if isinstance(owner.type, ListType | StringType | Unknown):
                    node_type = owner.type
                else:
                    self.report.wrong(node.node, "MK381", f"{describe(owner.type)} can't be cut into a slice")
            return Typed(nodes.Getitem(_weighed(owner), arg, "load", lineno=node.lineno), node_type)
        argument = self.check(node.arg, scope)
        if not self.report.may_be_null(node.node, owner.type):
            node_type = self._indexed(node, owner.type, argument)
        return Typed(nodes.Getitem(owner.node, argument.node, "load", lineno=node.lineno), node_type)

    def _indexed(self, node: nodes.Getitem, owner: TemplateType, argument: Typed) -> TemplateType:
        wanted: type = IntType
        result: TemplateType = _UNKNOWN
        match owner:
            case ListType(item=item):
                result = item
            case StringType():
                result = StringType()
            case MapType(value=value):
                wanted, result = StringType, value
            case TupleType(places=places):
                index = node.arg.value if isinstance(node.arg, nodes.Const) else None
                if isinstance(index, int) and not -len(places) <= index < len(places):
                    self.report.wrong(node.arg, "MK381", f"there is no place {index}", f"it has {len(places)} places")
                elif isinstance(index, int):
                    result = places[index].type
                else:
                    result = join_types([place.type for place in places])
            case Unknown():
                return _UNKNOWN
            case _:
                self.report.wrong(node.node, "MK381", f"{describe(owner)} can't be indexed")
                return _UNKNOWN
        if not isinstance(argument.type, wanted | Unknown) and not (
            wanted is StringType and isinstance(argument.type, EnumType)
        ):
            what = "a whole number" if wanted is IntType else "a string"
            self.report.wrong(node.arg, "MK381", f"the index must be {what}", f"it is {describe(argument.type)}")
        return result

    def peek(self, node: nodes.Node, scope: TemplateScope) -> TemplateType:
        """The type of an expression without reporting, for names and their fields only."""
        quiet = TemplateExpressions(TemplateReport(self.report.text, Problems()), self.names, self.unusable)
        return quiet.check(_copy(node), scope).type

    def _call(self, node: nodes.Call, scope: TemplateScope) -> Typed:
        called = node.node
        plain = not (node.args or node.kwargs or node.dyn_args or node.dyn_kwargs)
        if isinstance(called, nodes.Getattr) and called.attr == "items" and plain:
            owner = self.check(called.node, scope)
            if self.report.may_be_null(called.node, owner.type):
                return Typed(node, _UNKNOWN)
            if isinstance(owner.type, MapType):
                pairs = nodes.Filter(owner.node, PAIRS_FILTER, [], [], None, None, lineno=node.lineno)
                return Typed(pairs, subject_of(owner.type))
        self.report.forbid(node)
        return Typed(node, _UNKNOWN)

    def _filter(self, node: nodes.Filter, scope: TemplateScope) -> Typed:
        if node.node is None:
            self.report.forbid(node)
            return Typed(node, _UNKNOWN)
        subject = self.check(node.node, scope)
        arguments = [self.check(argument, scope) for argument in node.args]
        if node.kwargs or node.dyn_args or node.dyn_kwargs:
            self.report.wrong(node, "MK284", "a filter takes plain arguments here", "", "write the values in order")
            return Typed(node, _UNKNOWN)
        outcome = filter_result(node.name, subject.type, [argument.type for argument in arguments])
        if outcome.problem is not None:
            self.report.add(node.lineno, len(node.name), outcome.code, outcome.problem, outcome.label, outcome.help)
        weighed = subject.node if node.name in ("length", "first", "last") else _weighed(subject)
        node.node, node.args = weighed, [argument.node for argument in arguments]
        return Typed(node, outcome.type)

    def _test(self, node: nodes.Test, scope: TemplateScope) -> Typed:
        subject = self.check(node.node, scope)
        at = self.report.text.value.find(node.name, node.lineno)
        if node.args or node.kwargs or node.dyn_args or node.dyn_kwargs:
            self.report.add(at, len(node.name), "MK285", f"`is {node.name}` takes no arguments")
        else:
            outcome = test_fits(node.name, subject.type)
            if outcome.problem is not None:
                self.report.add(at, len(node.name), outcome.code, outcome.problem, outcome.label, outcome.help)
        node.node = subject.node
        return Typed(node, BoolType())

    def _choice(self, node: nodes.CondExpr, scope: TemplateScope) -> Typed:
        inside = scope.learn(self.facts(node.test, scope, True))
        after = scope.learn(self.facts(node.test, scope, False))
        test = self.check(node.test, scope)
        then = self.check(node.expr1, inside)
        if node.expr2 is None:
            self.report.wrong(node, "MK284", "`… if …` needs an `else` here", "", 'write `… if … else ""`')
            return Typed(node, then.type)
        otherwise = self.check(node.expr2, after)
        choice = nodes.CondExpr(test.node, then.node, otherwise.node, lineno=node.lineno)
        return Typed(choice, join_types([then.type, otherwise.type]))

    def _comparison(self, node: nodes.Compare, scope: TemplateScope) -> Typed:
        left = self.check(node.expr, scope)
        previous, node.expr = left, _weighed(left)
        for operand in node.ops:
            right = self.check(operand.expr, scope)
            self._compare(operand, previous, right)
            operand.expr = _weighed(right)
            previous = right
        return Typed(node, BoolType())

    def _compare(self, operand: nodes.Operand, left: Typed, right: Typed) -> None:
        if operand.op in ("in", "notin"):
            match strip_null(right.type):
                case ListType(item=item):
                    self._comparable(operand, left, item)
                case MapType():
                    self._comparable(operand, left, StringType())
                case StringType():
                    self._comparable(operand, left, StringType())
                case Unknown():
                    pass
                case other:
                    self.report.wrong(
                        operand.expr, "MK381", "`in` needs a list, map or string", f"this is {describe(other)}"
                    )
            return
        if operand.op not in ("eq", "ne"):
            for side in (left, right):
                if self.report.may_be_null(side.node, side.type):
                    return
        self._comparable(operand, left, right.type, right)

    def _comparable(self, operand: nodes.Operand, left: Typed, type_: TemplateType, right: Typed | None = None) -> None:
        for one, other in ((left, type_), (right, left.type)):
            if one is None or not isinstance(one.node, nodes.Const) or not isinstance(one.node.value, str):
                continue
            enum = strip_null(other)
            if isinstance(enum, EnumType) and one.node.value not in enum.values:
                listed = "it is one of " + ", ".join(f'"{value}"' for value in enum.values)
                help = did_you_mean(one.node.value, enum.values, listed)
                self.report.wrong(one.node, "MK381", f'this is never "{one.node.value}"', "", help)
                return
        if not comparable(left.type, type_):
            label = f"{describe(left.type)} and {describe(type_)}"
            self.report.wrong(operand.expr, "MK381", "these can't be compared", label)

    def _sum(self, node: nodes.Add | nodes.Sub, scope: TemplateScope) -> Typed:
        left = self.check(node.left, scope)
        right = self.check(node.right, scope)
        good = self._number(node.left, left.type) and self._number(node.right, right.type)
        node.left, node.right = left.node, right.node
        if good and {DecimalType, FloatType} <= {type(left.type), type(right.type)}:
            self.report.wrong(node.right, "MK381", "a decimal and a float don't mix", "", "compute it in a `let`")
        return Typed(node, right.type if isinstance(left.type, IntType) else left.type)

    def _number(self, node: nodes.Expr, type_: TemplateType) -> bool:
        if isinstance(type_, Unknown):
            return False
        if self.report.may_be_null(node, type_):
            return False
        if not is_number(type_):
            help = "put texts side by side: `{{ a }}{{ b }}`" if isinstance(type_, StringType) else None
            self.report.wrong(
                node, "MK381", "only numbers can be added in a prompt", f"this is {describe(type_)}", help
            )
            return False
        return True


def _weighed(typed: Typed) -> Any:
    """The node of a value whose size is paid for when it is looked through."""
    if isinstance(strip_null(typed.type), _SMALL) or isinstance(typed.node, nodes.Const):
        return typed.node
    return nodes.Filter(typed.node, WEIGHED_FILTER, [], [], None, None, lineno=typed.node.lineno)


_SMALL = (IntType, FloatType, DecimalType, BoolType, DateType, EnumType, NullType)


def _copy(node: nodes.Node) -> nodes.Expr:
    """A copy of names, fields and indexes, which checking would rewrite."""
    match node:
        case nodes.Name():
            return nodes.Name(node.name, node.ctx, lineno=node.lineno)
        case nodes.Getattr():
            return nodes.Getattr(_copy(node.node), node.attr, node.ctx, lineno=node.lineno)
        case nodes.Getitem():
            return nodes.Getitem(_copy(node.node), _copy(node.arg), node.ctx, lineno=node.lineno)
        case nodes.Const():
            return nodes.Const(node.value, lineno=node.lineno)
    return nodes.Const(None, lineno=node.lineno)


def _const_type(value: object) -> TemplateType:
    types: list[tuple[type, Callable[[], TemplateType]]] = [
        (bool, BoolType),
        (int, IntType),
        (float, FloatType),
        (str, StringType),
    ]
    for python, made in types:
        if isinstance(value, python):
            return made()
    return NullType() if value is None else _UNKNOWN


def _list_of(types: list[TemplateType]) -> TemplateType:
    item = join_types(types)
    return _UNKNOWN if isinstance(item, Unknown | Loop | ReplyForms) else ListType(item)
